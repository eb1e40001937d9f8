"""Pages over the Maildir that the capturing mailbox fills."""

import re
from pathlib import Path

from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.maildir import Maildir
from mailer.web.headers import show_mail
from mailer.web.locale import gettext, ngettext
from mailer.web.mailbox import blueprint

_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


def _maildir() -> Maildir:
    folder: Path = current_app.config["MAILBOX_DIR"]
    return Maildir(folder)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """What arrived, newest first."""
    search = request.args.get("q", "").strip()[:200]
    page = _maildir().list_messages(search=search, page=request.args.get("page", 1, type=int))
    return render_template("mailbox/index.html", page=page, search=search)


@blueprint.get("/<key>")
def message(key: str) -> ResponseReturnValue:
    """One message: its headers and, by ``?show=``, its HTML, text or source."""
    kept = _maildir().get(key)
    kinds = [kind for kind, body in (("html", kept.html), ("text", kept.text)) if body is not None] + ["source"]
    shown = request.args.get("show", kinds[0])
    if shown not in kinds:
        abort(404)
    source = kept.source.decode("utf-8", "replace") if shown == "source" else ""
    return render_template("mailbox/message.html", kept=kept, kinds=kinds, shown=shown, source=source)


@blueprint.get("/<key>/body")
def body(key: str) -> ResponseReturnValue:
    """The HTML part by itself, for the frame of its page; links open outside the frame."""
    kept = _maildir().get(key)
    if kept.html is None:
        abort(404)
    show_mail()
    return Response(
        _HEAD.sub(lambda match: match[0] + '<base target="_blank">', kept.html, count=1), mimetype="text/html"
    )


@blueprint.get("/<key>.eml")
def download(key: str) -> ResponseReturnValue:
    """The message as it arrived."""
    kept = _maildir().get(key)
    return Response(
        kept.source, mimetype="message/rfc822", headers={"Content-Disposition": f'attachment; filename="{key}.eml"'}
    )


@blueprint.post("/clear")
def clear() -> ResponseReturnValue:
    """Deletes everything."""
    count = _maildir().clear()
    flash(ngettext("One message deleted.", "%(num)s messages deleted.", count), "success")
    return redirect(url_for("mailbox.index"))


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {"shown_names": {"html": gettext("As mail"), "text": gettext("Text part"), "source": gettext("Source")}}
