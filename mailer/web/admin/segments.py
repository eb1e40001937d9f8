"""Segments: made of conditions in a form, with how many readers they hold and who."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from mailer import newsletters
from mailer.audience import segments as room
from mailer.audience.conditions import KINDS, Kind, Test
from mailer.audience.estimating import glance
from mailer.audience.models import Segment
from mailer.audience.rules import SubscriptionState
from mailer.dispatch.segmentation import issue_times
from mailer.errors import MailerError, RuleError
from mailer.i18n import LOCALES, N_
from mailer.web.admin import blueprint
from mailer.web.admin.acting import actor, done, place
from mailer.web.admin.segment_forms import Group, as_groups, as_tree, carry_out, new_group, read_groups
from mailer.web.database import get_session
from mailer.web.failures import say
from mailer.web.forms import REFUSED, Form, at_most, lazy, required, strip


class SegmentForm(Form):
    """What it is called; its conditions are read by `segment_forms`."""

    name = StringField(lazy(N_("Name of the segment")), [required(), at_most(120)], filters=[strip])


@blueprint.get("/segments")
def segments() -> ResponseReturnValue:
    """By name."""
    return render_template("admin/segments.html", segments=room.list_segments(get_session()))


@blueprint.route("/segments/new", methods=["GET", "POST"])
def segment_create() -> ResponseReturnValue:
    """Form and act."""
    return _edit(None)


@blueprint.route("/segments/<int:segment_id>", methods=["GET", "POST"])
def segment(segment_id: int) -> ResponseReturnValue:
    """Form and act."""
    return _edit(room.get_segment(get_session(), segment_id))


@blueprint.post("/segments/conditions")
def segment_conditions() -> ResponseReturnValue:
    """The conditions as they were filled in, redrawn; for htmx, when a choice asks for other fields."""
    joint, groups = read_groups(request.form)
    groups = carry_out(groups, request.form.get("do", ""))
    return render_template("admin/segment_conditions.html", joint=joint, groups=groups, **_words())


@blueprint.post("/segments/count")
def segment_count() -> ResponseReturnValue:
    """How many the conditions hold as they stand, and who; for htmx, while they are filled in."""
    joint, groups = read_groups(request.form)
    return render_template("admin/segment_count.html", **_count(joint, groups))


@blueprint.post("/segments/<int:segment_id>/archive")
def segment_archive(segment_id: int) -> ResponseReturnValue:
    """Offered no longer."""
    found = room.get_segment(get_session(), segment_id)
    room.archive_segment(get_session(), found, by=actor(), ip=place())
    done(N_("The segment “%(name)s” is archived."), name=found.name)
    return redirect(url_for("admin.segments"))


def _edit(kept: Segment | None) -> ResponseReturnValue:
    form = SegmentForm(data={"name": kept.name if kept else ""} if request.method != "POST" else None)
    joint, groups = as_groups(kept.tree) if kept else ("all", [_first_group()])
    if form.is_submitted():
        joint, groups = read_groups(request.form)
        act = request.form.get("do", "")
        if act:
            groups = carry_out(groups, act)
        elif form.validate() and _save(kept, form, as_tree(joint, groups)):
            return redirect(url_for("admin.segments"))
    page = render_template(
        "admin/segment_form.html", form=form, kept=kept, joint=joint, groups=groups, **_words(), **_count(joint, groups)
    )
    return page, REFUSED if form.errors else 200


def _first_group() -> Group:
    """What a new segment's form shows holds, and is counted: the readers of the first list."""
    group = new_group()
    for offered in newsletters.list_lists(get_session(), has_archived=True)[:1]:
        group["rows"][0] |= {"list_id": str(offered.id), "state": SubscriptionState.CONFIRMED.value}
    return group


def _save(kept: Segment | None, form: SegmentForm, tree: Any) -> bool:
    session = get_session()
    values = {"name": form.name.data, "tree": tree, "by": actor(), "ip": place()}
    try:
        if kept is None:
            room.create_segment(session, **values)
        else:
            room.change_segment(session, kept, **values)
    except RuleError as error:
        session.rollback()
        form.refuse(error)
        return False
    done(N_("The segment “%(name)s” is saved."), name=form.name.data)
    return True


def _count(joint: str, groups: list[Group]) -> dict[str, Any]:
    """Nothing is said of conditions that are not complete but what is missing."""
    session = get_session()
    try:
        tree = room.check_tree(session, as_tree(joint, groups))
    except MailerError as error:
        return {"glance": None, "problem": say(error)}
    return {"glance": glance(session, tree, issue_times(session)), "problem": ""}


def _words() -> dict[str, Any]:
    session = get_session()
    return {
        "kinds": list(Kind),
        "forms": {kind.value: form.fields for kind, form in KINDS.items()},
        "tests": {kind.value: [test for test in form.fields if test] for kind, form in KINDS.items()},
        "first_tests": {kind.value: next(iter(form.fields)) for kind, form in KINDS.items()},
        "all_tests": list(Test),
        "lists": newsletters.list_lists(session, has_archived=True),
        "newsletters": newsletters.list_newsletters(session, has_archived=True),
        "states": list(SubscriptionState),
        "locales": LOCALES,
    }
