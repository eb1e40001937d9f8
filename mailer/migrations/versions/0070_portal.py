"""The portal: pauses, changes of address, wordings of consent, reasons for leaving, sign-up limits, lists' wishes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0070"
down_revision = "0060"
branch_labels = None
depends_on = None

_EVIDENCE = "at, subscriber_id, list_id, act, wording, basis"


def _guard_consents(columns: str) -> None:
    """A consent may lose the address it came from when its retention ends, and nothing else."""
    op.execute(
        f"""
        CREATE TRIGGER append_only BEFORE UPDATE OF {columns} OR DELETE
        ON consents FOR EACH ROW EXECUTE FUNCTION refuse_change()
        """
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _created_at() -> sa.Column[object]:
    return sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    _people()
    _consents()
    _lists()
    _reasons()
    _limits()


def _people() -> None:
    op.add_column("subscribers", sa.Column("paused_until", sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("subscribers", sa.Column("merged_into_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_subscribers_merged_into_id_subscribers"), "subscribers", "subscribers", ["merged_into_id"], ["id"],
        ondelete="CASCADE",
    )  # fmt: skip
    op.create_index(
        op.f("ix_subscribers_merged_into_id"), "subscribers", ["merged_into_id"],
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )  # fmt: skip
    op.create_table(
        "address_changes",
        _id(),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("old_key", sa.String(320), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False),
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("old_confirmed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("new_confirmed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("done_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.TIMESTAMP(timezone=True), nullable=True),
        _created_at(),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], ondelete="CASCADE",
            name=op.f("fk_address_changes_subscriber_id_subscribers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_changes")),
    )  # fmt: skip
    op.create_index(op.f("ix_address_changes_subscriber_id"), "address_changes", ["subscriber_id"])


def _consents() -> None:
    op.create_table(
        "wordings",
        _id(),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wordings")),
        sa.UniqueConstraint("kind", "version", name=op.f("uq_wordings_kind_version")),
    )
    op.add_column("consents", sa.Column("wording_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_consents_wording_id_wordings"), "consents", "wordings", ["wording_id"], ["id"])
    op.add_column("consents", sa.Column("letter_message_id", sa.String(255), server_default="", nullable=False))
    op.add_column("consents", sa.Column("letter_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.execute("DROP TRIGGER append_only ON consents")
    _guard_consents(f"{_EVIDENCE}, wording_id, letter_message_id, letter_at")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON wordings FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _lists() -> None:
    op.add_column("lists", sa.Column("has_welcome", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "lists", sa.Column("required_attributes", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.add_column("lists", sa.Column("owner", sa.String(320), server_default="", nullable=False))
    op.drop_constraint(op.f("ck_lists_visibility"), "lists", type_="check")
    op.create_check_constraint(
        op.f("ck_lists_visibility"), "lists", "visibility IN ('public', 'private', 'invitation')"
    )
    op.add_column("newsletters", sa.Column("frequency", sa.String(120), server_default="", nullable=False))
    op.add_column(
        "newsletters", sa.Column("allowed_origins", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )


def _reasons() -> None:
    op.create_table(
        "leave_reasons",
        _id(),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("list_ids", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        _created_at(),
        sa.CheckConstraint(
            "reason IN ('too_many', 'not_relevant', 'never_asked', 'other_address', 'other')",
            name=op.f("ck_leave_reasons_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], ondelete="CASCADE",
            name=op.f("fk_leave_reasons_subscriber_id_subscribers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leave_reasons")),
    )  # fmt: skip
    op.create_index(op.f("ix_leave_reasons_subscriber_id"), "leave_reasons", ["subscriber_id"])


def _limits() -> None:
    op.create_table(
        "admissions",
        _id(),
        sa.Column("ip", postgresql.INET(), nullable=True),
        sa.Column("network", postgresql.CIDR(), nullable=True),
        sa.Column("has_proof", sa.Boolean(), nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions")),
    )
    op.create_index(op.f("ix_admissions_created_at"), "admissions", ["created_at"])
    op.create_table(
        "spent_proofs",
        sa.Column("signature", sa.String(128), nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("signature", name=op.f("pk_spent_proofs")),
    )


def downgrade() -> None:
    op.drop_table("spent_proofs")
    op.drop_table("admissions")
    op.drop_table("leave_reasons")
    op.drop_column("newsletters", "allowed_origins")
    op.drop_column("newsletters", "frequency")
    op.drop_constraint(op.f("ck_lists_visibility"), "lists", type_="check")
    op.execute("UPDATE lists SET visibility = 'private' WHERE visibility = 'invitation'")
    op.create_check_constraint(op.f("ck_lists_visibility"), "lists", "visibility IN ('public', 'private')")
    for column in ("owner", "required_attributes", "has_welcome"):
        op.drop_column("lists", column)
    op.execute("DROP TRIGGER append_only ON consents")
    for column in ("letter_at", "letter_message_id", "wording_id"):
        op.drop_column("consents", column)
    _guard_consents(_EVIDENCE)
    op.drop_table("wordings")
    op.drop_table("address_changes")
    op.drop_column("subscribers", "merged_into_id")
    op.drop_column("subscribers", "paused_until")
