"""A newsletter's standing blocks: kept here, put into articles from the editor."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mailer.errors import RuleError
from mailer.newsletters import get_newsletter
from mailer.newsroom import blocks
from mailer.newsroom.plain_text import from_plain, is_plain, to_plain
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import BlockForm
from mailer.web.desk.rights import may_edit, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account


@blueprint.route("/newsletters/<int:newsletter_id>/blocks", methods=["GET", "POST"])
@only(may_edit)
def newsletter_blocks(newsletter_id: int) -> ResponseReturnValue:
    session = get_session()
    newsletter = get_newsletter(session, newsletter_id)
    form = BlockForm()
    if form.validate_on_submit():
        body = from_plain(form.text.data or "")
        try:
            blocks.add_block(session, newsletter_id, name=form.name.data or "", body=body, by=get_account())
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            commit()
            flash(gettext("The block is kept. The editor's menu offers it now."), "success")
            return redirect(url_for("desk.newsletter_blocks", newsletter_id=newsletter_id))
    page = render_template(
        "desk/blocks.html",
        form=form,
        newsletter=newsletter,
        blocks=blocks.list_blocks(session, newsletter_id),
        to_plain=to_plain,
    )
    return page, REFUSED if form.is_submitted() else 200


@blueprint.route("/blocks/<int:block_id>", methods=["GET", "POST"])
@only(may_edit)
def block(block_id: int) -> ResponseReturnValue:
    session = get_session()
    found = blocks.get_block(session, block_id)
    form = BlockForm(name=found.name, text=to_plain(found.body))
    if form.validate_on_submit():
        text = form.text.data or ""
        is_untouched = from_plain(text) == from_plain(to_plain(found.body))
        body = found.body if is_untouched else from_plain(text)
        try:
            blocks.change_block(session, found, name=form.name.data or "", body=body, by=get_account())
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            commit()
            flash(gettext("Saved."), "success")
            return redirect(url_for("desk.newsletter_blocks", newsletter_id=found.newsletter_id))
    page = render_template(
        "desk/block.html",
        form=form,
        block=found,
        is_plain=is_plain(found.body),
        newsletter=get_newsletter(session, found.newsletter_id),
    )
    return page, REFUSED if form.is_submitted() else 200


@blueprint.post("/blocks/<int:block_id>/remove")
@only(may_edit)
def block_remove(block_id: int) -> ResponseReturnValue:
    session = get_session()
    found = blocks.get_block(session, block_id)
    newsletter_id = found.newsletter_id
    with commit_or_tell(gettext("The block is offered no more; where it stands already, it stays.")):
        blocks.remove_block(session, found, by=get_account())
    return redirect(url_for("desk.newsletter_blocks", newsletter_id=newsletter_id))
