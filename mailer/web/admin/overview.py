"""The admin's first page: what wants attention, and whether the service is well."""

from flask import render_template
from flask.typing import ResponseReturnValue

from mailer.reports.attention import get_attention
from mailer.web.admin import blueprint
from mailer.web.database import get_session


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Counts at once; the health checks, which talk to other servers, come when the page is there."""
    return render_template("admin/index.html", attention=get_attention(get_session()))


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """The checks as a part of a page, or as a page of their own where there is no script."""
    from mailer.reports.health import check_everything  # pulls in the SMTP client, which no other page needs

    return render_template("admin/health.html", checks=check_everything())
