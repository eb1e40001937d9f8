"""Readers are found by any part of their address: a trigram index over the compared form.

pg_trgm comes with PostgreSQL's contrib modules and is a trusted extension: the database's owner may create it.
"""

from alembic import op

revision = "0040"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_index(
        "ix_subscribers_email_key_trgm",
        "subscribers",
        ["email_key"],
        postgresql_using="gin",
        postgresql_ops={"email_key": "gin_trgm_ops"},
    )


def downgrade() -> None:
    op.drop_index("ix_subscribers_email_key_trgm", "subscribers")
    op.execute("DROP EXTENSION IF EXISTS pg_trgm")
