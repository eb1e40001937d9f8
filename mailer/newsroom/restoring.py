"""What was saved before comes back: an article as an earlier version had it, or one that was taken out."""

from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom import editing
from mailer.newsroom.models import Article, ArticleVersion, Issue
from mailer.newsroom.versions import CONTENT, VersionKind, keep


def restore(
    session: Session, article: Article, version: ArticleVersion, *, revision: int, by: Account | None
) -> Article:
    """The article as `version` has it; what it is now stays a version too. Raises `RuleError` when the article has
    changed since `revision`, or when the version is another article's.
    """
    if version.article_id != article.id:
        raise RuleError(N_("This version belongs to another article."))
    values = {name: getattr(version, name) for name in CONTENT}
    return editing.change_article(session, article, revision=revision, by=by, kind=VersionKind.RESTORED, **values)


def bring_back(session: Session, issue: Issue, version: ArticleVersion, *, by: Account | None) -> Article:
    """An article that was taken out, at its old place and under its old address: links that were mailed lead to it
    again. Raises `RuleError` where it is back already.
    """
    editing.lock_issue(session, issue)
    if version.issue_id != issue.id or version.kind != VersionKind.REMOVED:
        raise RuleError(N_("This version belongs to another article."))
    if session.get(Article, version.article_id) is not None:
        raise RuleError(N_("This article is in the issue already."))
    editing.touch(session, issue, by=by)
    article = Article(
        id=version.article_id,
        position=max((other.position for other in issue.articles), default=0) + 1,
        # Greater than any that a forgotten window could still hold.
        revision=issue.revision,
        **{name: getattr(version, name) for name in CONTENT},
    )
    issue.articles.append(article)
    session.flush()
    keep(session, article, VersionKind.RESTORED, by=by)
    accounts.record(
        session,
        by=by,
        action="article.brought_back",
        subject_type="issue",
        subject_id=issue.id,
        article=article.id,
        title=article.title,
    )
    if version.position < article.position:
        editing.move_article(session, article, to=version.position, by=by)
    return article
