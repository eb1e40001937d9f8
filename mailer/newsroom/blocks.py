"""What a newsletter says again and again (a notice, 编者按), and the columns (栏目) its articles stand in: kept once,
put into an issue as a copy.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsroom.fields import ARTICLE_LINES, clean_article, clean_line
from mailer.newsroom.models import Article, Issue, StandingBlock
from mailer.press.sanitising import sanitise_body

# Of one newsletter; a menu that is longer helps nobody.
MOST = 50
COLUMNS_SHOWN = 30


def get_block(session: Session, block_id: int) -> StandingBlock:
    """Raises `NotFoundError`."""
    block = session.get(StandingBlock, block_id)
    if block is None:
        raise NotFoundError(N_("There is no such block."))
    return block


def list_blocks(session: Session, newsletter_id: int) -> list[StandingBlock]:
    """A newsletter's blocks by name."""
    query = select(StandingBlock).where(StandingBlock.newsletter_id == newsletter_id)
    return list(session.scalars(query.order_by(StandingBlock.name, StandingBlock.id)))


def add_block(session: Session, newsletter_id: int, *, name: str, body: str, by: Account | None) -> StandingBlock:
    """A new block. Raises `RuleError` without a name or words, and where there are too many."""
    if len(list_blocks(session, newsletter_id)) >= MOST:
        raise RuleError(N_("There are %(most)s blocks already; remove one first."), most=str(MOST))
    block = StandingBlock(newsletter_id=newsletter_id, **_clean(name, body))
    session.add(block)
    session.flush()
    _record(session, block, "added", by)
    return block


def change_block(session: Session, block: StandingBlock, *, name: str, body: str, by: Account | None) -> None:
    """Changes a block; where it was put in already, it stays as it was."""
    values = _clean(name, body)
    if any(getattr(block, key) != value for key, value in values.items()):
        block.name, block.body = values["name"], values["body"]
        _record(session, block, "changed", by)


def remove_block(session: Session, block: StandingBlock, *, by: Account | None) -> None:
    """It is offered no more."""
    _record(session, block, "removed", by)
    session.delete(block)
    session.flush()


def list_columns(session: Session, newsletter_id: int) -> list[str]:
    """The columns that the newsletter's articles have stood in, the last used first."""
    last = func.max(Article.id)
    return list(
        session.scalars(
            select(Article.section)
            .join(Issue, Issue.id == Article.issue_id)
            .where(Issue.newsletter_id == newsletter_id, Article.section != "")
            .group_by(Article.section)
            .order_by(last.desc())
            .limit(COLUMNS_SHOWN)
        )
    )


def _clean(name: str, body: str) -> dict[str, str]:
    line = clean_line(name, ARTICLE_LINES["section"])
    html = sanitise_body(clean_article({"body": body})["body"])
    if not line or not html:
        raise RuleError(N_("A block needs a name and words."))
    return {"name": line, "body": html}


def _record(session: Session, block: StandingBlock, act: str, by: Account | None) -> None:
    accounts.record(
        session,
        by=by,
        action=f"block.{act}",
        subject_type="newsletter",
        subject_id=block.newsletter_id,
        name=block.name,
    )
