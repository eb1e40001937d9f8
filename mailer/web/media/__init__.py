"""Pictures of articles, for mail, archive and desk: public, and the same for ever."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from mailer.newsroom.pictures import get_picture
from mailer.web.database import get_session

blueprint = Blueprint("media", __name__)


@blueprint.get("/media/<name>")
def picture(name: str) -> ResponseReturnValue:
    """A picture by the hash of its content: whoever has it once need never ask again."""
    found = get_picture(get_session(), name)
    answer = Response(found.content, mimetype=found.media_type)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    # A webmail shows it on its own site.
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.set_etag(found.name)
    return answer.make_conditional(request)
