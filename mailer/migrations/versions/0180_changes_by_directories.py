"""What a directory changed about a reader is told with the directory's name."""

import sqlalchemy as sa
from alembic import op

revision = "0180"
down_revision = "0170"
branch_labels = None
depends_on = None

NAME = "ck_subscriber_changes_how"


def upgrade() -> None:
    op.add_column("subscriber_changes", sa.Column("directory_id", sa.BigInteger(), nullable=True))
    op.drop_constraint(op.f(NAME), "subscriber_changes", type_="check")
    op.create_check_constraint(
        op.f(NAME),
        "subscriber_changes",
        "how IN ('preferences', 'sign_up', 'confirmed', 'import', 'directory', 'merged')",
    )


def downgrade() -> None:
    op.execute("UPDATE subscriber_changes SET how = 'import' WHERE how = 'directory'")
    op.drop_constraint(op.f(NAME), "subscriber_changes", type_="check")
    op.create_check_constraint(
        op.f(NAME), "subscriber_changes", "how IN ('preferences', 'sign_up', 'confirmed', 'import', 'merged')"
    )
    op.drop_column("subscriber_changes", "directory_id")
