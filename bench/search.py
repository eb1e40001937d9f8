"""What a search of the archive costs, as a multiple of reading one article by its primary key.

Fills an embedded PostgreSQL of its own with 1,000 issues of ten articles each, some 1,200 characters long, words drawn
by Zipf's law, and measures a rare word, a common one, phrases, English and a word nobody wrote; with ``--plan`` also
how PostgreSQL goes about each. Run: ``python bench/search.py [--articles 10000] [--plan]``.
"""

import argparse
import datetime as dt
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

ROUNDS = 30
RARE, PHRASE, ENGLISH = "獬豸", "概念验证中心", "photosynthesis"


def make_words(chance: random.Random) -> tuple[list[str], list[float]]:
    words = ["".join(chr(0x4E00 + int(chance.paretovariate(0.4)) % 3500) for _ in range(2)) for _ in range(8000)]
    words[30:30] = ["科技", "innovation", "参考", "概念验证中心"]
    return words, [1 / (at + 10) for at in range(len(words))]


def make_body(chance: random.Random, words: list[str], weights: list[float], extra: str) -> str:
    said = chance.choices(words, weights, k=600)
    said[300:300] = [extra]
    for at in range(7, len(said), 9):
        said[at] += "，"
    return "".join(f"<p>{''.join(said[at : at + 90])}。</p>" for at in range(0, len(said), 90))


def fill(session: Session, articles: int) -> list[int]:
    from mailer.newsletters import create_newsletter
    from mailer.newsroom.edition_models import Edition, EditionArticle
    from mailer.newsroom.models import Issue

    chance = random.Random(7)
    words, weights = make_words(chance)
    newsletter = create_newsletter(
        session, slug="bench", title="科技参考", sender_name="x", sender_address="x@example.org"
    )
    first, rare = dt.date(2010, 1, 1), {3: RARE, 5: ENGLISH}
    for number in range(articles // 10):
        day = first + dt.timedelta(days=5 * number)
        issue = Issue(
            newsletter_id=newsletter.id, title="科技参考", state="approved", published_on=day, number=str(number)
        )
        issue.first_sent_at = dt.datetime.combine(day, dt.time(), dt.UTC)
        session.add(issue)
        session.flush()
        edition = Edition(
            issue_id=issue.id, ordinal=1, subject="s", theme="bulletin", language="zh_CN", html="", text="",
            content_hash="0" * 64, masthead={"title": "科技参考", "number": str(number)},
        )  # fmt: skip
        session.add(edition)
        session.flush()
        issue.shown_edition_id = edition.id
        session.execute(
            insert(EditionArticle),
            [
                {
                    "edition_id": edition.id, "article_id": 10 * number + place, "position": place, "section": "",
                    "title": "".join(chance.choices(words, weights, k=6)), "source": "", "page": None,
                    "body": make_body(chance, words, weights, rare.get(place, "") if number % 200 == 0 else ""),
                }
                for place in range(10)
            ],
        )  # fmt: skip
    session.commit()
    session.execute(text("ANALYZE"))
    session.commit()
    return [newsletter.id]


def measure(act: Callable[[], object]) -> float:
    """Seconds, the median of `ROUNDS` after a first that is thrown away."""
    act()
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def show_plan(session: Session, typed: str, newsletter_ids: list[int]) -> None:
    from mailer.newsroom.search_terms import read_query
    from mailer.newsroom.searching import _query

    query = _query(read_query(typed), newsletter_ids, 1)
    sql = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    for (line,) in session.execute(text("EXPLAIN (ANALYZE, BUFFERS) " + str(sql).replace(":", r"\:"))):
        print("   ", line)


def run(articles: int, *, has_plan: bool) -> None:
    from mailer.db import new_session
    from mailer.migrations import upgrade
    from mailer.newsroom.edition_models import EditionArticle
    from mailer.newsroom.searching import search

    upgrade()
    session = new_session()
    began = time.perf_counter()
    newsletter_ids = fill(session, articles)
    print(f"{articles} articles written in {time.perf_counter() - began:.0f} s, index and all")
    sizes = "SELECT pg_size_pretty(pg_table_size('edition_articles')), pg_size_pretty(pg_relation_size('ix_edition_articles_grams'))"  # noqa: E501
    print("table {}, index {}".format(*session.execute(text(sizes)).one()))
    lookup = measure(
        lambda: session.execute(
            select(EditionArticle.title, EditionArticle.body).where(
                EditionArticle.edition_id == 7, EditionArticle.article_id == 65
            )
        ).one()
    )
    print(f"one article by its primary key: {1000 * lookup:.2f} ms")
    for name, typed in (
        ("a rare word", RARE), ("a common word", "科技"), ("a common word in English", "innovation"),
        ("a rare word in English", ENGLISH), ("a phrase of six characters", PHRASE), ("two words", f"科技 {ENGLISH}"),
        ("one character", "科"), ("a word nobody wrote", "龘靐"), ("page 50 of a common word", "参考"),
    ):  # fmt: skip
        page = 50 if "page" in name else 1
        spent = measure(lambda: (session.expire_all(), search(session, typed, newsletter_ids, page=page)))  # noqa: B023
        rows = len(search(session, typed, newsletter_ids, page=page).hits)
        print(f"{name} ({typed}): {1000 * spent:.1f} ms, {spent / lookup:.1f} x the lookup, {rows} on the page")
        if has_plan:
            show_plan(session, typed, newsletter_ids)
    session.close()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--articles", type=int, default=10_000)
    options.add_argument("--plan", action="store_true")
    chosen = options.parse_args()
    from mailer.embedded.services import Postgres

    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder:
        Path(folder).chmod(0o711)
        with Postgres(Path(folder), is_durable=False) as postgres:
            os.environ |= {
                "MAILER_DATABASE_URL": postgres.url,
                "MAILER_REDIS_URL": "redis://127.0.0.1:1/0",
                "MAILER_RELAY_URL": "smtp://127.0.0.1:1",
                "MAILER_SECRET_KEY": "a key for the bench and for nothing else",
                "MAILER_PUBLIC_URL": "http://127.0.0.1:8000",
            }
            run(chosen.articles, has_plan=chosen.plan)


if __name__ == "__main__":
    main()
