"""Empty tables between two tests, in milliseconds: a TRUNCATE makes new files for every table and each of its indexes,
which took longer than most tests.
"""

from sqlalchemy import Connection, text

# What is larger goes by TRUNCATE after all: the dead rows of many tests would be in the way of the next ones.
_TRUNCATED_FROM_BYTES = 128 * 1024


def empty_tables(connection: Connection) -> None:
    """Takes every row out of every table, unless it is the migrations' own, and lets the ids begin at one again.

    Needs a superuser: triggers are off meanwhile, those of foreign keys and of append-only tables among them.
    """
    names = connection.scalars(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
    ).all()
    # What a process that was killed has still under way comes to its end first.
    connection.execute(text(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE"))
    sizes = connection.execute(
        text("SELECT name, pg_relation_size(name::regclass) FROM unnest(CAST(:names AS text[])) AS name"),
        {"names": names},
    ).all()
    if any(size > _TRUNCATED_FROM_BYTES for _, size in sizes):
        connection.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY"))
        return
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    for name, size in sizes:
        if size:
            connection.execute(text(f"DELETE FROM {name}"))
    connection.execute(
        text(
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
            " FROM pg_sequences WHERE last_value IS NOT NULL"
        )
    )
