"""What became of every line of an imported document, and what was mended of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0120"
down_revision = "0110"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_reports",
        sa.Column("issue_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in ("lines", "entries", "files", "acts")),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], ondelete="CASCADE", name=op.f("fk_import_reports_issue_id_issues")
        ),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_import_reports")),
    )


def downgrade() -> None:
    op.drop_table("import_reports")
