"""How many a mailing left out for which reason stands with the mailing; those of before are counted here."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0170"
down_revision = "0160"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mailings", sa.Column("exclusion_counts", postgresql.JSONB(), nullable=True))
    op.execute(
        """
        UPDATE mailings SET exclusion_counts = coalesce(
            (SELECT jsonb_object_agg(reason, people) FROM (
                SELECT reason, count(*) AS people FROM exclusions
                WHERE exclusions.mailing_id = mailings.id GROUP BY reason
            ) AS counted), '{}')
        WHERE prepared_at IS NOT NULL
        """
    )


def downgrade() -> None:
    op.drop_column("mailings", "exclusion_counts")
