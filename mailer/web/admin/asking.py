"""The page that asks before something is done that reaches people or cannot be undone by the same click.

A page and not a dialog: it works without script, from the keyboard, and on a phone, and it can say what will happen.
"""

from flask import render_template
from flask.typing import ResponseReturnValue


def ask(title: str, *, consequence: str, yes: str, back: str, is_dangerous: bool = True) -> ResponseReturnValue:
    """A page whose one form posts to its own address; all words are finished sentences in the page's language."""
    return render_template(
        "admin/asking.html", title=title, consequence=consequence, yes=yes, back=back, is_dangerous=is_dangerous
    )
