"""Imports are looked at and checked before they are carried out; files lie in pieces, refusals in a table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0080"
down_revision = "0091"
branch_labels = None
depends_on = None

_STATES = "'uploaded', 'checking', 'checked', 'queued', 'running', 'finished', 'failed', 'cancelled'"


def upgrade() -> None:
    op.create_table(
        "import_chunks",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_runs.id"], ondelete="CASCADE", name=op.f("fk_import_chunks_run_id_import_runs")
        ),
        sa.PrimaryKeyConstraint("run_id", "ordinal", name=op.f("pk_import_chunks")),
    )
    op.create_table(
        "import_refusals",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_runs.id"], ondelete="CASCADE", name=op.f("fk_import_refusals_run_id_import_runs")
        ),
        sa.PrimaryKeyConstraint("run_id", "line", name=op.f("pk_import_refusals")),
    )
    op.create_index(op.f("ix_import_refusals_email_key"), "import_refusals", ["email_key"])
    op.execute(
        """
        INSERT INTO import_refusals (run_id, line, value, email_key, reason)
        SELECT import_runs.id, (refusal ->> 'line')::integer, left(refusal ->> 'value', 320),
            left(lower(btrim(refusal ->> 'value')), 320), refusal ->> 'reason'
        FROM import_runs, jsonb_array_elements(refusals) AS refusal
        ON CONFLICT DO NOTHING
        """
    )
    # What was waiting cannot be read by the new code: its admin uploads it again.
    op.execute(
        "UPDATE import_runs SET state = 'failed', finished_at = now(), "
        "error = 'The file could not be imported. Nothing was changed.' WHERE state IN ('queued', 'running')"
    )
    op.drop_column("import_runs", "content")
    op.drop_column("import_runs", "refusals")
    empty = sa.text("'{}'")
    op.add_column("import_runs", sa.Column("size", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("import_runs", sa.Column("wording", sa.Text(), server_default="", nullable=False))
    op.add_column("import_runs", sa.Column("shape", postgresql.JSONB(), server_default=empty, nullable=False))
    op.add_column("import_runs", sa.Column("layout", postgresql.JSONB(), server_default=empty, nullable=False))
    op.add_column("import_runs", sa.Column("rows_read", sa.Integer(), server_default="0", nullable=False))
    op.add_column("import_runs", sa.Column("progress", sa.Float(), server_default="0", nullable=False))
    op.add_column("import_runs", sa.Column("progressed_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("import_runs", sa.Column("cancel_asked_at", sa.TIMESTAMP(timezone=True), nullable=True))
    for column in ("size", "wording", "shape", "layout", "rows_read", "progress"):
        op.alter_column("import_runs", column, server_default=None)
    op.drop_constraint(op.f("ck_import_runs_state"), "import_runs", type_="check")
    op.create_check_constraint(op.f("ck_import_runs_state"), "import_runs", f"state IN ({_STATES})")


def downgrade() -> None:
    op.execute("DELETE FROM import_runs WHERE state NOT IN ('finished', 'failed')")
    op.drop_constraint(op.f("ck_import_runs_state"), "import_runs", type_="check")
    op.create_check_constraint(
        op.f("ck_import_runs_state"), "import_runs", "state IN ('queued', 'running', 'finished', 'failed')"
    )
    for column in (
        "cancel_asked_at", "progressed_at", "progress", "rows_read", "layout", "shape", "wording", "size",
    ):  # fmt: skip
        op.drop_column("import_runs", column)
    op.add_column(
        "import_runs", sa.Column("refusals", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.add_column("import_runs", sa.Column("content", sa.LargeBinary(), nullable=True))
    op.drop_table("import_refusals")
    op.drop_table("import_chunks")
