"""What `mailer doctor` would say, and the settings it says it about."""

from flask import render_template
from flask.typing import ResponseReturnValue
from pydantic import SecretStr

from mailer.settings import Settings, get_settings
from mailer.web.admin import blueprint


@blueprint.get("/system")
def system() -> ResponseReturnValue:
    """Checks everything anew at each look."""
    from mailer.reports.health import check_everything  # pulls in the SMTP client, which no other page needs

    settings = get_settings()
    shown = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        # A secret's own value never reaches a page, nor do addresses with passwords in them.
        shown.append((f"MAILER_{name.upper()}", field.description or "", isinstance(value, SecretStr), value))
    return render_template("admin/system.html", checks=check_everything(), settings=shown)
