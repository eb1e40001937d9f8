"""Links of a mail into an archive that only subscribers may read lead through the click, which lets its reader in.

Articles of a tracked mail do so anyway. "View on the web" and "past issues", and every link of a mail that tracks
nothing, become clicks that count for nothing: their ordinal is no link's, so nothing is recorded.
"""

import re
from html import escape, unescape

from mailer import links
from mailer.newsletters.models import Newsletter
from mailer.newsletters.rules import ArchiveAccess
from mailer.newsroom.edition_models import Edition
from mailer.press.slots import READER_SLOT

# No edition has so many links.
UNCOUNTED = 1_000_000


def parts_of(edition: Edition, newsletter: Newsletter) -> tuple[str, str]:
    """The edition's HTML and text as they are mailed now; who may read is a setting of today, not of the approval."""
    if newsletter.archive_access != ArchiveAccess.SUBSCRIBERS:
        return edition.html, edition.text
    archive = re.escape(links.newsletter_url(newsletter.slug))

    def through_click(url: str) -> str:
        return links.click_url(links.LinkTarget(edition.id, UNCOUNTED, url), READER_SLOT)

    html = re.sub(
        rf'(?<=\shref=")({archive}[^"]*)(?=")', lambda found: escape(through_click(unescape(found[1]))), edition.html
    )
    # In the text part an address stands between blanks, or at the end of its line.
    text = re.sub(rf"(?<!\S){archive}[!-~]*", lambda found: through_click(found[0]), edition.text)
    return html, text
