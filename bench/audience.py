"""What an audience of a million costs: importing it against a bare COPY, and how fast its pages and counts are.

``python bench/audience.py [postgresql://user@host/postgres] [--rows 1000000] [--deliveries 20000000] [--queries]``

Makes a database of its own on the server named, and drops it again; where none is named it starts an embedded
PostgreSQL (its own defaults, no fsync). With --queries the readers are made by one INSERT and no import is measured,
and --plans prints how PostgreSQL finds it all. The bare COPY goes into a table LIKE subscribers
INCLUDING ALL (every index and constraint) with the very same rows, before the import, in the same run. The import runs
in a process of its own, whose peak memory is measured.
"""

import argparse
import csv
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.audience_queries import DOMAINS, bulk, deliver, plans, queries

SURNAMES = "王李张刘陈杨赵黄周吴"
CITIES = ("Beijing", "上海", "西安", "成都", "昆明", "广州", "武汉", "兰州", "大理", "长沙")
TARGET_RATIO, TARGET_MB, TARGET_MS = 4.0, 200, 200


def main() -> None:
    options = _options()
    with _database(options) as url:
        _set(url)
        report = _measure(options, url)
    print(json.dumps(report, indent=2, ensure_ascii=False) if options.json else _words(report))


@contextmanager
def _database(options: argparse.Namespace) -> Iterator[str]:
    """The address of an empty database."""
    if options.server is None:
        from mailer.embedded.scene import temporary_folder
        from mailer.embedded.services import Postgres

        with temporary_folder("mailer-bench-") as folder, Postgres(folder, is_durable=False) as postgres:
            yield postgres.url
        return
    name = f"mailer_bench_{secrets.token_hex(4)}"
    with psycopg.connect(options.server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield options.server.replace("/postgres", f"/{name}", 1)
    finally:
        if not options.keep:
            with psycopg.connect(options.server, autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", nargs="?")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--deliveries", type=int, default=20_000_000)
    parser.add_argument("--queries", action="store_true", help="measure the pages and counts alone")
    parser.add_argument("--keep", action="store_true", help="leave the database for a look")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plans", action="store_true", help="print the plans of the queries, too")
    return parser.parse_args()


def _set(url: str) -> None:
    os.environ.update(
        MAILER_DATABASE_URL=url,
        MAILER_REDIS_URL="redis://127.0.0.1:1/0",
        MAILER_RELAY_URL="smtp://127.0.0.1:2525",
        MAILER_SECRET_KEY="a key for a bench, long enough and used nowhere else",
        MAILER_PUBLIC_URL="http://127.0.0.1:8000",
    )


def _measure(options: argparse.Namespace, url: str) -> dict[str, Any]:
    from mailer.db import session_scope
    from mailer.migrations import upgrade
    from mailer.newsletters import create_list, create_newsletter

    upgrade()
    with session_scope() as session:
        newsletter = create_newsletter(
            session, slug="bench", title="Bench", sender_name="Bench", sender_address="bench@example.org"
        )
        lists = [create_list(session, newsletter, slug=slug, name=slug).id for slug in ("weekly", "daily")]
    report: dict[str, Any] = {"rows": options.rows}
    if options.queries:
        _fill(url, options.rows, lists[0])
    else:
        report |= _measure_import(url, options.rows, lists[0])
    deliver(url, options.deliveries)
    report["deliveries"] = options.deliveries
    report["queries"] = queries(lists[0], newsletter.id)
    if options.plans:
        report["plans"] = plans(lists[0], newsletter.id)
    return report


def _measure_import(url: str, rows: int, list_id: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "people.csv")
        _write_people(file, rows)
        bare = _bare_copy(url, file)
        first = _import(file, list_id)
        report = {
            "file_mb": round(file.stat().st_size / 2**20, 1),
            "bare_copy_seconds": round(bare, 2),
            "import": first,
            "import_again": _import(file, list_id),
            "ratio": round(first["seconds"] / bare, 2),
        }
        _write_people(file, rows, are_changed=True)
        changing = _import(file, list_id)
        return report | {"import_changing": changing, "changing_ratio": round(changing["seconds"] / bare, 2)}


def _fill(url: str, rows: int, list_id: int) -> None:
    """Readers like those of the file, all confirmed."""
    with psycopg.connect(url, autocommit=True) as connection:
        with bulk(connection, "subscribers"):
            connection.execute(
                """
                INSERT INTO subscribers (email, email_key, domain, name, locale, attributes)
                SELECT address, address, split_part(address, '@', 2), '王第' || n %% 997, 'zh_CN',
                    CASE WHEN n %% 10 = 9 THEN '{"city": "Beijing"}'::jsonb ELSE '{}' END
                FROM (SELECT n, substr('abcdefgh', 1 + n %% 8, 1) || to_hex((random() * 1000000)::int) || '.reader' || n
                    || '@mail' || n %% 400 || '.example.org' AS address FROM generate_series(0, %s - 1) AS n) AS people
                """,
                (rows,),
            )
        with bulk(connection, "subscriptions"):
            connection.execute(
                """
                INSERT INTO subscriptions (subscriber_id, list_id, state, source, confirmed_at)
                SELECT id, %s, 'confirmed', 'import', now() FROM subscribers
                """,
                (list_id,),
            )


def _write_people(file: Path, rows: int, *, are_changed: bool = False) -> None:
    """The same addresses each time; changed ones have another name and an attribute that they did not have."""
    random.seed(7)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["email", "name", "city"] if are_changed else ["email", "name"])
        for number in range(rows):
            local = f"{random.choice('abcdefgh')}{random.randrange(10**6):x}.reader{number}"
            person = [f"{local}@{DOMAINS[number % len(DOMAINS)]}", random.choice(SURNAMES) + f"第{number % 997}"]
            writer.writerow([person[0], f"{person[1]}号", CITIES[number % len(CITIES)]] if are_changed else person)


def _bare_copy(url: str, file: Path) -> float:
    """The same rows into an indexed table of the same shape; what Python does to the text is not timed."""
    lines = []
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        next(reader)
        for email, name in reader:
            lines.append(f"{email}\t{email}\t{email.partition('@')[2]}\t{name}\tzh_CN\t{{}}\n")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE bare (LIKE subscribers INCLUDING ALL)")
        connection.commit()
        started = time.perf_counter()
        with connection.cursor().copy(
            "COPY bare (email, email_key, domain, name, locale, attributes) FROM STDIN"
        ) as copy:
            for start in range(0, len(lines), 2000):
                copy.write("".join(lines[start : start + 2000]))
        connection.commit()
        took = time.perf_counter() - started
        connection.execute("DROP TABLE bare")
        connection.commit()
    return took


def _import(file: Path, list_id: int) -> dict[str, Any]:
    """Uploaded and carried out in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--child", str(file), str(list_id)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout))


def child(file: str, list_id: str) -> None:
    from mailer.audience.headings import Target
    from mailer.audience.importing import begin, get_import, receive, run_import
    from mailer.db import session_scope

    started = time.perf_counter()
    with session_scope() as session, Path(file).open("rb") as stream:
        run = receive(session, stream, list_id=int(list_id), filename="people.csv", basis="consent", by=None)
        # A third column is kept with the reader, as an admin would choose it on the page.
        targets = [*run.layout["targets"][:2], *[Target.ATTRIBUTE] * len(run.layout["targets"][2:])]
        run.layout = run.layout | {"targets": targets}
        begin(session, run, by=None)
    uploaded = time.perf_counter()
    run_import(run.id)
    finished = time.perf_counter()
    with session_scope() as session:
        found = get_import(session, run.id)
        report = {
            "upload_seconds": round(uploaded - started, 2),
            "seconds": round(finished - uploaded, 2),
            "peak_mb": _peak_mb(),
            "state": found.state,
            "counts": found.counts,
        }
    print(json.dumps(report))


def _peak_mb() -> float:
    """Of this process alone: getrusage's figure would begin with the parent's, which is inherited."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024, 1)


def _words(report: dict[str, Any]) -> str:
    lines = [f"{report['rows']:,} rows"]
    if first := report.get("import"):
        lines += [
            f"{report['file_mb']} MB, a bare COPY of which into an indexed table takes {report['bare_copy_seconds']} s",
            f"import: {first['seconds']} s ({report['ratio']} x, at most {TARGET_RATIO})",
            f"upload {first['upload_seconds']} s, peak {first['peak_mb']} MB (at most {TARGET_MB}); {first['counts']}",
            f"the same file again: {report['import_again']['seconds']} s; {report['import_again']['counts']}",
            _changing_words(report["import_changing"], report["changing_ratio"]),
        ]
    lines.append(f"queries with {report['deliveries']:,} deliveries (p95, at most {TARGET_MS} ms):")
    lines += [
        f"  {name}: median {each['median_ms']} ms, p95 {each['p95_ms']} ms, worst {each['max_ms']} ms"
        for name, each in report["queries"].items()
    ]
    for name, plan in report.get("plans", {}).items():
        lines += ["", f"-- {name}", plan]
    return "\n".join(lines)


def _changing_words(changing: dict[str, Any], ratio: float) -> str:
    return (
        f"another name and a new attribute for each: {changing['seconds']} s ({ratio} x, at most {TARGET_RATIO}), "
        f"peak {changing['peak_mb']} MB (at most {TARGET_MB}); {changing['counts']}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3])
    else:
        main()
