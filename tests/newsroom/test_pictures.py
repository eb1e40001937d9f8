import base64
import io
import struct
import zlib
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import links
from mailer.errors import NotFoundError, RuleError, UnreadableError
from mailer.newsroom import editing, pictures
from mailer.newsroom.compiling import compile_issue, get_content
from mailer.newsroom.importing import import_document
from mailer.newsroom.models import Picture
from mailer.newsroom.picture_files import MOST_PIXELS, prepare
from tests.newsroom.making import make_issue, make_newsletter
from tests.newsroom.test_importing import BULLETIN


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    place = io.BytesIO()
    image.save(place, kind, **options)
    return place.getvalue()


def photo(width: int = 1600, height: int = 900) -> Image.Image:
    return Image.effect_noise((width, height), 90).convert("RGB")


def decoded(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_photo_becomes_a_jpeg_no_wider_than_a_mail() -> None:
    kept = prepare(encoded(photo(), "JPEG", quality=95))
    assert (kept.media_type, kept.width, kept.height) == ("image/jpeg", 1280, 720)
    assert decoded(kept.content).size == (1280, 720)
    assert kept.name.endswith(".jpg")


def test_a_drawing_stays_sharp_and_small() -> None:
    drawing = Image.new("RGB", (300, 200), "white")
    drawing.paste((200, 0, 0), (50, 50, 150, 100))
    kept = prepare(encoded(drawing))
    assert (kept.media_type, kept.width) == ("image/png", 300)
    assert decoded(kept.content).convert("RGB").getpixel((60, 60)) == (200, 0, 0)


def test_what_else_the_file_held_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    exif[0x8825] = {1: "N", 2: (31.0, 14.0, 0.0)}
    content = encoded(photo(200, 100), "JPEG", exif=exif, comment=b"secret comment")
    assert b"secret" in content
    kept = prepare(content + b"<?php secret trailer ?>")
    assert b"secret" not in kept.content
    assert dict(decoded(kept.content).getexif()) == {}


def test_a_turned_photo_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert prepare(encoded(photo(200, 100), "JPEG", exif=exif)).width == 100


def test_what_is_transparent_lies_on_white() -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert decoded(prepare(encoded(image)).content).convert("RGB").getpixel((5, 5)) == (255, 255, 255)
    indexed = image.quantize(4)
    assert (
        decoded(prepare(encoded(indexed, "GIF", transparency=0)).content).convert("RGB").getpixel((5, 5)) == (255,) * 3
    )


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(MOST_PIXELS // 1000 + 1, 1000), (12_000, 8_000), (60_000, 60_000)])
def test_a_picture_that_says_it_is_huge_is_refused_unread(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableError, match="million pixels"):
        prepare(bomb(*size))


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", b"%PDF-1.7", bomb(100, 100),
     b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"],
)  # fmt: skip
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError, match="no picture"):
        prepare(content)


@given(st.integers(8, 600), st.integers(0, 255))
def test_a_broken_picture_is_read_or_refused_and_nothing_else(place: int, value: int) -> None:
    content = bytearray(encoded(photo(40, 30), "JPEG"))
    content[min(place, len(content) - 1)] = value
    try:
        kept = prepare(bytes(content))
    except UnreadableError:
        return
    assert decoded(kept.content).size == (kept.width, kept.height)


def test_the_same_picture_is_kept_once(session: Session) -> None:
    content = encoded(photo(100, 60))
    first, second = (pictures.keep_picture(session, content, by=None) for _ in range(2))
    assert first.id == second.id
    assert session.scalar(select(func.count()).select_from(Picture)) == 1
    assert pictures.get_picture(session, first.name).id == first.id
    for name in ("x.png", "../../etc/passwd", "0" * 32 + ".svg", "0" * 32 + ".png"):
        with pytest.raises(NotFoundError):
            pictures.get_picture(session, name)


def test_a_picture_goes_with_the_mail_and_with_the_print(session: Session) -> None:
    issue = make_issue(session, make_newsletter(session))
    kept = pictures.keep_picture(session, encoded(photo()), by=None)
    article = issue.articles[0]
    html = pictures.as_html(kept, 'Plan "A" <1>')
    editing.change_article(session, article, revision=1, by=None, body=article.body + html)
    address = links.media_url(kept.name)
    assert address in compile_issue(session, issue).html
    assert 'width="560"' in article.body
    assert "Plan" in article.body
    used = pictures.list_used(session, get_content(session, issue))
    assert used == {address: kept.content}


def test_a_picture_without_words_is_refused() -> None:
    assert pictures.check_alt(" 中试基地\n效果图 ") == "中试基地 效果图"
    with pytest.raises(RuleError, match="many readers"):
        pictures.check_alt("  ")


def test_pictures_of_an_import_are_kept_and_broken_ones_stay_words(session: Session) -> None:
    good = base64.b64encode(encoded(photo(60, 40), "JPEG")).decode()
    bad = base64.b64encode(b"\xff\xd8\xff\xe0 no picture at all").decode()
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in BULLETIN.splitlines() if line.strip())
    shown = "".join(
        f'<p><img src="data:image/jpeg;base64,{data}" alt="{alt}"></p><p>图片之后的一段话，说明情况。</p>'
        for data, alt in ((good, "效果图"), (bad, "坏图"))
    )
    html = f"<html><body>{paragraphs}{shown}</body></html>".encode()
    issue = import_document(session, make_newsletter(session).id, filename="第4期.html", content=html, by=None)
    body = "".join(article.body for article in issue.articles)
    kept = session.scalars(select(Picture)).one()
    assert f'<img src="{links.media_url(kept.name)}" alt="效果图" width="60">' in body
    assert "坏图" in body
    assert body.count("<img") == 1
    assert any("no picture" in warning["message"] for warning in issue.warnings)
