"""Bulletins set in many ways say the same to the parser as to a reader."""

from hypothesis import given, settings

from mailer.newsroom.parsing import parse_document
from tests.newsroom.bulletins import Made, bulletins


@settings(max_examples=200, derandomize=True, deadline=None)
@given(bulletins())
def test_however_a_bulletin_is_set_its_articles_come_out_whole(made: Made) -> None:
    bulletin = parse_document(made.text.encode(), "made.txt")
    told = bulletin.as_json()
    assert {key: told[key] for key in made.fields} == made.fields
    assert [article.title for article in bulletin.articles] == made.titles
    assert [list(article.paragraphs) for article in bulletin.articles] == made.paragraphs
    assert [article.page for article in bulletin.articles] == made.pages
    assert [article.section for article in bulletin.articles] == made.sections
