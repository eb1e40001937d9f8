"""Directories that lists follow: set up, tried, switched on, read now, paused; each run with its report."""

from collections.abc import Iterator
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer.audience.directories import registry, runs
from mailer.audience.directories.models import Directory
from mailer.audience.directories.rules import (
    COUNTS,
    RUN_OPEN,
    DirectoryKind,
    DirectoryState,
    Finding,
    Mapping,
    RunState,
    is_too_many,
)
from mailer.audience.spreadsheets import Row
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters import get_list, list_lists
from mailer.settings import get_settings
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, place
from mailer.web.admin.asking import ask
from mailer.web.admin.directory_forms import FORMS, DirectoryForm, read, shown
from mailer.web.admin.subscribers import list_choices
from mailer.web.admin.words import word
from mailer.web.database import get_session
from mailer.web.downloading import Taken, download
from mailer.web.forms import REFUSED
from mailer.web.limits import limiter
from mailer.web.locale import gettext

FINDINGS_SHOWN = 100


@blueprint.get("/directories")
def directories() -> ResponseReturnValue:
    """By name, each with its latest run."""
    session = get_session()
    found = registry.list_directories(session)
    return render_template(
        "admin/directories.html",
        directories=found,
        latest=runs.find_latest(session, [each.id for each in found]),
        lists={each.id: each for each in list_lists(session, has_archived=True)},
    )


@blueprint.get("/directories/new")
def directory_kinds() -> ResponseReturnValue:
    """Where it is read from."""
    return render_template("admin/directory_kinds.html")


@blueprint.route("/directories/new/<kind>", methods=["GET", "POST"])
def directory_create(kind: str) -> ResponseReturnValue:
    """Form and act."""
    if kind not in list(DirectoryKind):
        abort(404)
    form = FORMS[DirectoryKind(kind)]()
    form.list_id.choices = list_choices()
    if form.validate_on_submit():
        try:
            values = read(form, DirectoryKind(kind))
            made = registry.create_directory(
                get_session(), by=actor(), ip=place(), secret=_secret(form) or "", **values
            )
        except RuleError as error:
            get_session().rollback()
            form.refuse(error)
        else:
            done(N_("The directory is saved. Try it: nothing is changed by that."))
            return redirect(url_for("admin.directory", directory_id=made.id))
    return _form(form, kind, None)


@blueprint.route("/directories/<int:directory_id>/edit", methods=["GET", "POST"])
def directory_change(directory_id: int) -> ResponseReturnValue:
    """Form and act; an empty key leaves the old one."""
    session = get_session()
    directory = registry.get_directory(session, directory_id)
    form = FORMS[DirectoryKind(directory.kind)](data=shown(directory) if request.method != "POST" else None)
    form.list_id.choices = list_choices()
    if form.validate_on_submit():
        try:
            values = read(form, DirectoryKind(directory.kind))
            registry.change_directory(session, directory, by=actor(), ip=place(), secret=_secret(form), **values)
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            done(N_("Saved."))
            return redirect(url_for("admin.directory", directory_id=directory_id))
    return _form(form, directory.kind, directory)


def _secret(form: DirectoryForm) -> str | None:
    return (form["secret"].data or None) if "secret" in form else None


def _form(form: DirectoryForm, kind: str, directory: Directory | None) -> ResponseReturnValue:
    page = render_template(
        "admin/directory_form.html",
        form=form,
        kind=kind,
        shown=directory,
        folder=get_settings().directory_dir,
        hosts=[host for host in get_settings().directory_hosts.split(",") if host],
        zone=get_settings().time_zone,
    )
    return page, REFUSED if form.errors else 200


@blueprint.get("/directories/<int:directory_id>")
def directory(directory_id: int) -> ResponseReturnValue:
    """How it stands, what it has done, and what can be done."""
    session = get_session()
    found = registry.get_directory(session, directory_id)
    history = runs.list_runs(session, directory_id)
    return render_template(
        "admin/directory.html",
        directory=found,
        target=get_list(session, found.list_id),
        mapping=Mapping.from_json(found.mapping),
        members=registry.count_members(session, directory_id),
        runs=history,
        is_open=bool(history) and history[0].state in RUN_OPEN,
        is_tried=found.tried_revision == found.revision,
        waiting=runs.find_waiting(session, directory_id),
        zone=get_settings().time_zone,
    )


@blueprint.post("/directories/<int:directory_id>/try")
@limiter.limit("20 per minute")
def directory_try(directory_id: int) -> ResponseReturnValue:
    """A dry run, by a worker."""
    return _start(directory_id, is_dry=True)


@blueprint.post("/directories/<int:directory_id>/run")
@limiter.limit("20 per minute")
def directory_run_now(directory_id: int) -> ResponseReturnValue:
    """A run out of turn, by a worker."""
    return _start(directory_id, is_dry=False)


def _start(directory_id: int, *, is_dry: bool) -> ResponseReturnValue:
    session = get_session()
    found = registry.get_directory(session, directory_id)
    run = runs.ask_for_run(session, found, is_dry=is_dry, by=actor(), ip=place())
    done(
        N_("The directory is being read. Nothing is changed by trying it.")
        if is_dry
        else N_("The directory is being read.")
    )
    return redirect(url_for("admin.directory_run", run_id=run.id))


@blueprint.post("/directories/<int:directory_id>/on")
def directory_switch_on(directory_id: int) -> ResponseReturnValue:
    """Every night from now on."""
    session = get_session()
    registry.switch_on(session, registry.get_directory(session, directory_id), by=actor(), ip=place())
    done(N_("Switched on: it is read every night from now on."))
    return redirect(url_for("admin.directory", directory_id=directory_id))


@blueprint.post("/directories/<int:directory_id>/pause")
def directory_pause(directory_id: int) -> ResponseReturnValue:
    """Until it is switched on again."""
    session = get_session()
    registry.pause(session, registry.get_directory(session, directory_id), by=actor(), ip=place())
    done(N_("Paused: the list stays as it is."))
    return redirect(url_for("admin.directory", directory_id=directory_id))


@blueprint.route("/directories/<int:directory_id>/remove", methods=["GET", "POST"])
def directory_remove(directory_id: int) -> ResponseReturnValue:
    """Asks, then removes."""
    session = get_session()
    found = registry.get_directory(session, directory_id)
    if request.method != "POST":
        return ask(
            gettext(N_("Remove the directory “%(name)s”?"), name=found.name),
            consequence=gettext(
                N_("Its runs and its key are gone for good. The readers it brought stay; nothing takes them off then.")
            ),
            yes=gettext(N_("Remove")),
            back=url_for("admin.directory", directory_id=directory_id),
        )
    registry.remove_directory(session, found, by=actor(), ip=place())
    done(N_("The directory is removed."))
    return redirect(url_for("admin.directories"))


@blueprint.get("/directories/runs/<int:run_id>")
def directory_run(run_id: int) -> ResponseReturnValue:
    """What it found, and what came of it."""
    return render_template("admin/directory_run.html", **_state_of(run_id))


@blueprint.get("/directories/runs/<int:run_id>/state")
def directory_run_state(run_id: int) -> ResponseReturnValue:
    """The part of the page that changes while a worker reads; htmx asks for it until it is over."""
    return render_template("admin/directory_run_state.html", **_state_of(run_id))


@blueprint.post("/directories/runs/<int:run_id>/approve")
def directory_run_approve(run_id: int) -> ResponseReturnValue:
    """Agrees to those whom a stopped run would take off; it is read again."""
    session = get_session()
    run = runs.approve(session, runs.get_run(session, run_id), by=actor(), ip=place())
    done(N_("Agreed. The directory is being read again."))
    return redirect(url_for("admin.directory_run", run_id=run.id))


@blueprint.get("/directories/runs/<int:run_id>/report.<kind>")
def directory_run_report(run_id: int, kind: str) -> ResponseReturnValue:
    """Everybody the run names, and why somebody was refused, in the reader's language. Streamed and recorded."""
    run = runs.get_run(get_session(), run_id)
    header = (gettext(N_("Line")), gettext(N_("Value")), gettext(N_("Outcome")), gettext(N_("Reason")))
    outcomes = {kind: word("finding", kind) for kind in Finding}
    reasons = {reason: gettext(reason) for reason in runs.list_reasons(get_session(), run.id)}

    def rows(session: Session) -> Iterator[Row]:
        for each in runs.stream_findings(session, run_id):
            yield each.line, each.value, outcomes[Finding(each.kind)], reasons.get(each.reason, each.reason)

    taken = Taken("directory.report_exported", "directory", run.directory_id, {"run_id": run.id})
    return download(f"directory-run-{run.id}", kind, header, rows, taken=taken)


def _state_of(run_id: int) -> dict[str, Any]:
    session = get_session()
    run = runs.get_run(session, run_id)
    found = registry.get_directory(session, run.directory_id)
    kind = request.args.get("kind", "")
    kind = kind if kind in list(Finding) else ""
    after = request.args.get("after", 0, type=int)
    findings = runs.list_findings(
        session, run_id, kind=Finding(kind) if kind else None, after=after, limit=FINDINGS_SHOWN + 1
    )
    waiting = runs.find_waiting(session, found.id)
    removed = run.counts.get("removed", 0)
    return {
        "run": run,
        "directory": found,
        "target": get_list(session, found.list_id),
        "is_open": run.state in RUN_OPEN,
        "is_waiting": waiting is not None and waiting.id == run.id and run.revision == found.revision,
        "would_stop": run.is_dry
        and run.state == RunState.FINISHED
        and is_too_many(removed, run.members, percent=found.limit_percent, count=found.limit_count),
        "may_switch_on": found.state != DirectoryState.ON
        and found.tried_revision == found.revision == run.revision
        and run.is_dry,
        "kinds": [kind for kind in COUNTS if run.counts.get(kind) and kind != "unchanged"],
        "counts": {kind: run.counts.get(kind, 0) for kind in COUNTS},
        "kind": kind,
        "findings": findings[:FINDINGS_SHOWN],
        "next": findings[FINDINGS_SHOWN - 1].ordinal if len(findings) > FINDINGS_SHOWN else None,
        "is_first": not after,
        "has_report": bool(findings) or bool(kind) or bool(after),
    }
