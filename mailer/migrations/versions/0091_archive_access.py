"""Who may read a newsletter's archive: everybody, as before, its subscribers, or those who are signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "newsletters",
        sa.Column("archive_access", sa.String(16), server_default=sa.text("'public'"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_newsletters_archive_access"), "newsletters", "archive_access IN ('public', 'subscribers', 'accounts')"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_newsletters_archive_access"), "newsletters", type_="check")
    op.drop_column("newsletters", "archive_access")
