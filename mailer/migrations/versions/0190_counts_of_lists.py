"""How many readers a list has is kept beside the subscriptions, by triggers: no page counts a million rows.

Each statement adds its differences as rows of their own, so that nobody waits for anybody; an hourly task makes one
row of them for each list and state.
"""

import sqlalchemy as sa
from alembic import op

revision = "0190"
down_revision = "0180"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION count_subscriptions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO subscription_counts (list_id, state, readers)
        SELECT list_id, state, count(*) FROM entered GROUP BY list_id, state;
    ELSIF TG_OP = 'TRUNCATE' THEN
        DELETE FROM subscription_counts;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO subscription_counts (list_id, state, readers)
        SELECT list_id, state, -count(*) FROM gone GROUP BY list_id, state;
    ELSE
        INSERT INTO subscription_counts (list_id, state, readers)
        SELECT list_id, state, sum(difference)
        FROM (
            SELECT list_id, state, 1 AS difference FROM entered
            UNION ALL
            SELECT list_id, state, -1 FROM gone
        ) AS moved
        GROUP BY list_id, state HAVING sum(difference) <> 0;
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = {
    "INSERT": "REFERENCING NEW TABLE AS entered",
    "UPDATE": "REFERENCING OLD TABLE AS gone NEW TABLE AS entered",
    "DELETE": "REFERENCING OLD TABLE AS gone",
    "TRUNCATE": "",
}


def upgrade() -> None:
    op.create_table(
        "subscription_counts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("readers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_counts")),
    )
    # Nobody subscribes between the count and the triggers.
    op.execute("LOCK TABLE subscriptions IN SHARE ROW EXCLUSIVE MODE")
    op.execute(
        "INSERT INTO subscription_counts (list_id, state, readers) "
        "SELECT list_id, state, count(*) FROM subscriptions GROUP BY list_id, state"
    )
    op.execute(FUNCTION)
    for event, tables in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER count_{event.lower()} AFTER {event} ON subscriptions {tables} "
            "FOR EACH STATEMENT EXECUTE FUNCTION count_subscriptions()"
        )


def downgrade() -> None:
    for event in TRIGGERS:
        op.execute(f"DROP TRIGGER count_{event.lower()} ON subscriptions")
    op.execute("DROP FUNCTION count_subscriptions()")
    op.drop_table("subscription_counts")
