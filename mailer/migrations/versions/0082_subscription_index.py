"""Pages and counts of lists at a million subscribers: one index of list, state and reader, one of who left or waits."""

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0100"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_subscriptions_list_id_state_subscriber_id"), "subscriptions", ["list_id", "state", "subscriber_id"]
    )
    op.create_index(
        "ix_subscriptions_not_confirmed",
        "subscriptions",
        ["state", "subscriber_id"],
        postgresql_where=sa.text("state <> 'confirmed'"),
    )
    op.drop_index(op.f("ix_subscriptions_list_id_subscriber_id"), "subscriptions")


def downgrade() -> None:
    op.create_index(
        op.f("ix_subscriptions_list_id_subscriber_id"),
        "subscriptions",
        ["list_id", "subscriber_id"],
        postgresql_where=sa.text("state = 'confirmed'"),
    )
    op.drop_index("ix_subscriptions_not_confirmed", "subscriptions")
    op.drop_index(op.f("ix_subscriptions_list_id_state_subscriber_id"), "subscriptions")
