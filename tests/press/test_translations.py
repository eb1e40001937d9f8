"""The mail domain is complete: no Chinese reader gets an English sentence."""

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from mailer.resources import PACKAGE, TEMPLATES, TRANSLATIONS

KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
SOURCES = (
    (PACKAGE / "press", [("**.py", "python")]),
    (PACKAGE / "letters", [("**.py", "python")]),
    (TEMPLATES / "email", [("**.html", "jinja2"), ("**.txt", "jinja2")]),
)


def ids() -> set[str]:
    """Every message id of the press and its templates; of a plural, its singular."""
    options = {"**": {"newstyle_gettext": "true"}}
    return {
        message if isinstance(message, str) else message[0]
        for folder, methods in SOURCES
        for _, _, message, _, _ in extract_from_dir(str(folder), methods, options, KEYWORDS)
    }


def test_every_sentence_of_mail_is_in_chinese_and_none_is_left_over() -> None:
    with (TRANSLATIONS / "zh_CN" / "LC_MESSAGES" / "mail.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    entries = [entry for entry in catalogue if entry.id and entry.string]
    translated = {entry.id if isinstance(entry.id, str) else entry.id[0] for entry in entries}
    assert len(ids()) > 80
    assert translated == ids()


def test_translations_keep_their_placeholders() -> None:
    with (TRANSLATIONS / "zh_CN" / "LC_MESSAGES" / "mail.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    assert [error for _, errors in catalogue.check() for error in errors] == []
