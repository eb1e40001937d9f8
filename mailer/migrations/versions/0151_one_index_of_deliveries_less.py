"""What a reader got, and that nobody gets a mailing twice, is one index: each is written three times a message."""

from alembic import op

revision = "0151"
down_revision = "0150"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_unique_constraint(
        op.f("uq_deliveries_subscriber_id_mailing_id"), "deliveries", ["subscriber_id", "mailing_id"]
    )
    op.drop_constraint(op.f("uq_deliveries_mailing_id_subscriber_id"), "deliveries", type_="unique")
    op.drop_index(op.f("ix_deliveries_subscriber_id"), table_name="deliveries")


def downgrade() -> None:
    op.create_index(op.f("ix_deliveries_subscriber_id"), "deliveries", ["subscriber_id"], unique=False)
    op.create_unique_constraint(
        op.f("uq_deliveries_mailing_id_subscriber_id"), "deliveries", ["mailing_id", "subscriber_id"]
    )
    op.drop_constraint(op.f("uq_deliveries_subscriber_id_mailing_id"), "deliveries", type_="unique")
