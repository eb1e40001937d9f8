"""The print edition: an issue as a PDF on A4, from the same content as its mail.

Typst sets it (`docs/decisions/0010-typst-sets-the-print-edition.md` says why) from `templates/print/edition.typ`. What
editors wrote reaches it as strings in a JSON file and is placed as text: none of it is ever read as Typst markup.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mailer.errors import CompositionError
from mailer.i18n import N_, translate
from mailer.press import wording
from mailer.press.bodies import Body
from mailer.press.content import ArticleContent, Content
from mailer.press.drafting import group_sections
from mailer.press.plaintext import width
from mailer.press.proofreading import require_compilable
from mailer.press.slots import ADDRESS, NAME
from mailer.press.themes import Theme, get_theme
from mailer.press.typesetting import CHINESE_FAMILIES, NO_FONT
from mailer.resources import TEMPLATES

# A hundred pages take some seconds; a machine that is busy gets ten times that.
SECONDS = 60.0
# Columns of a title that a line of the page holds.
TITLE_COLUMNS = 56
_CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# What Typst draws, known by its first bytes and not by its name.
_PICTURES = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"))


def print_edition(
    content: Content,
    *,
    pictures: Mapping[str, bytes] | None = None,
    fonts: Sequence[str] = (),
    seconds: float = SECONDS,
) -> bytes:
    """The PDF of `content`: masthead and contents on the first page, then the articles, the colophon at the end.

    `pictures` are the bytes (PNG, JPEG or GIF) of the pictures of bodies by their address; one that is missing is shown
    as its words, for nothing is fetched. `fonts` are the families to use, the first that is installed
    before the next; without them those of `typesetting.CHINESE_FAMILIES`.
    Raises `CompositionError`: what `compile_edition` refuses, no Chinese font on this machine, more than `seconds`.
    """
    require_compilable(content)
    with tempfile.TemporaryDirectory(prefix="mailer-print-") as name:
        folder = Path(name)
        files = _keep_pictures(folder, pictures or {})
        shutil.copyfile(TEMPLATES / "print" / "edition.typ", folder / "edition.typ")
        text = json.dumps(_values(content, files), ensure_ascii=False)
        (folder / "edition.json").write_text(text, encoding="utf-8")
        return _typeset(folder, fonts, seconds, content.language)


def _typeset(folder: Path, fonts: Sequence[str], seconds: float, language: str) -> bytes:
    # -I: neither the working directory nor the caller's PYTHON variables reach the typesetter.
    command = [sys.executable, "-I", "-m", "mailer.press.typesetting", str(folder), *fonts]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)  # noqa: S603  (our own program)
    except subprocess.TimeoutExpired:
        message = N_("Setting the print edition took longer than %(seconds)s seconds. Try it with fewer pictures.")
        raise CompositionError([translate(language, message, seconds=round(seconds))]) from None
    if done.returncode == NO_FONT:
        message = N_(
            "The print edition needs a Chinese font, and this machine has none of these: %(fonts)s. Install one, such "
            "as the package fonts-noto-cjk (Debian, Ubuntu) or google-noto-serif-cjk-fonts (Fedora)."
        )
        names = ", ".join(fonts or CHINESE_FAMILIES[:4])
        raise CompositionError([translate(language, message, fonts=names)])
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or [str(done.returncode)]
        message = N_("The print edition could not be set: %(reason)s")
        raise CompositionError([translate(language, message, reason=reason[0][:300])])
    return done.stdout


def _keep_pictures(folder: Path, pictures: Mapping[str, bytes]) -> dict[str, str]:
    """Names of files in `folder` by address, of those pictures that are some."""
    names = {}
    for number, (address, content) in enumerate(pictures.items(), 1):
        kind = next((kind for start, kind in _PICTURES if content.startswith(start)), None)
        if kind:
            names[address] = f"picture-{number}.{kind}"
            (folder / names[address]).write_bytes(content)
    return names


def _values(content: Content, files: Mapping[str, str]) -> dict[str, Any]:
    """What the template draws, all of it plain JSON."""
    language, _, region = content.language.partition("_")
    theme = get_theme(content.theme, content.theme_options)
    reader = translate(content.language, N_("reader"))
    own_host = urlsplit(content.web_url).hostname or ""

    def blocks(html: str) -> list[dict[str, Any]]:
        body = Body(html, language=content.language, own_host=own_host, attributes=content.attributes)
        return body.as_blocks(files, {NAME: reader, ADDRESS: reader})

    issue_line = wording.issue_line(content)
    numbers = {article.key: number for number, article in enumerate(content.articles, 1)}
    day = content.published_on
    return {
        **_masthead(content, theme),
        "language": language,
        "region": region or None,
        "needs_chinese": bool(_CHINESE.search(json.dumps(asdict(content), ensure_ascii=False, default=str))),
        "document_title": f"{content.title} {issue_line}".strip(),
        "issue_line": issue_line,
        "publisher": content.publisher,
        "date": [day.year, day.month, day.day] if day else None,
        "date_line": wording.date_line(content),
        "header": blocks(theme.header),
        "closing": blocks(theme.footer),
        "has_sections": any(article.section for article in content.articles),
        "sections": [
            {"title": section, "articles": [
                _article(article, numbers[article.key], blocks(article.body), content.language, is_first=not at)
                for at, article in enumerate(articles)
            ]}
            for section, articles in group_sections(content.articles)
        ],
        "colophon": wording.colophon_lines(content),
        "words": {"contents": translate(content.language, N_("Contents"))},
    }  # fmt: skip


def _masthead(content: Content, theme: Theme) -> dict[str, Any]:
    """The title's letters are set apart where it is Chinese."""
    tracking = 0.0 if content.title.isascii() else 0.12
    return {"title": content.title, "title_tracking": tracking, "colour": theme.colour}


def _article(
    article: ArticleContent, number: int, blocks: list[dict[str, Any]], language: str, *, is_first: bool
) -> dict[str, Any]:
    source = translate(language, N_("Source: %(source)s"), source=article.source) if article.source else ""
    return {
        "number": number, "title": article.title, "lines": _title_lines(article.title), "source": source,
        "is_first": is_first, "blocks": blocks,
    }  # fmt: skip


def _title_lines(title: str) -> list[str]:
    """The title's clauses, each of which begins a line where one line does not hold them all."""
    clauses = [clause.rstrip() for clause in wording.clauses(title)]
    return clauses if width(title) > TITLE_COLUMNS else [title]
