"""The JSON sign-up: what there is to subscribe to, work for a proof, and the sign-up itself. `docs/audience.md` is its
manual. The same door as every form: `mailer.audience.entrance`.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from mailer import newsletters
from mailer.addresses import parse_address
from mailer.audience import entrance
from mailer.audience.admission import is_pressed
from mailer.audience.answers import questions_of
from mailer.audience.proofs import make_challenge
from mailer.audience.rules import Verdict
from mailer.audience.typos import suggest
from mailer.audience.wordings import find_or_add_wording, find_wording
from mailer.errors import MailerError, NotFoundError, RuleError
from mailer.i18n import LOCALES, N_
from mailer.links import absolute
from mailer.newsletters.models import Newsletter
from mailer.newsletters.questions import AnswerError
from mailer.web.api import blueprint
from mailer.web.api.origins import find_open_newsletter
from mailer.web.database import commit, get_session
from mailer.web.even_times import on_the_beat
from mailer.web.failures import error_page, say
from mailer.web.forms import strip
from mailer.web.limits import limiter
from mailer.web.locale import current_locale, gettext
from mailer.web.sign_ups import REFUSALS, latest_issue, sender, sign_up_wording
from mailer.web.stamps import make_stamp, seconds_open

# Half of a pair of UTF-16: JSON can say it, and no encoding can.
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class _FieldError(RuleError):
    """A member of the body that cannot be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@blueprint.route("/newsletters/<slug>", methods=["GET", "OPTIONS"])
@limiter.limit("60 per minute", methods=["GET"])
def newsletter(slug: str) -> ResponseReturnValue:
    """What a form must show and send: the lists, the sentence to agree to, when it was shown, whether work is asked."""
    found = find_open_newsletter(slug)
    if request.method == "OPTIONS":
        return "", 204
    session = get_session()
    lists = newsletters.list_lists(session, newsletter_id=found.id, is_public=True)
    wording = find_or_add_wording(session, "sign_up", sign_up_wording(lists))
    answer = {
        "newsletter": {
            "slug": found.slug, "title": found.title, "description": found.description, "publisher": found.publisher,
            "frequency": found.frequency, "language": found.language, "contact": found.contact,
        },
        "lists": [
            {
                "slug": each.slug, "name": each.name, "description": each.description, "opt_in": each.opt_in,
                "questions": [asdict(question) for question in questions_of([each])],
            }
            for each in lists
        ],
        "wording": {"id": wording.id, "text": wording.text},
        "stamp": make_stamp(time.time()),
        "proof_required": is_pressed(session),
        "challenge_url": absolute(url_for("api.challenge", slug=slug)),
        "privacy_url": absolute(url_for("portal.privacy")),
    }  # fmt: skip
    commit()
    return jsonify(answer)


@blueprint.route("/newsletters/<slug>/challenge", methods=["GET", "OPTIONS"])
@limiter.limit("30 per minute", methods=["GET"])
def challenge(slug: str) -> ResponseReturnValue:
    """An ALTCHA challenge."""
    find_open_newsletter(slug)
    if request.method == "OPTIONS":
        return "", 204
    return jsonify(make_challenge(get_session()))


@blueprint.route("/newsletters/<slug>/subscriptions", methods=["POST", "OPTIONS"])
@limiter.limit("10 per minute; 60 per hour", methods=["POST"])
@on_the_beat
def subscribe(slug: str) -> ResponseReturnValue:
    """202, the same whatever the address is to us; 422 for what the sender can mend, 429 when there is no place."""
    found = find_open_newsletter(slug)
    if request.method == "OPTIONS":
        return "", 204
    try:
        body = request.get_json()
    except RecursionError:
        # Brackets within brackets, thousands deep: no JSON that anybody means.
        abort(400)
    if not isinstance(body, dict):
        raise _FieldError("body", N_("The body must be a JSON object."))
    knock = _read(found, body)
    try:
        verdict = entrance.enter(get_session(), knock, latest_issue)
    except AnswerError as error:
        raise _FieldError(f"answers.{error.key}", say(error)) from None
    if verdict is not Verdict.LET_IN:
        get_session().rollback()
        refused = {"error": gettext(REFUSALS[verdict]), "proof_required": verdict is Verdict.PROVE}
        return jsonify(refused), 429
    commit()
    message = gettext(N_("We are writing to %(email)s."), email=knock.email)
    return jsonify({"message": message, "suggestion": suggest(parse_address(knock.email))}), 202


def _text(body: Mapping[str, Any], field: str, default: str = "") -> str:
    value = body.get(field, default)
    if not isinstance(value, str) or "\x00" in value or len(value) > 5_000 or _SURROGATE.search(value):
        raise _FieldError(field, N_("This must be a text."))
    return value.strip()


def _answers(body: Mapping[str, Any]) -> dict[str, str]:
    given = body.get("answers", {})
    if not isinstance(given, dict):
        raise _FieldError("answers", N_("This must be an object of texts."))
    # A program may well say a number as a number.
    said = {key: str(value) if type(value) in {int, float} else value for key, value in given.items()}
    return {key: strip(_text(said, key)) or "" for key in said}


def _read(found: Newsletter, body: Mapping[str, Any]) -> entrance.Knock:
    if body.get("agree") is not True:
        raise _FieldError("agree", N_("Please tick this box if you agree; without it we may not write to you."))
    wording_id = body.get("wording")
    is_id = isinstance(wording_id, int) and not isinstance(wording_id, bool) and 0 < wording_id < 2**63
    wording = find_wording(get_session(), "sign_up", wording_id) if isinstance(wording_id, int) and is_id else None
    if wording is None:
        raise _FieldError("wording", N_("This must be the id of the sentence that was shown."))
    chosen = body.get("lists")
    public = newsletters.list_lists(get_session(), newsletter_id=found.id, is_public=True)
    by_slug = {each.slug: each.id for each in public}
    if (
        not isinstance(chosen, list)
        or not chosen
        or not all(isinstance(each, str) and each in by_slug for each in chosen)
    ):
        raise _FieldError("lists", N_("This must be short names of lists of this newsletter."))
    email = _text(body, "email")
    try:
        parse_address(email)
    except RuleError as error:
        raise _FieldError("email", say(error)) from None
    locale = _text(body, "locale", current_locale())
    return entrance.Knock(
        email=email,
        list_ids=[by_slug[each] for each in chosen],
        locale=locale if locale in LOCALES else current_locale(),
        wording=wording.text,
        name=_text(body, "name"),
        trap=_text(body, "website"),
        seconds=seconds_open(_text(body, "stamp"), time.time()),
        proof=_text(body, "altcha") or None,
        answers=_answers(body),
        **sender(),
    )


@blueprint.errorhandler(MailerError)
def _refused(error: MailerError) -> ResponseReturnValue:
    get_session().rollback()
    status = 404 if isinstance(error, NotFoundError) else 422
    if request.endpoint == "api.form":
        return error_page(status, say(error))
    answer = {"error": say(error)}
    if isinstance(error, _FieldError):
        answer["field"] = error.field
    return jsonify(answer), status


@blueprint.errorhandler(HTTPException)
def _failed(error: HTTPException) -> ResponseReturnValue:
    get_session().rollback()
    status = error.code or 500
    if request.endpoint == "api.form":
        return error_page(status)
    return jsonify({"error": error.name}), status
