"""What was saved of an article: as it is typed, version by version, side by side, and back again."""

from typing import Any

from flask import abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter
from mailer.newsroom import editing, restoring
from mailer.newsroom.comparing import Row, compare, compare_html, is_same
from mailer.newsroom.models import ArticleVersion
from mailer.newsroom.versions import get_version, list_versions
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import ArticleForm
from mailer.web.desk.issues import tell_withdrawn
from mailer.web.desk.rights import may_edit, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.failures import say
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

FIELDS = ("title", "section", "source", "page")
LABELS = {
    "title": N_("Title"),
    "section": N_("Section"),
    "source": N_("Taken from"),
    "page": N_("Page in print"),
}


@blueprint.post("/articles/<int:article_id>/autosave")
@only(may_edit)
def article_autosave(article_id: int) -> ResponseReturnValue:
    """For the editor's script: saved, or why not, as JSON; `is_over` where trying again would not help."""
    session = get_session()
    form = ArticleForm()
    article = editing.get_article(session, article_id)
    if not form.validate():
        return jsonify(message=gettext("Not saved yet: something in the form needs your attention.")), REFUSED
    try:
        editing.autosave_article(
            session, article, revision=int(form.revision.data or 0), by=get_account(), **_values(form)
        )
    except RuleError as error:
        session.rollback()
        return jsonify(message=say(error), is_over=True), REFUSED
    commit()
    return jsonify(revision=article.revision)


@blueprint.post("/issues/<int:issue_id>/articles/autosave")
@only(may_edit)
def article_autosave_new(issue_id: int) -> ResponseReturnValue:
    """The first saving of a new article; the script goes on at the address it is told."""
    session = get_session()
    form = ArticleForm()
    issue = editing.get_issue(session, issue_id)
    try:
        values = _values(form)
        values["title"] = values["title"] or gettext("Untitled")
        article = editing.add_article(session, issue, by=get_account(), **values)
    except RuleError as error:
        session.rollback()
        return jsonify(message=say(error), is_over=True), REFUSED
    commit()
    return jsonify(
        revision=article.revision,
        page=url_for("desk.article", article_id=article.id),
        autosave=url_for("desk.article_autosave", article_id=article.id),
    )


def _values(form: ArticleForm) -> dict[str, Any]:
    return {name: form[name].data for name in FIELDS} | {"body": form.body.data or ""}


@blueprint.get("/articles/<int:article_id>/versions")
def article_versions(article_id: int) -> ResponseReturnValue:
    """Every version, and two of them side by side: those asked for, or the last two."""
    session = get_session()
    article = editing.get_article(session, article_id)
    versions = list_versions(session, article_id)
    numbers = [version.id for version, _ in versions]
    chosen_new = request.args.get("new", numbers[0] if numbers else 0, type=int)
    following = numbers[numbers.index(chosen_new) + 1 :] if chosen_new in numbers else []
    chosen_old = request.args.get("old", following[0] if following else chosen_new, type=int)
    # Whichever was ticked as which: what came first stands at the left.
    old, new = (
        (_of(session, article_id, number) for number in sorted((chosen_old, chosen_new))) if numbers else (None, None)
    )
    rows = compare_html(old.body, new.body) if old and new else []
    return render_template(
        "desk/versions.html",
        article=article,
        issue=article.issue,
        newsletter=get_newsletter(session, article.issue.newsletter_id),
        versions=versions,
        old=old,
        new=new,
        rows=rows,
        fields=_fields(old, new) if old and new else [],
        is_only_form=bool(old and new and old.body != new.body and is_same(rows)),
    )


def _of(session: Session, article_id: int, number: int) -> ArticleVersion:
    version = get_version(session, number)
    if version.article_id != article_id:
        abort(404)
    return version


def _fields(old: ArticleVersion, new: ArticleVersion) -> list[tuple[str, list[Row]]]:
    """The fields beside the text that differ, each with its label."""
    return [
        (label, compare(str(getattr(old, name) or ""), str(getattr(new, name) or "")))
        for name, label in LABELS.items()
        if getattr(old, name) != getattr(new, name)
    ]


@blueprint.post("/articles/<int:article_id>/restore")
@only(may_edit)
def article_restore(article_id: int) -> ResponseReturnValue:
    session = get_session()
    article = editing.get_article(session, article_id)
    issue, state = article.issue, article.issue.state
    version = get_version(session, request.form.get("version", 0, type=int))
    revision = request.form.get("revision", 0, type=int)
    with commit_or_tell(gettext("Restored. What stood there before is a version too.")):
        restoring.restore(session, article, version, revision=revision, by=get_account())
        tell_withdrawn(issue, state)
    return redirect(url_for("desk.article_versions", article_id=article_id))


@blueprint.post("/versions/<int:version_id>/back")
@only(may_edit)
def article_bring_back(version_id: int) -> ResponseReturnValue:
    session = get_session()
    version = get_version(session, version_id)
    issue = editing.get_issue(session, version.issue_id)
    state = issue.state
    with commit_or_tell():
        restoring.bring_back(session, issue, version, by=get_account())
        flash(gettext("“%(title)s” is back.", title=version.title), "success")
        tell_withdrawn(issue, state)
    return redirect(url_for("desk.issue", issue_id=version.issue_id, _anchor=f"article-{version.article_id}"))
