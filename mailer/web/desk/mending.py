"""The report of what became of an issue's documents, and mending what they were taken for."""

import datetime as dt

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.errors import NotFoundError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter
from mailer.newsroom.editing import get_article, get_issue
from mailer.newsroom.import_report import Standing, look
from mailer.newsroom.mending import rows_of
from mailer.newsroom.mending_issues import MendingAct, find_last_act, mend, undo
from mailer.newsroom.plain_text import count_characters
from mailer.newsroom.sources import find_report, list_sources
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.tracing import LineRole
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.issues import tell_withdrawn
from mailer.web.desk.rights import may_edit, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

# What the import took a line for, as the report says it.
ROLES: dict[str, str] = {
    LineRole.MASTHEAD: N_("Head of the issue"),
    LineRole.CONTENTS: N_("Contents list"),
    LineRole.SECTION: N_("Section"),
    LineRole.TITLE: N_("Title"),
    LineRole.COLOPHON: N_("Imprint"),
    LineRole.FURNITURE: N_("Left out"),
    PartKind.PARAGRAPH: N_("Text"),
    PartKind.SUBHEADING: N_("Subheading"),
    PartKind.SUBTITLE: N_("Subtitle"),
    PartKind.BYLINE: N_("Byline"),
    PartKind.EDITORS_NOTE: N_("Editor's note"),
    PartKind.SOURCE: N_("Taken from"),
    PartKind.FOOTNOTE: N_("Footnote"),
    PartKind.CAPTION: N_("Caption"),
    PartKind.TABLE: N_("Table"),
    PartKind.PICTURE: N_("Picture"),
}
DONE: dict[MendingAct, str] = {
    MendingAct.MERGE: N_("“%(title)s” is part of the article above it now."),
    MendingAct.DEMOTE: N_("“%(title)s” is no title any more; its text stands in the article next to it."),
    MendingAct.SPLIT: N_("“%(title)s” is divided; a new article begins below it."),
    MendingAct.PROMOTE: N_("“%(title)s” has another title now; the old one is a paragraph."),
    MendingAct.TOGGLE: N_("In “%(title)s”, a paragraph has become a subheading, or the other way round."),
    MendingAct.DISSOLVE: N_("In “%(title)s”, the items of a list are paragraphs now."),
}


@blueprint.get("/issues/<int:issue_id>/import")
def issue_import(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = get_issue(session, issue_id)
    report = find_report(session, issue)
    if report is None:
        raise NotFoundError(N_("This issue was not imported from a document."))
    last = find_last_act(session, issue)
    rows = {article.id: rows_of(article.body) for article in issue.articles}
    return render_template(
        "desk/import.html",
        issue=issue,
        newsletter=get_newsletter(session, issue.newsletter_id),
        sources=list_sources(session, issue_id),
        seen=look(report, issue.articles),
        numbers={article.id: place for place, article in enumerate(issue.articles, 1)},
        Standing=Standing,
        roles=ROLES,
        doubted={warning.get("line") for warning in issue.warnings},
        rows=rows,
        total_rows=sum(map(len, rows.values())),
        count_characters=count_characters,
        last=last,
        last_at=dt.datetime.fromisoformat(last.at) if last else None,
        last_words=gettext(DONE[last.act], title=last.title) if last else "",
    )


@blueprint.post("/articles/<int:article_id>/mend")
@only(may_edit)
def article_mend(article_id: int) -> ResponseReturnValue:
    """`act` is "merge" or "demote", or one of the other acts with the block's number behind a hyphen; `shown`
    are articles with their revisions, as the page was made: "17.3".
    """
    session = get_session()
    article = get_article(session, article_id)
    issue, state = article.issue, article.issue.state
    name, _, block = request.form.get("act", "").partition("-")
    if name not in {act.value for act in MendingAct} or (block and not block.isdecimal()):
        abort(400)
    act = MendingAct(name)
    anchor = article_id
    # What was done is said on the report, beside the button that takes it back.
    with commit_or_tell():
        made = mend(
            session, issue, act, article_id, shown=_shown(), block=int(block) if block else -1, by=get_account()
        )
        anchor = made.id
        tell_withdrawn(issue, state)
    return redirect(url_for("desk.issue_import", issue_id=issue.id, _anchor=f"article-{anchor}"))


@blueprint.post("/issues/<int:issue_id>/mend/undo")
@only(may_edit)
def issue_mend_undo(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    issue = get_issue(session, issue_id)
    state = issue.state
    with commit_or_tell(gettext("Taken back: everything is as it was before.")):
        undo(session, issue, by=get_account())
        tell_withdrawn(issue, state)
    return redirect(url_for("desk.issue_import", issue_id=issue_id, _anchor="result"))


def _shown() -> dict[int, int]:
    pairs = (value.partition(".") for value in request.form.getlist("shown"))
    return {int(key): int(revision) for key, _, revision in pairs if key.isdecimal() and revision.isdecimal()}
