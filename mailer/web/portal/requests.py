"""What is kept of a reader's request as evidence, and the sentence they agreed to."""

from typing import Any

from mailer.i18n import N_
from mailer.web.locale import gettext
from mailer.web.sign_ups import sender


def evidence(wording: str) -> dict[str, Any]:
    """`wording` is the sentence that was shown, exactly, in the language it was shown in."""
    return {"wording": wording, **sender()}


def confirm_wording() -> str:
    """The words on the confirmation button."""
    return gettext(N_("Confirm subscription"))


def again_wording() -> str:
    """The words on the button behind a link that is over."""
    return gettext(N_("Send me a new letter"))


def leave_wording() -> str:
    """The words on the button behind the link in the mail."""
    return gettext(N_("Unsubscribe"))


def leave_everything_wording() -> str:
    """The words on the button that ends everything."""
    return gettext(N_("Unsubscribe from everything"))


def undo_wording() -> str:
    """The words on the button that takes a departure back."""
    return gettext(N_("Undo: subscribe me again"))


def preferences_wording() -> str:
    """Beside the lists on the preferences page."""
    return gettext(N_("Send me the newsletters ticked here by email. I can change this at any time."))


def erase_wording() -> str:
    """The words on the button that erases everything."""
    return gettext(N_("Erase for good"))


def move_wording() -> str:
    """The words on the button that agrees to a change of address."""
    return gettext(N_("Send my newsletters to the new address"))
