"""The desk is complete in Chinese: its pages, and what the newsroom says to editors."""

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from mailer.resources import PACKAGE, TEMPLATES, TRANSLATIONS

KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
SOURCES = (
    (PACKAGE / "newsroom", [("**.py", "python")]),
    (PACKAGE / "web" / "desk", [("**.py", "python")]),
    (TEMPLATES / "desk", [("**.html", "jinja2")]),
)


def ids() -> set[str]:
    """Every message id of the desk; of a plural, its singular."""
    options = {"**": {"newstyle_gettext": "true"}}
    return {
        message if isinstance(message, str) else message[0]
        for folder, methods in SOURCES
        for _, _, message, _, _ in extract_from_dir(str(folder), methods, options, KEYWORDS)
    }


def read(domain: str) -> Catalog:
    with (TRANSLATIONS / "zh_CN" / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        return read_po(file, locale="zh_CN")


def test_every_sentence_of_the_desk_is_in_chinese() -> None:
    translated = {
        entry.id if isinstance(entry.id, str) else entry.id[0]
        for file in (TRANSLATIONS / "zh_CN" / "LC_MESSAGES").glob("*.po")
        for entry in read(file.stem)
        if entry.id and entry.string
    }
    assert len(ids()) > 300
    assert ids() - translated == set()


def test_translations_of_the_desk_keep_their_placeholders() -> None:
    assert [error for _, errors in read("desk").check() for error in errors] == []
