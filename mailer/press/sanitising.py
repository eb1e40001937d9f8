"""Editors' HTML, cut down to what mail can carry. Untrusted in, harmless and regular out."""

import re
from functools import lru_cache

import nh3

# What every mail client shows. Other headings become h3, and bold and italic their meaningful twins.
_TAGS = {
    "p", "br", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "hr",
    "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td",
    "a", "strong", "b", "em", "i", "u", "s", "sub", "sup", "img",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
}
_TWINS = {"b": "strong", "i": "em", "h1": "h3", "h2": "h3", "h4": "h3", "h5": "h3", "h6": "h3"}
# nh3 writes a tag without attributes exactly so, and every "<" of the text as "&lt;".
_TWIN = re.compile(r"<(/?)(b|i|h1|h2|h4|h5|h6)>")
# What XML, and so lxml, cannot hold (XML 1.0 section 2.2): no mail needs it.
_UNFIT = re.compile("[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"[0-9]{1,4}")
_NUMERIC = {"width", "height", "colspan", "rowspan", "start"}
_NO_SOURCE = re.compile(r"<img(?![^>]* src=)[^>]*>")
# A link whose address was not fit to keep is no link.
_NO_ADDRESS = re.compile(r"<a>(.*?)</a>", re.DOTALL)
# How deep elements may be nested: three tables in each other, with lists in them. Parsers and walks give up far below
# what an attacker nests, and no mail client shows it.
DEEPEST = 24
_ANY_TAG = re.compile(r"<(/?)([a-z0-9]+)[^>]*>")
_VOID = frozenset({"br", "hr", "img"})
_EMPTY = re.compile(r"<p>(?:\s|&nbsp;|<br>)*</p>")


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute in _NUMERIC:
        return value if _NUMBER.fullmatch(value) else None
    if tag == "img" and attribute == "src" and not value.lower().startswith(("http://", "https://")):
        return None
    if attribute == "scope" and value not in {"row", "col"}:
        return None
    return value


@lru_cache(maxsize=1)
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter,
        # `tel:` and fragments are dead or unwanted in a bulletin; a relative address leads nowhere in mail.
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel=None,
    )


def sanitise_body(html: str) -> str:
    """`html` with nothing left but what mail can carry: no style, class, script, form, or relative address.

    Links are http, https or mailto; headings are h3; an image without a usable address is gone. Doing it twice
    changes nothing. What is nested deeper than any page is keeps its words alone.
    """
    # HTML that is nested against the rules takes shape only when it is read again; two readings do in practice.
    for _ in range(4):
        clean = _sanitise_once(html)
        if clean == html:
            break
        html = clean
    return clean


def _sanitise_once(html: str) -> str:
    # Unfit characters go twice, for a character reference may stand for one.
    clean = _UNFIT.sub("", _cleaner().clean(_UNFIT.sub("", html)))
    clean = _TWIN.sub(lambda match: f"<{match[1]}{_TWINS[match[2]]}>", clean)
    clean = _NO_ADDRESS.sub(r"\1", _NO_SOURCE.sub("", clean))
    if _depth(clean) > DEEPEST:
        clean = f"<p>{_ANY_TAG.sub(' ', clean).strip()}</p>"
    return _EMPTY.sub("", clean).strip()


def _depth(clean: str) -> int:
    """How deep the elements of well-formed HTML are nested."""
    depth = deepest = 0
    for is_end, tag in _ANY_TAG.findall(clean):
        depth += 0 if tag in _VOID else -1 if is_end else 1
        deepest = max(deepest, depth)
    return deepest
