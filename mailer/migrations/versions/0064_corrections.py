"""A corrected issue says what was wrong, and goes to those who had the wrong one."""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issues", sa.Column("correction", sa.Text(), server_default="", nullable=False))
    op.add_column("mailings", sa.Column("is_correction", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    op.drop_column("mailings", "is_correction")
    op.drop_column("issues", "correction")
