"""The ledger counts relays' and providers' faults apart from the recipient's budget, and a claim walks one provider.

Existing deliveries keep their due times; the index is made anew, which on a large ledger takes about a second for each
million queued rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mailings", sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True))
    _add_with_default("mailings", sa.Column("pause_reply", sa.Text(), nullable=False, server_default=""))
    _add_with_default("deliveries", sa.Column("faults", sa.SmallInteger(), nullable=False, server_default="0"))
    _add_with_default("attempts", sa.Column("provider", sa.String(length=64), nullable=False, server_default=""))
    op.create_index(
        "ix_attempts_refused",
        "attempts",
        ["provider", "reply_class", "at"],
        postgresql_where=sa.text("outcome <> 'accepted'"),
    )
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["mailing_id", "provider", "next_attempt_at", "id"],
        postgresql_where=sa.text("state = 'queued'"),
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["mailing_id", "next_attempt_at", "id"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_index("ix_attempts_refused", "attempts")
    op.drop_column("attempts", "provider")
    op.drop_column("deliveries", "faults")
    op.drop_column("mailings", "pause_reply")
    op.drop_column("mailings", "launched_at")


def _add_with_default(table: str, column: sa.Column[object]) -> None:
    """Existing rows get the default; new ones are given their value by the models."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)
