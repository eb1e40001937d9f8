"""Search over the archive, on the real index."""

import datetime as dt
from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer.db import Base
from mailer.errors import RuleError
from mailer.newsletters.models import Newsletter
from mailer.newsroom import search_terms
from mailer.newsroom.edition_models import Edition, EditionArticle
from mailer.newsroom.models import Issue
from mailer.newsroom.searching import PAGE_SIZE, search
from tests.factories import SENT_AT, make_newsletter

Publish = Callable[..., Issue]


@pytest.fixture
def newsletter(session: Session) -> Newsletter:
    return make_newsletter(session)[0]


@pytest.fixture
def publish(session: Session, newsletter: Newsletter) -> Publish:
    """`publish((title, body), …, day=…)`: a sent issue of these articles."""

    def make(
        *articles: tuple[str, str], day: int = 1, ordinal: int = 1, issue: Issue | None = None, is_sent: bool = True,
        of: Newsletter | None = None,
    ) -> Issue:  # fmt: skip
        if issue is None:
            issue = Issue(newsletter_id=(of or newsletter).id, title="刊", state="approved")
            issue.published_on = dt.date(2026, 3, day)
            issue.first_sent_at = SENT_AT if is_sent else None
            session.add(issue)
            session.flush()
        edition = Edition(
            issue_id=issue.id, ordinal=ordinal, subject="刊", theme="bulletin", language="zh_CN", html="", text="",
            content_hash="0" * 64,
        )  # fmt: skip
        edition.articles = [
            EditionArticle(article_id=issue.id * 100 + place, position=place, title=title, body=body)
            for place, (title, body) in enumerate(articles, 1)
        ]
        session.add(edition)
        session.flush()
        issue.shown_edition_id = edition.id if issue.first_sent_at else None
        session.commit()
        return issue

    return make


def titles(session: Session, typed: str, newsletter: Newsletter, **page: int) -> list[str]:
    return [hit.title for hit in search(session, typed, [newsletter.id], **page).hits]


def test_a_chinese_word_of_two_characters_is_found_in_titles_and_bodies(
    session: Session, newsletter: Newsletter, publish: Publish
) -> None:
    publish(
        ("产业沃土", "<p>深耕<strong>生</strong>物医药。</p>"),
        ("医药新政", "<p>正文</p>"),
        ("别的", "<p>医学，药物</p>"),
    )
    assert titles(session, "医药", newsletter) == ["医药新政", "产业沃土"]
    assert titles(session, "生物", newsletter) == ["产业沃土"]
    assert titles(session, "物医药", newsletter) == ["产业沃土"]


def test_pairs_that_stand_apart_are_not_the_word(session: Session, newsletter: Newsletter, publish: Publish) -> None:
    publish(("甲", "<p>生物学。物医之学。医药。</p>"), ("乙", "<p>生物医药</p>"))
    assert titles(session, "生物医药", newsletter) == ["乙"]


def test_words_are_found_in_any_case_width_and_by_their_beginning(
    session: Session, newsletter: Newsletter, publish: Publish
) -> None:
    publish(("Tides", "<p>High water at the Café; ＡＩ helps. AT&amp;T</p>"))
    for typed in ("tide", "TIDES", "cafe", "CAFÉ", "ai", "ａｉ", "high water", '"high water"', "at&t", "AI helps"):
        assert titles(session, typed, newsletter) == ["Tides"], typed
    for typed in ("ides", "wat er", '"water high"', "a", "caffe"):
        assert titles(session, typed, newsletter) == [], typed


def test_one_character_numbers_and_mixed_terms_are_found(
    session: Session, newsletter: Newsletter, publish: Publish
) -> None:
    publish(("5G与AI技术", "<p>第9期，税</p>"))
    for typed in ("税", "第9期", "AI技术", "5g", "5G与AI", "技", "期"):
        assert titles(session, typed, newsletter) == ["5G与AI技术"], typed
    assert titles(session, "第19期", newsletter) == []


def test_every_term_must_be_there(session: Session, newsletter: Newsletter, publish: Publish) -> None:
    publish(("甲", "<p>港口 harbour</p>"), ("乙", "<p>港口</p>"))
    assert titles(session, "港口 harbour", newsletter) == ["甲"]


def test_titles_come_first_and_then_the_newest(session: Session, newsletter: Newsletter, publish: Publish) -> None:
    publish(("旧题说科技", "<p>x</p>"), day=1)
    publish(("新文", "<p>科技</p>"), day=5)
    publish(("旧文", "<p>科技</p>"), day=2)
    publish(("新题说科技", "<p>x</p>"), day=3)
    assert titles(session, "科技", newsletter) == ["新题说科技", "旧题说科技", "新文", "旧文"]


def test_only_what_the_archive_shows_is_found(session: Session, newsletter: Newsletter, publish: Publish) -> None:
    issue = publish(("初稿", "<p>错误的数字</p>"))
    publish(("更正", "<p>正确的数字</p>"), ordinal=2, issue=issue)
    publish(("未发", "<p>数字</p>"), is_sent=False)
    other, _ = make_newsletter(session, slug="other")
    publish(("别刊", "<p>数字</p>"), of=other)
    assert titles(session, "数字", newsletter) == ["更正"]
    assert {hit.title for hit in search(session, "数字", [newsletter.id, other.id]).hits} == {"更正", "别刊"}
    assert search(session, "数字", []).hits == ()


def test_markup_slots_and_attributes_are_not_text(session: Session, newsletter: Newsletter, publish: Publish) -> None:
    publish(
        ("甲", '<p>你好 {{ name }}，<a href="https://example.org/secret">此处</a><img src="x" alt="a > 图中字">尾</p>')
    )
    for typed in ("name", "secret", "strong", "href", "图中"):
        assert titles(session, typed, newsletter) == [], typed
    assert titles(session, "此处尾", newsletter) == ["甲"]


def test_pages_follow_each_other_without_gap(session: Session, newsletter: Newsletter, publish: Publish) -> None:
    publish(*((f"科技参考{n}", "<p>x</p>") for n in range(PAGE_SIZE + 3)))
    first = search(session, "科技参", [newsletter.id])
    second = search(session, "科技参", [newsletter.id], page=2)
    assert (len(first.hits), first.has_next, len(second.hits), second.has_next) == (PAGE_SIZE, True, 3, False)
    assert len({hit.article_id for hit in first.hits + second.hits}) == PAGE_SIZE + 3
    assert search(session, "科技参", [newsletter.id], page=99).hits == ()


def test_nothing_to_look_for_and_too_much(session: Session, newsletter: Newsletter, publish: Publish) -> None:
    publish(("甲", "<p>乙</p>"))
    for typed in ("", "   ", "++", "“”", "。", "'\\ & | ! :* ("):
        assert search(session, typed, [newsletter.id]).hits == ()
    with pytest.raises(RuleError):
        search(session, "长" * 101, [newsletter.id])


def test_an_article_longer_than_a_book_is_kept_and_found(
    session: Session, newsletter: Newsletter, publish: Publish
) -> None:
    signs = "".join(chr(0x4E00 + at * 7919 % 20_000) for at in range(150_000))
    publish(("长文", f"<p>{signs}</p>"))
    assert titles(session, signs[60_000:60_002], newsletter) == ["长文"]


# Signs that every version of Unicode at hand knows.
KNOWN = st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs", "Cn", "Co"), exclude_characters="\0")
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(
    said=st.text(KNOWN, max_size=40)
    | st.text(st.sampled_from("科技AI5É e\u0301ﬁＡ，-'\\&<>\u200b\u3000㈱ǅ한ガ𠮷"), max_size=40)
)
def test_python_folds_as_postgresql_does(session: Session, said: str) -> None:
    folded = session.scalar(text("SELECT archive_fold(:said)"), {"said": said})
    assert folded == search_terms.fold(said)
    assert search_terms._fold_with_places(said)[0] == folded


@QUIET
@given(said=st.text(st.sampled_from("科技参考第期五Ａi9，。 -"), min_size=1, max_size=40), start=st.integers(0, 39),
       length=st.integers(1, 6))  # fmt: skip
def test_whatever_a_text_says_in_chinese_is_found_by_it(session: Session, said: str, start: int, length: int) -> None:
    """Any part that does not begin or end within a word of letters."""
    part = said[start : start + length]
    edges = (said[start - 1 : start] + part[:1], part[-1:] + said[start + length : start + length + 1])
    if any(len(edge) == 2 and all(sign in "Ａi9" for sign in edge) for edge in edges):
        return
    for term in search_terms.read_query(part):
        has = session.scalar(
            text("SELECT archive_grams(archive_fold(:said)) @@ CAST(:wanted AS tsquery)"),
            {"said": said, "wanted": search_terms.as_tsquery([term])},
        )
        assert has, (said, term)
        assert search_terms.find_marks(said, [term])


def test_marks_are_where_the_text_says_it_and_overlaps_are_one() -> None:
    def marked(said: str, typed: str) -> str:
        pieces = search_terms.cut(said, search_terms.find_marks(said, search_terms.read_query(typed)))
        return "".join(f"[{piece.text}]" if piece.is_found else piece.text for piece in pieces)

    assert marked("科技参考：科技", "科技 技参") == "[科技参]考：[科技]"
    assert marked("The Café’s CAFETERIA", "café") == "The [Café]’s [CAFE]TERIA"
    assert marked("ＡＩ and BAIT, ai", "ai") == "[ＡＩ] and BAIT, [ai]"
    assert marked("High\n  water", '"high water"') == "[High\n  water]"
    assert marked("没有", "别的") == "没有"


def test_a_snippet_shows_the_first_place_and_says_where_it_is_cut() -> None:
    said = "前" * 200 + "科技" + "后" * 200
    pieces = search_terms.snippet(said, search_terms.read_query("科技"))
    whole = "".join(piece.text for piece in pieces)
    assert whole.startswith("…前")
    assert whole.endswith("后…")
    assert [piece.text for piece in pieces if piece.is_found] == ["科技"]
    assert len(whole) == 132
    assert "".join(piece.text for piece in search_terms.snippet("短", search_terms.read_query("科技"))) == "短"


def test_a_restore_which_has_no_search_path_fills_the_index_too(
    session: Session, newsletter: Newsletter, publish: Publish
) -> None:
    issue = publish(("甲", "<p>乙</p>"))
    edition = session.scalars(select(Edition).where(Edition.issue_id == issue.id)).one()
    session.execute(text("SET LOCAL search_path = ''"))
    session.execute(
        text(
            "INSERT INTO public.edition_articles (edition_id, article_id, position, title, section, source, body)"
            " VALUES (:edition, 7, 7, '丙', '', '', '<p>恢复</p>')"
        ),
        {"edition": edition.id},
    )
    session.commit()
    assert titles(session, "恢复", newsletter) == ["丙"]


def test_models_and_migrations_agree_about_the_index(session: Session) -> None:
    context = MigrationContext.configure(
        session.connection(),
        opts={"include_object": lambda _object, name, kind, *_: kind != "table" or name == "edition_articles"},
    )
    assert compare_metadata(context, Base.metadata) == []
