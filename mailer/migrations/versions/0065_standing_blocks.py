"""Blocks that a newsletter uses again and again."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standing_blocks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("newsletter_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletters.id"], name=op.f("fk_standing_blocks_newsletter_id_newsletters")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_blocks")),
    )
    op.create_index(op.f("ix_standing_blocks_newsletter_id"), "standing_blocks", ["newsletter_id"], unique=False)


def downgrade() -> None:
    op.drop_table("standing_blocks")
