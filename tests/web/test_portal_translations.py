"""The portal domain is complete: no Chinese reader gets an English sentence."""

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from mailer.resources import PACKAGE, TEMPLATES, TRANSLATIONS

KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
SOURCES = (
    *((PACKAGE / room, [("**.py", "python")]) for room in ("web/portal", "web/api", "newsletters", "privacy")),
    *((TEMPLATES / part, [("**.html", "jinja2")]) for part in ("portal", "archive")),
)
# The audience speaks to admins as well: that its sentences have their Chinese somewhere is tested on the ground floor.
# What an article's page says in the language of its issue comes from the mail's catalogue.


def ids() -> set[str]:
    """Every message id; of a plural, its singular."""
    options = {"**": {"newstyle_gettext": "true"}}
    return {
        message if isinstance(message, str) else message[0]
        for folder, methods in SOURCES
        for _, _, message, _, _ in extract_from_dir(str(folder), methods, options, KEYWORDS)
    }


def test_every_sentence_for_readers_is_in_chinese_and_keeps_its_placeholders() -> None:
    translated: set[str] = set()
    for domain in ("portal", "archive", "audience"):
        with (TRANSLATIONS / "zh_CN" / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
            catalogue = read_po(file, locale="zh_CN")
        translated |= {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in catalogue if entry.string}
        assert [error for _, errors in catalogue.check() for error in errors] == []
    assert len(ids()) > 120
    assert ids() - translated == set()
