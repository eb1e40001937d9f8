"""Directories that lists follow, and readers whom a directory took off a list."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0130"
down_revision = "0120"
branch_labels = None
depends_on = None

_STATES = "state IN ('unconfirmed', 'confirmed', 'unsubscribed'{})"
_ACTS = "act IN ('asked', 'confirmed', 'withdrawn', 'imported'{})"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=nullable)


def _created() -> sa.Column[object]:
    return sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False)


def _foreign(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"), ondelete=ondelete
    )


def _check(table: str, name: str, condition: str, *, is_new: bool = True) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    # What was written meanwhile stays as it is.
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}){'' if is_new else ' NOT VALID'}"
    )


def upgrade() -> None:
    _check("subscriptions", "state", _STATES.format(", 'removed'"))
    _check("consents", "act", _ACTS.format(", 'removed'"))
    op.create_table(
        "directories",
        _id(),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("location", sa.String(1000), nullable=False),
        sa.Column("options", postgresql.JSONB(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        _moment("next_run_at"),
        sa.Column("limit_percent", sa.Integer(), nullable=False),
        sa.Column("limit_count", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("tried_revision", sa.Integer(), nullable=False),
        _created(),
        sa.CheckConstraint("kind IN ('file', 'https', 'ldap')", name=op.f("ck_directories_kind")),
        sa.CheckConstraint("state IN ('draft', 'on', 'paused')", name=op.f("ck_directories_state")),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name=op.f("ck_directories_hour")),
        sa.CheckConstraint("limit_percent BETWEEN 0 AND 100 AND limit_count >= 0", name=op.f("ck_directories_limit")),
        _foreign("directories", "list_id", "lists"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directories")),
        sa.UniqueConstraint("name", name=op.f("uq_directories_name")),
    )
    op.create_table(
        "directory_members",
        sa.Column("directory_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False),
        _moment("joined_at", nullable=False),
        _moment("removed_at"),
        _foreign("directory_members", "directory_id", "directories", "CASCADE"),
        _foreign("directory_members", "subscriber_id", "subscribers", "CASCADE"),
        sa.PrimaryKeyConstraint("directory_id", "subscriber_id", name=op.f("pk_directory_members")),
    )
    op.create_index(op.f("ix_directory_members_subscriber_id"), "directory_members", ["subscriber_id"])
    op.create_index(
        op.f("ix_directory_members_directory_id_email_key"), "directory_members", ["directory_id", "email_key"]
    )
    op.create_table(
        "directory_runs",
        _id(),
        sa.Column("directory_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("is_dry", sa.Boolean(), nullable=False),
        sa.Column("approved_run_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("claim", sa.Uuid(), nullable=True),
        _moment("lease_until"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("error_params", postgresql.JSONB(), nullable=False),
        _moment("finished_at"),
        _created(),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'finished', 'failed', 'stopped')", name=op.f("ck_directory_runs_state")
        ),
        _foreign("directory_runs", "directory_id", "directories", "CASCADE"),
        _foreign("directory_runs", "account_id", "accounts"),
        _foreign("directory_runs", "approved_run_id", "directory_runs", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_runs")),
    )
    op.create_index(op.f("ix_directory_runs_directory_id"), "directory_runs", ["directory_id"])
    op.create_index(
        "uq_directory_runs_open",
        "directory_runs",
        ["directory_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "directory_findings",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("value", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('new', 'changed', 'removed', 'duplicate', 'invalid', 'suppressed', 'left')",
            name=op.f("ck_directory_findings_kind"),
        ),
        _foreign("directory_findings", "run_id", "directory_runs", "CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "ordinal", name=op.f("pk_directory_findings")),
    )
    op.create_index(op.f("ix_directory_findings_email_key"), "directory_findings", ["email_key"])


def downgrade() -> None:
    for table in ("directory_findings", "directory_runs", "directory_members", "directories"):
        op.drop_table(table)
    op.execute("UPDATE subscriptions SET state = 'unsubscribed', unsubscribed_at = now() WHERE state = 'removed'")
    _check("consents", "act", _ACTS.format(""), is_new=False)
    _check("subscriptions", "state", _STATES.format(""))
