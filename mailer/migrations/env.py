"""Alembic's entry: run under one advisory lock, so that two starting servers do not migrate at once."""

from alembic import context
from sqlalchemy import text

import mailer.accounts.models
import mailer.audience.directories.models
import mailer.audience.door_models
import mailer.audience.import_models
import mailer.audience.models
import mailer.dispatch.dkim.models
import mailer.dispatch.models
import mailer.feedback.models
import mailer.letters.models
import mailer.newsletters.models
import mailer.newsroom.edition_models
import mailer.newsroom.models  # noqa: F401  (every room's tables belong to the metadata)
from mailer.db import Base, get_engine

# Any number will do, as long as nothing else in the house locks on it.
MIGRATION_LOCK = 0x4D61696C

with get_engine().connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.commit()
    try:
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
