"""Changes of readers, answers that wait for a confirmation, who decided and when, exclusions by reason."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0110"
down_revision = "0065"
branch_labels = None
depends_on = None

_EVIDENCE = "at, subscriber_id, list_id, act, wording, basis, wording_id, letter_message_id, letter_at"
_DECISION = ("decided_by", "decided_on", "account_id", "import_id")


def _guard_consents(columns: str) -> None:
    """A consent may lose the address it came from when its retention ends, and nothing else."""
    op.execute("DROP TRIGGER append_only ON consents")
    op.execute(
        f"""
        CREATE TRIGGER append_only BEFORE UPDATE OF {columns} OR DELETE
        ON consents FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )


def _decision(table: str) -> None:
    op.add_column(table, sa.Column("decided_by", sa.String(200), server_default="", nullable=False))
    op.add_column(table, sa.Column("decided_on", sa.Date(), nullable=True))


def upgrade() -> None:
    _decision("import_runs")
    _decision("consents")
    for column in ("account_id", "import_id"):
        op.add_column("consents", sa.Column(column, sa.BigInteger(), nullable=True))
    _guard_consents(", ".join([_EVIDENCE, *_DECISION]))
    op.add_column(
        "subscriptions", sa.Column("answers", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    op.create_table(
        "subscriber_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("old", postgresql.JSONB(), nullable=False),
        sa.Column("new", postgresql.JSONB(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "how IN ('preferences', 'sign_up', 'confirmed', 'import', 'merged')", name=op.f("ck_subscriber_changes_how")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], ondelete="CASCADE",
            name=op.f("fk_subscriber_changes_subscriber_id_subscribers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber_changes")),
    )  # fmt: skip
    op.create_index(op.f("ix_subscriber_changes_subscriber_id"), "subscriber_changes", ["subscriber_id"])
    op.create_index(
        op.f("ix_exclusions_mailing_id_reason_subscriber_id"), "exclusions", ["mailing_id", "reason", "subscriber_id"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_exclusions_mailing_id_reason_subscriber_id"), "exclusions")
    op.drop_table("subscriber_changes")
    op.drop_column("subscriptions", "answers")
    _guard_consents(_EVIDENCE)
    for column in reversed(_DECISION):
        op.drop_column("consents", column)
    op.drop_column("import_runs", "decided_on")
    op.drop_column("import_runs", "decided_by")
