"""An article: adding, editing, moving, removing."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.errors import RuleError
from mailer.i18n import N_, translate
from mailer.newsletters import get_newsletter
from mailer.newsroom import editing
from mailer.newsroom.blocks import get_block, list_blocks, list_columns
from mailer.newsroom.commenting import Remark, list_threads
from mailer.newsroom.models import Article, Issue
from mailer.newsroom.personal import list_fields
from mailer.newsroom.plain_text import from_plain, is_plain, to_plain
from mailer.newsroom.rules import IssueState
from mailer.press import slots
from mailer.press.sanitising import sanitise_body
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import ArticleForm
from mailer.web.desk.issues import tell_withdrawn
from mailer.web.desk.rights import may_edit, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

# What an editor may have differ from reader to reader in every newsletter, as the menu calls it.
SLOTS = {slots.NAME: N_("The reader's name"), slots.ADDRESS: N_("The reader's address")}
FIELDS = ("title", "section", "source", "page")


@blueprint.route("/issues/<int:issue_id>/articles/new", methods=["GET", "POST"])
@only(may_edit)
def article_new(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = editing.get_issue(session, issue_id)
    form = ArticleForm()
    state = issue.state
    block_id = request.args.get("block", type=int)
    if block_id is not None and not form.is_submitted():
        block = get_block(session, block_id)
        if block.newsletter_id != issue.newsletter_id:
            abort(404)
        form.title.data, form.body.data, form.text.data = block.name, block.body, to_plain(block.body)
    if form.validate_on_submit():
        values = {name: form[name].data for name in FIELDS}
        try:
            article = editing.add_article(session, issue, by=get_account(), body=_body(form, ""), **values)
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            commit()
            flash(gettext("“%(title)s” is added.", title=article.title), "success")
            tell_withdrawn(issue, state)
            return _after_saving(article)
    return _page(form, issue, None)


@blueprint.route("/articles/<int:article_id>", methods=["GET", "POST"])
@only(may_edit)
def article(article_id: int) -> ResponseReturnValue:
    session = get_session()
    found = editing.get_article(session, article_id)
    issue, state = found.issue, found.issue.state
    form = ArticleForm(obj=found)
    if not form.is_submitted():
        form.revision.data, form.text.data = str(found.revision), to_plain(found.body)
    elif form.validate():
        try:
            editing.change_article(
                session,
                found,
                revision=int(form.revision.data or 0),
                by=get_account(),
                body=_body(form, found.body),
                **{name: form[name].data for name in FIELDS},
            )
        except RuleError as error:
            session.rollback()
            form.refuse(error)
            # What was typed stays in the form; sending it once more overwrites the colleague's, knowingly.
            form.revision.data = str(editing.get_article(session, article_id).revision)
        else:
            commit()
            flash(gettext("“%(title)s” is saved.", title=found.title), "success")
            tell_withdrawn(issue, state)
            return _after_saving(found)
    return _page(form, issue, found)


def _body(form: ArticleForm, before: str) -> str:
    """The HTML that was sent: by the editor's script as `body`, else as plain `text`; text that was not touched
    leaves the article as it is, with all that plain text cannot say.
    """
    if "body" in request.form:
        return form.body.data or ""
    text = form.text.data or ""
    return before if to_plain(from_plain(text)) == to_plain(from_plain(to_plain(before))) else from_plain(text)


def _after_saving(article: Article) -> ResponseReturnValue:
    if "stay" in request.form:
        return redirect(url_for("desk.article", article_id=article.id))
    return redirect(url_for("desk.issue", issue_id=article.issue_id, _anchor=f"article-{article.id}"))


def _page(form: ArticleForm, issue: Issue, article: Article | None) -> ResponseReturnValue:
    # Shown again after a refusal, what was typed goes into the page: it is cleaned like everything that is stored.
    body = sanitise_body(_body(form, article.body if article else "") if form.is_submitted() else form.body.data or "")
    newsletter = get_newsletter(get_session(), issue.newsletter_id)
    fields = list_fields(get_session(), newsletter.id)
    page = render_template(
        "desk/article.html",
        form=form,
        issue=issue,
        article=article,
        body=body,
        is_plain=is_plain(body),
        newsletter=newsletter,
        blocks=list_blocks(get_session(), issue.newsletter_id),
        columns=list_columns(get_session(), issue.newsletter_id),
        slots=[*((key, gettext(words)) for key, words in SLOTS.items()), *((each.key, each.label) for each in fields)],
        stranger=translate(newsletter.language, N_("reader")),
        fallback_length=slots.FALLBACK_LENGTH,
        is_autosaved=issue.state == IssueState.DRAFT,
        # Somebody else has saved meanwhile: what they changed can be looked at before it is overwritten.
        is_conflict=article is not None
        and bool(form.form_errors)
        and form.revision.data != request.form.get("revision"),
        threads=_open_threads(article) if article else [],
    )
    return page, REFUSED if form.is_submitted() else 200


def _open_threads(article: Article) -> list[Remark]:
    threads = list_threads(get_session(), article.issue_id, article_id=article.id)
    return [thread for thread in threads if thread.comment.resolved_at is None]


@blueprint.post("/articles/<int:article_id>/move")
@only(may_edit)
def article_move(article_id: int) -> ResponseReturnValue:
    session = get_session()
    found = editing.get_article(session, article_id)
    issue, state = found.issue, found.issue.state
    to = request.form.get("to", type=int)
    if to is None:
        abort(400)
    place = found.position
    with commit_or_tell():
        editing.move_article(session, found, to=to, by=get_account())
        tell_withdrawn(issue, state)
    # The button that was pressed is an address: the browser puts the focus there, and the next press goes on.
    anchor = f"{'up' if to < place else 'down'}-{article_id}"
    return redirect(url_for("desk.issue", issue_id=issue.id, _anchor=anchor))


@blueprint.route("/articles/<int:article_id>/remove", methods=["GET", "POST"])
@only(may_edit)
def article_remove(article_id: int) -> ResponseReturnValue:
    session = get_session()
    found = editing.get_article(session, article_id)
    issue, state, title = found.issue, found.issue.state, found.title
    if request.method != "POST":
        return render_template(
            "desk/article_remove.html",
            article=found,
            issue=issue,
            newsletter=get_newsletter(session, issue.newsletter_id),
        )
    with commit_or_tell(gettext("“%(title)s” is removed. It can be brought back on this page.", title=title)):
        revision = request.form.get("revision", 0, type=int)
        editing.remove_article(session, found, revision=revision, by=get_account())
        tell_withdrawn(issue, state)
    return redirect(url_for("desk.issue", issue_id=issue.id, _anchor="contents"))
