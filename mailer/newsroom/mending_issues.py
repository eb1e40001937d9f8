"""Mending an imported issue: one act of `mending` on its articles, kept so that one click takes it back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.db import now
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom import editing, mending, restoring
from mailer.newsroom.mending import Piece
from mailer.newsroom.models import Article, ArticleVersion, ImportReport, Issue
from mailer.newsroom.sources import find_report
from mailer.newsroom.versions import CONTENT, VersionKind, get_version, keep

# So many acts can be taken back, one after the other.
_MOST_ACTS = 50
_GONE = N_("That article is not there any more.")


class MendingAct(StrEnum):
    """What an editor may do to an article (`MERGE`, `DEMOTE`) or to a paragraph of one."""

    MERGE = "merge"
    DEMOTE = "demote"
    SPLIT = "split"
    PROMOTE = "promote"
    TOGGLE = "toggle"
    DISSOLVE = "dissolve"


_ON_ARTICLES: Mapping[MendingAct, Callable[[Sequence[Piece], int], tuple[Piece, ...]]] = {
    MendingAct.MERGE: mending.merge,
    MendingAct.DEMOTE: mending.demote,
}
_ON_BLOCKS: Mapping[MendingAct, Callable[[Sequence[Piece], int, int], tuple[Piece, ...]]] = {
    MendingAct.SPLIT: mending.split,
    MendingAct.PROMOTE: mending.promote,
    MendingAct.TOGGLE: mending.toggle_heading,
    MendingAct.DISSOLVE: mending.dissolve,
}


@dataclass(frozen=True, slots=True)
class LastAct:
    """The act that can be taken back now: on what, by whom (if that is known), when."""

    act: MendingAct
    title: str
    name: str | None
    at: str


def mend(
    session: Session,
    issue: Issue,
    act: MendingAct,
    article_id: int,
    *,
    shown: Mapping[int, int],
    block: int = -1,
    by: Account | None,
) -> Article:
    """Does `act` to an article, or to block `block` (from 0) of it, and gives the article that came of it. `shown` are
    the revisions, by article's id, of the articles that the editor saw: of this one, and for acts on whole articles of
    the neighbour it goes to.

    Raises `RuleError` where one of them has changed since or the neighbour is another one, and for what cannot be done.
    Withdraws a submission or an approval, as every change does.
    """
    issue = editing.lock_issue(session, issue)
    session.expire(issue, ["articles"])
    articles = list(issue.articles)
    for article in articles:
        session.refresh(article)
    at = next((at for at, article in enumerate(articles) if article.id == article_id), None)
    if at is None:
        raise RuleError(_GONE)
    before = [_piece(article) for article in articles]
    after = _ON_ARTICLES[act](before, at) if act in _ON_ARTICLES else _ON_BLOCKS[act](before, at, block)
    changed = _changed(before, after)
    if any(shown.get(article.id) != article.revision for article in articles if article.id in changed):
        raise editing.conflict(session, issue)
    report = _report(session, issue)
    title = articles[at].title
    made = _carry_out(session, issue, report, before, after, changed, by, act=act, title=title)
    accounts.record(
        session,
        by=by,
        action="issue.mended",
        subject_type="issue",
        subject_id=issue.id,
        act=act,
        article=article_id,
        title=title,
    )
    return made


def find_last_act(session: Session, issue: Issue) -> LastAct | None:
    """What `undo` would take back."""
    report = session.get(ImportReport, issue.id)
    if report is None or not report.acts:
        return None
    last = report.acts[-1]
    account = session.get(Account, last["by"]) if last["by"] is not None else None
    return LastAct(MendingAct(last["act"]), last["title"], account.name if account else None, last["at"])


def undo(session: Session, issue: Issue, *, by: Account | None) -> str:
    """Takes the last act back, and gives the title of the article that it was done to. What stood there until now stays
    a version. Raises `RuleError` when there is none, or when one of its articles has been changed since.
    """
    issue = editing.lock_issue(session, issue)
    report = session.get(ImportReport, issue.id, populate_existing=True)
    if report is None or not report.acts:
        raise RuleError(N_("There is nothing to take back."))
    *others, last = report.acts
    session.expire(issue, ["articles"])
    present = {article.id: article for article in issue.articles}
    for article in present.values():
        session.refresh(article)
    was = {int(key): value for key, value in last["was"].items()}
    _require_unchanged(last, was, present)
    for article_id, (version_id, _) in was.items():
        version = get_version(session, version_id)
        if article_id in present:
            article = present[article_id]
            restoring.restore(session, article, version, revision=article.revision, by=by)
        else:
            restoring.bring_back(session, issue, _removal(session, article_id), by=by)
    for article_id in last["made"]:
        editing.remove_article(session, present[article_id], revision=present[article_id].revision, by=by)
    session.expire(issue, ["articles"])
    now_there = {article.id: article.revision for article in issue.articles}
    order = [article_id for article_id in last["order"] if article_id in now_there]
    editing.order_articles(session, issue, order=[*order, *(key for key in now_there if key not in order)], by=by)
    # An act before this one left its articles as they are again, under new revisions.
    for earlier in others:
        for key, revision in earlier["after"].items():
            if int(key) in was and was[int(key)][1] == revision:
                earlier["after"][key] = now_there[int(key)]
    report.acts = [dict(one) for one in others]
    accounts.record(
        session,
        by=by,
        action="issue.mending_undone",
        subject_type="issue",
        subject_id=issue.id,
        act=last["act"],
        title=last["title"],
    )
    return str(last["title"])


def _require_unchanged(last: Mapping[str, Any], was: Mapping[int, Any], present: Mapping[int, Article]) -> None:
    after = {int(key): revision for key, revision in last["after"].items()}
    for article_id, revision in after.items():
        if article_id not in present or present[article_id].revision != revision:
            name = present[article_id].title if article_id in present else last["title"]
            raise RuleError(
                N_("“%(title)s” has been changed since. Look at its versions: what stood there before is kept there."),
                title=name,
            )
    if any(article_id in present for article_id in was.keys() - after.keys()):
        raise RuleError(N_("An article that was merged has been brought back since. Remove it first."))


def _carry_out(
    session: Session,
    issue: Issue,
    report: ImportReport,
    before: Sequence[Piece],
    after: Sequence[Piece],
    changed: set[int],
    by: Account | None,
    *,
    act: MendingAct,
    title: str,
) -> Article:
    """Makes the articles those of `after`, notes how to go back, and gives the last article that changed or came."""
    articles = {article.id: article for article in issue.articles}
    was = {key: [_version_of(session, articles[key], by), articles[key].revision] for key in changed}
    kept = {piece.id for piece in after}
    touched = issue.articles[0]
    made: list[int] = []
    order: list[int] = []
    for piece in after:
        values = {name: getattr(piece, name) for name in CONTENT}
        if piece.id is None:
            touched = editing.add_article(session, issue, by=by, **values)
            made.append(touched.id)
        elif piece.id in changed:
            article = articles[piece.id]
            touched = editing.change_article(session, article, revision=article.revision, by=by, **values)
        order.append(touched.id if piece.id is None else piece.id)
    for key in changed - kept:
        editing.remove_article(session, articles[key], revision=articles[key].revision, by=by)
    editing.order_articles(session, issue, order=order, by=by)
    session.expire(issue, ["articles"])
    revisions = {article.id: article.revision for article in issue.articles}
    entry = {
        "act": act,
        "title": title,
        "by": None if by is None else by.id,
        "at": now(session).isoformat(),
        "order": [piece.id for piece in before],
        "was": {str(key): value for key, value in was.items()},
        "after": {str(key): revisions[key] for key in (*(changed & kept), *made)},
        "made": made,
    }
    report.acts = [*report.acts, entry][-_MOST_ACTS:]
    return touched


def _changed(before: Sequence[Piece], after: Sequence[Piece]) -> set[int]:
    """Ids of the articles that an act changes or takes away."""
    left = {piece.id: piece for piece in after}
    return {piece.id for piece in before if piece.id is not None and left.get(piece.id) != piece}


def _piece(article: Article) -> Piece:
    return Piece(article.id, **{name: getattr(article, name) for name in CONTENT})


def _report(session: Session, issue: Issue) -> ImportReport:
    """The issue's report, kept from now on if it was not yet."""
    report = session.get(ImportReport, issue.id, populate_existing=True) or find_report(session, issue)
    if report is None:
        raise RuleError(N_("This issue was not imported from a document."))
    session.add(report)
    return report


def _version_of(session: Session, article: Article, by: Account | None) -> int:
    """The version that holds an article as it is now; kept now if none does."""
    version = _newest(session, article.id)
    if version is None or any(getattr(version, name) != getattr(article, name) for name in CONTENT):
        version = keep(session, article, VersionKind.SAVED, by=by)
    return version.id


def _newest(session: Session, article_id: int) -> ArticleVersion | None:
    chosen = select(ArticleVersion).where(ArticleVersion.article_id == article_id)
    return session.scalar(chosen.order_by(ArticleVersion.id.desc()).limit(1))


def _removal(session: Session, article_id: int) -> ArticleVersion:
    """The version that taking an article out has left."""
    chosen = select(ArticleVersion).where(
        ArticleVersion.article_id == article_id, ArticleVersion.kind == VersionKind.REMOVED
    )
    return session.scalars(chosen.order_by(ArticleVersion.id.desc()).limit(1)).one()
