"""Alembic, numbered, one concern each: the one path by which a database made by any earlier commit is brought up.

`tests/migrations` proves that the models and the migrated schema agree.
"""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from mailer.db import get_engine
from mailer.resources import MIGRATIONS


def alembic_config() -> Config:
    """Alembic's configuration, made here: there is no ini file to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def upgrade(revision: str = "head") -> None:
    """Brings the database of the settings up to `revision`; does nothing when it is there already."""
    command.upgrade(alembic_config(), revision)


def get_revisions() -> tuple[str | None, str | None]:
    """(revision of the database, newest revision of the code)."""
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with get_engine().connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), newest
