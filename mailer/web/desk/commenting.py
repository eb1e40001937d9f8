"""What colleagues say about an article or the whole issue, beside its words."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.newsletters import get_newsletter
from mailer.newsroom import commenting, editing
from mailer.newsroom.models import Comment
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.telling import commit_or_tell
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account


@blueprint.get("/articles/<int:article_id>/comments")
def article_comments(article_id: int) -> ResponseReturnValue:
    session = get_session()
    article = editing.get_article(session, article_id)
    return render_template(
        "desk/comments.html",
        article=article,
        issue=article.issue,
        newsletter=get_newsletter(session, article.issue.newsletter_id),
        threads=commenting.list_threads(session, article.issue_id, article_id=article_id),
    )


@blueprint.post("/issues/<int:issue_id>/comments")
def comment_new(issue_id: int) -> ResponseReturnValue:
    """A thread about the issue or one of its articles, or an answer."""
    session = get_session()
    issue = editing.get_issue(session, issue_id)
    article_id = request.form.get("article", type=int)
    answers = request.form.get("answers", type=int)
    article = next((one for one in issue.articles if one.id == article_id), None)
    with commit_or_tell():
        commenting.say(
            session,
            issue,
            request.form.get("text", ""),
            by=get_account(),
            article=article,
            answers=commenting.get_comment(session, answers) if answers else None,
        )
    return _back(issue_id, article_id)


@blueprint.post("/comments/<int:comment_id>/settle")
def comment_settle(comment_id: int) -> ResponseReturnValue:
    session = get_session()
    comment = commenting.get_comment(session, comment_id)
    with commit_or_tell(gettext("The comment is settled.")):
        commenting.settle(session, comment, by=get_account())
    return _beside(comment)


@blueprint.post("/comments/<int:comment_id>/reopen")
def comment_reopen(comment_id: int) -> ResponseReturnValue:
    session = get_session()
    comment = commenting.get_comment(session, comment_id)
    with commit_or_tell(gettext("The comment is open again.")):
        commenting.reopen(session, comment, by=get_account())
    return _beside(comment)


def _beside(comment: Comment) -> ResponseReturnValue:
    issue = editing.get_issue(get_session(), comment.issue_id)
    is_there = any(article.id == comment.article_id for article in issue.articles)
    return _back(comment.issue_id, comment.article_id if is_there else None)


def _back(issue_id: int, article_id: int | None) -> ResponseReturnValue:
    if article_id is None:
        return redirect(url_for("desk.issue", issue_id=issue_id, _anchor="comments"))
    return redirect(url_for("desk.article_comments", article_id=article_id, _anchor="comments"))
