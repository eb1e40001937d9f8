"""The audit trail is found by who did it and by what was done."""

from alembic import op

revision = "0020"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_entries_account_id_id", "audit_entries", ["account_id", "id"])
    op.create_index("ix_audit_entries_action_id", "audit_entries", ["action", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_entries_action_id", "audit_entries")
    op.drop_index("ix_audit_entries_account_id_id", "audit_entries")
