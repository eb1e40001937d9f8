"""The archive shows the edition that was released, not simply the newest; an issue can be retracted, and says so."""

import sqlalchemy as sa
from alembic import op

revision = "0150"
down_revision = "0140"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issues", sa.Column("shown_edition_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_issues_shown_edition_id_editions"), "issues", "editions", ["shown_edition_id"], ["id"]
    )
    op.add_column("issues", sa.Column("retracted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("issues", sa.Column("retraction", sa.Text(), server_default="", nullable=False))
    # What the archive has shown until now.
    op.execute(
        """
        UPDATE issues SET shown_edition_id = newest.id
        FROM (SELECT DISTINCT ON (issue_id) issue_id, id FROM editions ORDER BY issue_id, ordinal DESC) newest
        WHERE newest.issue_id = issues.id AND issues.first_sent_at IS NOT NULL
        """
    )
    op.create_table(
        "archive_acts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("edition_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("act IN ('sent', 'released', 'retracted', 'reinstated')", name=op.f("ck_archive_acts_act")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_archive_acts_account_id_accounts")),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name=op.f("fk_archive_acts_edition_id_editions")),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_archive_acts_issue_id_issues")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_acts")),
    )
    op.create_index(op.f("ix_archive_acts_issue_id"), "archive_acts", ["issue_id"])


def downgrade() -> None:
    op.drop_table("archive_acts")
    op.drop_column("issues", "retraction")
    op.drop_column("issues", "retracted_at")
    op.drop_column("issues", "shown_edition_id")
