"""Domains of readers, and whether the DNS says that they take mail."""

import sqlalchemy as sa
from alembic import op

revision = "0160"
down_revision = "0151"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_domains",
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=True),
        sa.Column("checked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("next_check_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("verdict IN ('accepts', 'refuses', 'unknown')", name=op.f("ck_mail_domains_verdict")),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_mail_domains")),
    )
    op.create_index(op.f("ix_mail_domains_next_check_at"), "mail_domains", ["next_check_at"])


def downgrade() -> None:
    op.drop_table("mail_domains")
