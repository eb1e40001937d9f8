"""Segments, and the mailings they narrow."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0081"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("tree", postgresql.JSONB(), nullable=False),
        sa.Column("archived_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("name", name=op.f("uq_segments_name")),
    )
    op.create_table(
        "mailing_segments",
        sa.Column("mailing_id", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("is_exclusion", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailings.id"], ondelete="CASCADE", name=op.f("fk_mailing_segments_mailing_id_mailings")
        ),
        sa.ForeignKeyConstraint(["segment_id"], ["segments.id"], name=op.f("fk_mailing_segments_segment_id_segments")),
        sa.PrimaryKeyConstraint("mailing_id", "segment_id", name=op.f("pk_mailing_segments")),
    )


def downgrade() -> None:
    op.drop_table("mailing_segments")
    op.drop_table("segments")
