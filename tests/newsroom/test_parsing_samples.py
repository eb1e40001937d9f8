"""Sample bulletins of varied shapes, each beside what a careful reader finds in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from mailer.newsroom.parsing import parse_document
from mailer.newsroom.reading import read_text
from mailer.newsroom.structure.blocks import blocks_of_text
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.outline import outline
from tests.newsroom.traced import untold

FOLDER = Path(__file__).parent / "samples"
PLAIN = sorted(FOLDER.glob("*.txt"))
SAMPLES = [*PLAIN, *(path for kind in ("md", "html", "docx", "pdf") for path in sorted(FOLDER.glob(f"*.{kind}")))]
FIELDS = ("title", "year", "number", "total_number", "volume", "publisher", "date", "editor", "phone")
APART = {"captions": PartKind.CAPTION, "footnotes": PartKind.FOOTNOTE, "tables": PartKind.TABLE,
         "subheadings": PartKind.SUBHEADING}  # fmt: skip
ENCODINGS = ("utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be")


@pytest.fixture(params=SAMPLES, ids=lambda path: path.stem)
def sample(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture(params=PLAIN, ids=lambda path: path.stem)
def plain(request: pytest.FixtureRequest) -> Path:
    return request.param


def read(path: Path) -> tuple[ParsedBulletin, dict[str, Any]]:
    truth = json.loads(path.with_suffix(".json").read_text("utf-8"))
    return parse_document(path.read_bytes(), path.name), truth


def told(article: ParsedArticle) -> dict[str, Any]:
    """What the truth files tell of an article, unknown values left out."""
    plain = {
        "title": article.title, "section": article.section, "page": article.page, "source": article.source,
        "subtitle": article.subtitle, "byline": article.byline, "editors_note": article.editors_note,
    }  # fmt: skip
    apart = {key: list(article.texts(kind)) for key, kind in APART.items()}
    return {key: value for key, value in (plain | apart).items() if value not in (None, [])} | {
        "paragraphs": len(article.paragraphs),
        "first": article.paragraphs[0][:20],
        "last": article.paragraphs[-1][-20:],
    }


def test_every_field_of_the_masthead_and_colophon_is_found(sample: Path) -> None:
    bulletin, truth = read(sample)
    found = bulletin.as_json()
    assert {key: found[key] for key in FIELDS} == {key: truth[key] for key in FIELDS}


def test_the_contents_list_is_read_with_its_pages(sample: Path) -> None:
    bulletin, truth = read(sample)
    assert [[entry.title, entry.page] for entry in bulletin.contents] == truth["contents"]


def test_every_article_is_found_whole(sample: Path) -> None:
    bulletin, truth = read(sample)
    assert [told(article) for article in bulletin.articles] == truth["articles"]


def test_the_editor_is_told_of_every_doubt_and_of_nothing_else(sample: Path) -> None:
    bulletin, truth = read(sample)
    assert [warning.line for warning in bulletin.warnings] == truth["remarks_on_lines"]


def test_every_line_of_the_document_is_accounted_for(plain: Path) -> None:
    bulletin, _ = read(plain)
    blocks = blocks_of_text(read_text(plain.read_bytes()).text)
    assert untold(blocks, bulletin.lines) == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_encoding_makes_no_difference(plain: Path, encoding: str) -> None:
    text = plain.read_text("utf-8")
    recoded = text.replace("\n", "\r\n").encode(encoding)
    told, other = parse_document(text.encode(), "a.txt"), parse_document(recoded, "a.txt")
    assert other.as_json() == told.as_json()


def test_the_terminal_shows_every_paragraph_in_both_languages(sample: Path) -> None:
    bulletin, _ = read(sample)
    for locale in ("en", "zh_CN"):
        shown = outline(bulletin, locale)
        assert all(paragraph in shown for article in bulletin.articles for paragraph in article.paragraphs)
        assert all(line in shown for line in bulletin.colophon)


@pytest.mark.parametrize("name", ["traditional", "traditional-dates", "ebulletin-traditional"])
def test_a_traditional_bulletin_in_big5_says_the_same(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    recoded = text.replace("▎", "■").replace("～", "~")
    told, other = parse_document(recoded.encode(), "a.txt"), parse_document(recoded.encode("big5hkscs"), "a.txt")
    assert other.as_json() == told.as_json()
    assert other.encoding == "big5hkscs"
