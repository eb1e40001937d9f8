"""Full-text search over the archive: what an article says, folded, and its words and pairs of Chinese characters, both
kept by PostgreSQL itself. `docs/decisions/0090-search-by-pairs-of-characters.md` says why so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0061"
branch_labels = None
depends_on = None

# Chinese, with Japanese and Korean: written without blanks, so searched by pairs. Jamo: what NFKD leaves of Hangul.
_CJK = (
    r"\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Latin, Greek, Cyrillic, digits.
_WORD = r"a-z0-9\u00c0-\u024f\u0370-\u052f"


# `mailer.newsroom.search_terms.fold` does the same to a query. Under the collation "C" `lower` knows ASCII alone, which
# is the same on every machine: accents have been taken off before. Blanks are named for the same reason; NFKD has made
# the others of them one.
def _fold(said: str) -> str:
    return rf"""lower(regexp_replace(regexp_replace(normalize({said}, NFKD),
        '[\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]', '', 'g'),
        '[\u0001-\u0020\u007f-\u009f\u1680\u2028\u2029]+', ' ', 'g') COLLATE "C")"""


# A body is HTML as the sanitiser left it. A tag that ends a line parts words; others do not: 科<b>技</b> is one word.
_BREAKS = "p|br|h[1-6]|li|ul|ol|td|th|tr|table|caption|blockquote|div|hr|figure|figcaption|pre|dt|dd"
_STRIPPED = rf"""replace(replace(replace(replace(replace(replace(
    regexp_replace(regexp_replace(regexp_replace(left(body, 400000),
        '</?({_BREAKS})\M[^>]*>', ' ', 'gi'), '<("[^"]*"|[^">])*>', '', 'g'), '\{{\{{[^{{}}]*\}}\}}', '', 'g'),
    '&nbsp;', ' '), '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&amp;', '&')"""

# None of these functions calls another: a restore from `pg_dump` fills the generated columns with an empty search path.
_FOLD = f"""
CREATE FUNCTION archive_fold(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT {_fold("said")} $$
"""
_TEXT = f"""
CREATE FUNCTION archive_text(body text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT {_fold(_STRIPPED)} $$
"""

# Two walks over each run of characters, the second one character later, give every pair of neighbours; the last of a
# run stands alone once, so that a single character is found as the beginning of something.
_GRAMS = rf"""
CREATE FUNCTION archive_grams(folded text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5000 AS $$
    SELECT array_to_tsvector(coalesce(array_agg(DISTINCT left(found[1], 60)), '{{}}')) FROM (
        SELECT regexp_matches(said, '[{_CJK}]{{1,2}}|[{_WORD}]+', 'g') AS found FROM (
            SELECT left(folded, 100000) AS said) AS a
        UNION ALL
        SELECT regexp_matches(said, '[{_CJK}]{{1,2}}', 'g') FROM (
            SELECT regexp_replace(left(folded, 100000), '(^|[^{_CJK}])[{_CJK}]', '\1 ', 'g') AS said) AS b
    ) AS grams
$$
"""  # noqa: S608  (no word of it comes from outside)

SAID = "archive_fold(title || ' | ' || section || ' | ' || source) || ' | ' || archive_text(body)"


def upgrade() -> None:
    for function in (_FOLD, _TEXT, _GRAMS):
        op.execute(function)
    # One rewrite of the table for both. Triggers do not see it, and need not: what was frozen stays as it was.
    op.execute(
        f"""
        ALTER TABLE edition_articles
            ADD COLUMN said text GENERATED ALWAYS AS ({SAID}) STORED NOT NULL,
            ADD COLUMN title_grams tsvector GENERATED ALWAYS AS (archive_grams(archive_fold(title))) STORED NOT NULL
        """
    )
    # An index over the function's value and no column with it: that would lie beside the row, where PostgreSQL takes
    # reading all of them for cheaper than asking the index.
    op.create_index(
        op.f("ix_edition_articles_grams"), "edition_articles", [sa.text("archive_grams(said)")], postgresql_using="gin"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_edition_articles_grams"), table_name="edition_articles")
    for column in ("title_grams", "said"):
        op.drop_column("edition_articles", column)
    for function in ("archive_grams", "archive_text", "archive_fold"):
        op.execute(f"DROP FUNCTION {function}(text)")
