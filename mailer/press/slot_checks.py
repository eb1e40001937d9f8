"""Personal slots of an edition: where each stands, and how many readers have nothing to show in it."""

from collections.abc import Mapping

from mailer.i18n import N_, translate
from mailer.press.compiling import Compiled
from mailer.press.content import Content
from mailer.press.proofreading import ARTICLE, THEME, Finding, Severity
from mailer.press.slots import ADDRESS, NAME, OwnSlot, find_own_slots, place_editors_slots


def check_own_slots(content: Content, compiled: Compiled, lacking: Mapping[str, int], readers: int) -> list[Finding]:
    """`lacking` is how many of the newsletter's `readers` have told nothing for a key."""
    # An abstract may have cut it off, of the text part as of the HTML.
    used = dict.fromkeys([*find_own_slots(compiled.text), *find_own_slots(compiled.html)])
    return [
        finding
        for own in used
        if own.key != ADDRESS and lacking.get(own.key)
        for finding in [_lacking(content, own, lacking[own.key], readers)]
    ]


def _lacking(content: Content, own: OwnSlot, count: int, readers: int) -> Finding:
    place, params = _place_of(content, own)
    stand_in = own.fallback or (translate(content.language, N_("reader")) if own.key == NAME else "")
    params |= {"slot": own.written, "count": count, "readers": readers, "stand_in": stand_in}
    if stand_in:
        message = N_(
            "%(slot)s: readers who have not told it: %(count)s of %(readers)s. “%(stand_in)s” stands there instead."
        )
        return Finding(Severity.HINT, place, message, params)
    message = N_(
        "%(slot)s: readers who have not told it: %(count)s of %(readers)s. Nothing stands there for them. "
        "Choose it in the text and say what stands there instead."
    )
    return Finding(Severity.WARNING, place, message, params)


def _place_of(content: Content, own: OwnSlot) -> tuple[str, dict[str, object]]:
    """The first article that has it, else a block of the theme."""
    for article in content.articles:
        if own in find_own_slots(place_editors_slots(article.body, content.attributes)):
            return ARTICLE, {"title": article.title}
    return THEME, {}
