"""A newsletter's own way to approval: up to three steps, deputies, how long an approval lasts, who may send; what
colleagues say about an article.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0061"
down_revision = "0070"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ACTS = "act IN ('submitted', 'returned', 'passed', 'approved', 'withdrawn', 'expired')"
FORMER_ACTS = "act IN ('submitted', 'returned', 'approved', 'withdrawn')"


def upgrade() -> None:
    op.create_table(
        "house_rules",
        sa.Column("newsletter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("steps", postgresql.JSONB(), nullable=False),
        sa.Column("approval_days", sa.Integer(), nullable=True),
        sa.Column("sender_ids", postgresql.JSONB(), nullable=False),
        sa.Column("sensitive_words", sa.Text(), nullable=False),
        sa.Column("proofreaders", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletters.id"], name=op.f("fk_house_rules_newsletter_id_newsletters")
        ),
        sa.PrimaryKeyConstraint("newsletter_id", name=op.f("pk_house_rules")),
    )
    op.create_table(
        "deputies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("deputy_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("account_id <> deputy_id", name=op.f("ck_deputies_somebody_else")),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_deputies_order")),
        *(
            sa.ForeignKeyConstraint([name], ["accounts.id"], name=op.f(f"fk_deputies_{name}_accounts"))
            for name in ("account_id", "deputy_id", "created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputies")),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=True),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("resolved_at", MOMENT, nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["issues.id"], name=op.f("fk_comments_issue_id_issues"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["comments.id"], name=op.f("fk_comments_thread_id_comments"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_comments_account_id_accounts")),
        sa.ForeignKeyConstraint(["resolved_by"], ["accounts.id"], name=op.f("fk_comments_resolved_by_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index(op.f("ix_comments_issue_id"), "comments", ["issue_id"], unique=False)
    op.add_column("issues", sa.Column("signed_steps", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.alter_column("issues", "signed_steps", server_default=None)
    op.add_column("reviews", sa.Column("step", sa.String(length=40), server_default=sa.text("''"), nullable=False))
    op.alter_column("reviews", "step", server_default=None)
    op.add_column("reviews", sa.Column("on_behalf_of", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_reviews_on_behalf_of_accounts"), "reviews", "accounts", ["on_behalf_of"], ["id"])
    op.drop_constraint(op.f("ck_reviews_act"), "reviews", type_="check")
    op.create_check_constraint(op.f("ck_reviews_act"), "reviews", ACTS)


def downgrade() -> None:
    op.execute("DELETE FROM reviews WHERE act IN ('passed', 'expired')")
    op.drop_constraint(op.f("ck_reviews_act"), "reviews", type_="check")
    op.create_check_constraint(op.f("ck_reviews_act"), "reviews", FORMER_ACTS)
    op.drop_constraint(op.f("fk_reviews_on_behalf_of_accounts"), "reviews", type_="foreignkey")
    op.drop_column("reviews", "on_behalf_of")
    op.drop_column("reviews", "step")
    op.drop_column("issues", "signed_steps")
    op.drop_table("comments")
    op.drop_table("deputies")
    op.drop_table("house_rules")
