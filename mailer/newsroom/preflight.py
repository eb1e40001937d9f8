"""What an editor, an approver and a sender should see of an issue before they act: what the press finds, and what only
the database knows. Nothing here stops anybody, except what stops the compiling.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.errors import CompositionError
from mailer.i18n import N_
from mailer.newsroom.chain import SigningStep, has_eyes_for
from mailer.newsroom.commenting import count_open
from mailer.newsroom.compiling import compile_issue, get_content, get_newsletter
from mailer.newsroom.editing import numbering_remarks
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.house import get_chain, get_house_rules, list_words
from mailer.newsroom.link_checking import is_bad, list_standings
from mailer.newsroom.models import Issue
from mailer.newsroom.personal import count_lacking
from mailer.newsroom.rules import IssueState
from mailer.newsroom.signatories import list_able
from mailer.press.checks import Surroundings, check_edition
from mailer.press.compiling import Compiled
from mailer.press.content import Content
from mailer.press.proofreading import ARTICLE, MASTHEAD, Finding, Severity, check_content
from mailer.press.slots import ADDRESS, find_own_slots

LINKS, COMMENTS, IMPORT, APPROVAL = N_("Links"), N_("Comments"), N_("Import"), N_("Approval")
NOBODY = N_("Nobody can approve it: no account with that role can sign in. An admin makes or enables one.")
NOBODY_LEFT = N_(
    "Nobody can give the signature “%(step)s”: none of those who may can sign in. An admin names others in the "
    "newsletter's settings, or enables an account."
)
IF_YOU_SUBMIT = N_(
    "If you submit it, nobody is left who may sign it: this newsletter wants another pair of eyes for the submission "
    "and for each signature. Let a colleague submit it, or an admin name more people."
)
TOO_FEW = N_(
    "Each signature wants another pair of eyes, and fewer people may sign than there are signatures. An admin names "
    "more, or the newsletter does without four eyes."
)
# How many former subjects a new one is held against.
FORMER = 60


@dataclass(frozen=True, slots=True)
class Preflight:
    """`findings`, the gravest first. `articles` says where those about an article lead: title -> its id; `compiled` is
    `None` where an error stops it.
    """

    content: Content
    compiled: Compiled | None
    findings: tuple[Finding, ...]
    articles: dict[str, int]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What stops the issue from being submitted."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    def count(self, severity: Severity) -> int:
        """How many findings are so grave."""
        return sum(finding.severity is severity for finding in self.findings)

    def article_of(self, finding: Finding) -> int | None:
        """The article a finding is about: the one it names, else the first that holds the link it is about."""
        title, address = finding.params.get("title"), finding.params.get("address")
        if title is None and finding.place == LINKS and address:
            title = next((one.title for one in self.content.articles if f'"{address}"' in unescape(one.body)), None)
        return self.articles.get(str(title))


def inspect(session: Session, issue: Issue, *, by: Account | None = None) -> Preflight:
    """Looks the issue over as it stands now, for `by`, who would submit it."""
    content = get_content(session, issue)
    articles = {article.title: article.id for article in issue.articles}
    try:
        compiled = compile_issue(session, issue)
    except CompositionError:
        findings = [*check_content(content), *_desk_findings(session, issue, by)]
        return Preflight(content, None, _sorted(findings), articles)
    keys = {own.key for part in (compiled.text, compiled.html) for own in find_own_slots(part)} - {ADDRESS}
    readers, lacking = count_lacking(session, issue.newsletter_id, keys) if keys else (0, {})
    around = Surroundings(
        sensitive_words=list_words(get_house_rules(session, issue.newsletter_id)),
        earlier_subjects=_former_subjects(session, issue),
        readers=readers,
        lacking=lacking,
    )
    findings = [
        *check_edition(content, compiled, around),
        *_desk_findings(session, issue, by),
        *_link_findings(session, compiled),
    ]
    return Preflight(content, compiled, _sorted(findings), articles)


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def _former_subjects(session: Session, issue: Issue) -> list[str]:
    """Subjects that readers of the newsletter have had, of other issues."""
    return list(
        session.scalars(
            select(Edition.subject)
            .join(Issue, Issue.id == Edition.issue_id)
            .where(Issue.newsletter_id == issue.newsletter_id, Issue.id != issue.id)
            .order_by(Edition.id.desc())
            .limit(FORMER)
        )
    )


def _desk_findings(session: Session, issue: Issue, by: Account | None) -> Iterator[Finding]:
    for remark in numbering_remarks(session, issue):
        yield Finding(Severity.WARNING, MASTHEAD, remark.message, remark.params)
    if issue.warnings:
        message = N_("What the import was not sure of has not all been checked yet: %(count)s.")
        yield Finding(Severity.WARNING, IMPORT, message, {"count": len(issue.warnings)})
    if issue.state != IssueState.APPROVED:
        yield from _signing_findings(session, issue, by)
    titles = {article.id: article.title for article in issue.articles}
    for article_id, count in count_open(session, issue.id).items():
        message = N_("Comments still open: %(count)s. Settle them, or say why not.")
        params = {"count": count, "title": titles.get(article_id or 0, "")}
        yield Finding(Severity.WARNING, ARTICLE if params["title"] else COMMENTS, message, params)


def _signing_findings(session: Session, issue: Issue, by: Account | None) -> Iterator[Finding]:
    """Signatures that nobody can give; of a draft also what four eyes will make of them, before it is submitted."""
    chain = get_chain(session, issue.newsletter_id)
    able = _able(session, chain)
    for step, accounts in zip(chain, able, strict=True):
        if not accounts:
            yield Finding(Severity.WARNING, APPROVAL, NOBODY_LEFT if step.name else NOBODY, {"step": step.name})
    if not all(able) or issue.state != IssueState.DRAFT or not get_newsletter(session, issue).is_four_eyes:
        return
    if not has_eyes_for(able):
        yield Finding(Severity.WARNING, APPROVAL, TOO_FEW)
    elif by is not None and Role.EDITOR in by.roles and not has_eyes_for(_able(session, chain, but=(by.id,))):
        yield Finding(Severity.WARNING, APPROVAL, IF_YOU_SUBMIT)


def _able(session: Session, chain: Iterable[SigningStep], but: Collection[int] = ()) -> list[set[int]]:
    return [{account.id for account in list_able(session, step, but=but)} for step in chain]


def _link_findings(session: Session, compiled: Compiled) -> Iterator[Finding]:
    standings = list_standings(session, (link.url for link in compiled.links))
    labels = {link.url: link.label for link in compiled.links}
    for standing in standings:
        check = standing.check
        if check is None or not is_bad(check):
            continue
        params = {
            "address": standing.url,
            "label": labels.get(standing.url, ""),
            "status": check.status or "",
            "host": urlsplit(standing.url).hostname or "",
        }
        if check.verdict == "forbidden":
            message = N_("%(address)s leads into a network that readers cannot reach. Take the link out.")
        elif check.status is None:
            message = N_("%(host)s does not answer: the link to %(address)s leads nowhere. Correct it or take it out.")
        else:
            message = N_("%(address)s answers with %(status)s: there is no such page. Correct the link or take it out.")
        yield Finding(Severity.WARNING, LINKS, message, params)
    unasked = sum(standing.check is None for standing in standings)
    if unasked:
        message = N_(
            "Links that have not been followed yet: %(count)s. That happens when the issue is submitted, or now."
        )
        yield Finding(Severity.HINT, LINKS, message, {"count": unasked})
