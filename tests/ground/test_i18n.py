import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from mailer.i18n import DOMAINS, N_, negotiate, translate
from mailer.settings import Settings

ROOT = Path(__file__).parents[2]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "translate": (2,)}


def _sentences() -> list[tuple[str, str]]:
    """(place, message id) of everything the product says."""
    methods = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
    found = []
    for folder in ("mailer", "workers", "templates"):
        for name, line, message, _comments, _context in extract_from_dir(
            str(ROOT / folder),
            methods,
            {"**.html": {"trimmed": "true"}, "**.txt": {"trimmed": "true"}},
            KEYWORDS,
            directory_filter=lambda path: "node_modules" not in str(path),
        ):
            identity = message[0] if isinstance(message, tuple) else message
            if identity:
                found.append((f"{folder}/{name}:{line}: {identity}", identity))
    return found


def test_every_sentence_of_the_product_has_its_chinese() -> None:
    known: set[str] = set()
    for domain in DOMAINS:
        path = ROOT / "mailer" / "translations" / "zh_CN" / "LC_MESSAGES" / f"{domain}.po"
        with path.open("rb") as file:
            known |= {
                message.id if isinstance(message.id, str) else message.id[0]
                for message in read_po(file)
                if message.id and all(message.string if isinstance(message.string, tuple) else [message.string])
                and not message.fuzzy
            }  # fmt: skip
    missing = [place for place, identity in _sentences() if identity not in known]
    # The system page shows them; pydantic holds them, where no extractor looks.
    missing += [
        field.description or name for name, field in Settings.model_fields.items() if field.description not in known
    ]
    assert missing == []


def test_chinese_keeps_the_places_of_the_english() -> None:
    places = re.compile(r"%\((\w+)\)[sd]")
    wrong = []
    for domain in DOMAINS:
        with (ROOT / "mailer" / "translations" / "zh_CN" / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
            for message in read_po(file):
                ids = message.id if isinstance(message.id, tuple | list) else [message.id]
                texts = message.string if isinstance(message.string, tuple | list) else [message.string]
                wanted = set(places.findall(ids[-1]))
                wrong += [f"{domain}: {ids[0]}" for text in texts if text and set(places.findall(text)) != wanted]
    assert wrong == []


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, "zh_CN"), ("", "zh_CN"), ("en-GB,en;q=0.9", "en"), ("zh-TW,en;q=0.5", "zh_CN"), ("fr,de", "zh_CN"),
        ("en;q=0.4,zh;q=0.8", "zh_CN"), ("en;q=high", "zh_CN"),
    ],
)  # fmt: skip
def test_the_language_is_the_best_of_what_a_browser_asks_for(header: str | None, locale: str) -> None:
    assert negotiate(header) == locale


def test_english_is_its_own_translation() -> None:
    message = N_("Nothing here")
    assert translate("en", message) == "Nothing here"
    assert translate("zh_CN", message) == "这里什么也没有"
