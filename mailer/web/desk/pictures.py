"""Pictures go into an article: at once from the editor, or by a plain form at its end."""

from contextlib import closing

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from mailer import links
from mailer.errors import MailerError, RuleError, UnreadableError
from mailer.i18n import N_
from mailer.newsroom import editing, pictures
from mailer.newsroom.models import Picture
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.issues import tell_withdrawn
from mailer.web.desk.rights import may_edit, only
from mailer.web.failures import say
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account


def _upload() -> Picture:
    file = request.files.get("picture")
    if file is None or not file.filename:
        raise RuleError(N_("Choose a file first."))
    with closing(file):
        return pictures.keep_picture(get_session(), file.read(), by=get_account())


@blueprint.post("/pictures")
@only(may_edit)
def picture_new() -> ResponseReturnValue:
    """For the editor's script: where the picture lies and how wide it is shown, or what is wrong with it."""
    try:
        kept = _upload()
    except (RuleError, UnreadableError) as error:
        get_session().rollback()
        return jsonify(message=say(error)), REFUSED
    commit()
    return jsonify(src=links.media_url(kept.name), width=min(kept.width, pictures.SHOWN_WIDTH))


@blueprint.post("/articles/<int:article_id>/pictures")
@only(may_edit)
def article_picture(article_id: int) -> ResponseReturnValue:
    """A picture at the end of an article, without script."""
    session = get_session()
    article = editing.get_article(session, article_id)
    issue, state = article.issue, article.issue.state
    try:
        alt = pictures.check_alt(request.form.get("alt", ""))
        body = article.body + pictures.as_html(_upload(), alt)
        revision = request.form.get("revision", 0, type=int)
        editing.change_article(session, article, revision=revision, by=get_account(), body=body)
    except (RuleError, UnreadableError) as error:
        _tell(error)
    else:
        commit()
        flash(gettext("The picture stands at the end of the article."), "success")
        tell_withdrawn(issue, state)
    return redirect(url_for("desk.article", article_id=article_id))


def _tell(error: MailerError) -> None:
    get_session().rollback()
    flash(say(error), "error")
