"""Several relays with weights and health, suspensions per relay, provider limits set by an admin, sending windows.

The relay that sent everything so far stays the only one with a share; the others stay in reserve.
"""

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = "0064"
branch_labels = None
depends_on = None

NUMBERS = (
    "connections",
    "messages_per_connection",
    "per_minute",
    "per_hour",
    "per_day",
    "suspend_after",
    "suspend_minutes",
)


def upgrade() -> None:
    _relays()
    _suspensions()
    op.create_table(
        "provider_overrides",
        sa.Column("name", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in NUMBERS),
        sa.Column("domains", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_provider_overrides")),
    )
    op.create_table(
        "sending_windows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("newsletter_id", sa.BigInteger(), nullable=True),
        sa.Column("mailing_id", sa.BigInteger(), nullable=True),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.CheckConstraint("num_nonnulls(newsletter_id, mailing_id) = 1", name=op.f("ck_sending_windows_one_owner")),
        sa.CheckConstraint("days BETWEEN 1 AND 127", name=op.f("ck_sending_windows_days")),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletters.id"],
            name=op.f("fk_sending_windows_newsletter_id_newsletters"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailings.id"], name=op.f("fk_sending_windows_mailing_id_mailings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sending_windows")),
        sa.UniqueConstraint("newsletter_id", name=op.f("uq_sending_windows_newsletter_id")),
        sa.UniqueConstraint("mailing_id", name=op.f("uq_sending_windows_mailing_id")),
    )


def _relays() -> None:
    op.add_column("relays", sa.Column("weight", sa.SmallInteger(), server_default=sa.text("1"), nullable=False))
    op.alter_column("relays", "weight", server_default=None)
    op.execute("UPDATE relays SET weight = 0 WHERE id <> (SELECT min(id) FROM relays WHERE is_enabled)")
    op.create_check_constraint(op.f("ck_relays_weight"), "relays", "weight BETWEEN 0 AND 100")
    op.add_column("relays", sa.Column("probed_at", sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("relays", sa.Column("is_reachable", sa.Boolean(), nullable=True))
    op.add_column("relays", sa.Column("probe_error", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.alter_column("relays", "probe_error", server_default=None)
    op.create_table(
        "newsletter_relays",
        sa.Column("newsletter_id", sa.BigInteger(), nullable=False),
        sa.Column("relay_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletters.id"],
            name=op.f("fk_newsletter_relays_newsletter_id_newsletters"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["relay_id"], ["relays.id"], name=op.f("fk_newsletter_relays_relay_id_relays"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("newsletter_id", "relay_id", name=op.f("pk_newsletter_relays")),
    )


def _suspensions() -> None:
    """Outages of before told of no relay by its name: they last a minute at most, and may as well be over."""
    op.execute("DELETE FROM suspensions WHERE provider = '*'")
    for column, name in (
        (sa.Column("relay", sa.String(64), server_default=sa.text("''"), nullable=False), "relay"),
        (sa.Column("kind", sa.String(16), server_default=sa.text("'suspended'"), nullable=False), "kind"),
        (sa.Column("share", sa.Float(), server_default=sa.text("1"), nullable=False), "share"),
    ):
        op.add_column("suspensions", column)
        op.alter_column("suspensions", name, server_default=None)
    op.add_column("suspensions", sa.Column("connections", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_suspensions_kind"), "suspensions", "kind IN ('suspended', 'slowed')")


def downgrade() -> None:
    op.drop_table("sending_windows")
    op.drop_table("provider_overrides")
    op.drop_constraint(op.f("ck_suspensions_kind"), "suspensions", type_="check")
    for name in ("relay", "kind", "share", "connections"):
        op.drop_column("suspensions", name)
    op.drop_table("newsletter_relays")
    op.drop_constraint(op.f("ck_relays_weight"), "relays", type_="check")
    for name in ("weight", "probed_at", "is_reachable", "probe_error"):
        op.drop_column("relays", name)
