"""What an edition froze includes its masthead and its articles, and nothing of it can be changed afterwards; who
changed an issue last, and revisions of its parts, so that colleagues may work side by side.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("issues", "masthead_revision"), ("articles", "revision")):
        op.add_column(table, sa.Column(column, sa.Integer(), server_default=sa.text("1"), nullable=False))
        op.alter_column(table, column, server_default=None)
    op.add_column("issues", sa.Column("changed_by", sa.BigInteger(), nullable=True))
    op.add_column(
        "issues",
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.create_foreign_key(op.f("fk_issues_changed_by_accounts"), "issues", "accounts", ["changed_by"], ["id"])
    op.add_column(
        "editions",
        sa.Column("masthead", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
    op.alter_column("editions", "masthead", server_default=None)
    op.create_table(
        "edition_articles",
        sa.Column("edition_id", sa.BigInteger(), nullable=False),
        sa.Column("article_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("section", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name=op.f("fk_edition_articles_edition_id_editions")),
        sa.PrimaryKeyConstraint("edition_id", "article_id", name=op.f("pk_edition_articles")),
    )
    op.create_index(op.f("ix_edition_articles_article_id"), "edition_articles", ["article_id"], unique=False)
    # A link keeps saying whose reading it counts after the article has left the draft.
    op.drop_constraint(op.f("fk_edition_links_article_id_articles"), "edition_links", type_="foreignkey")
    for table in ("editions", "edition_links", "edition_articles"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    # Reviews may only go with their whole issue, when a draft that was never approved is thrown away.
    op.execute("CREATE TRIGGER append_only BEFORE UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    for table in ("reviews", "edition_articles", "edition_links", "editions"):
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("UPDATE edition_links SET article_id = NULL WHERE article_id NOT IN (SELECT id FROM articles)")
    op.create_foreign_key(
        op.f("fk_edition_links_article_id_articles"),
        "edition_links",
        "articles",
        ["article_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.drop_index(op.f("ix_edition_articles_article_id"), table_name="edition_articles")
    op.drop_table("edition_articles")
    op.drop_column("editions", "masthead")
    op.drop_constraint(op.f("fk_issues_changed_by_accounts"), "issues", type_="foreignkey")
    op.drop_column("issues", "changed_at")
    op.drop_column("issues", "changed_by")
    op.drop_column("articles", "revision")
    op.drop_column("issues", "masthead_revision")
