"""Newsletters, issues, their review, and their mailings."""

from flask import Blueprint

blueprint = Blueprint("desk", __name__)

# The views hang themselves on the blueprint, which therefore comes first.
from mailer.web.desk import (  # noqa: E402
    archiving,
    articles,
    blocks,
    commenting,
    forecasting,
    house,
    import_progress,
    importing,
    issues,
    launching,
    mailings,
    mending,
    newsletters,
    overview,
    pictures,
    preflight,
    previewing,
    reviewing,
    rights,
    rosters,
    scheduling,
    settings,
    telling,
    versions,
    windows,
)

__all__ = [
    "archiving",
    "articles",
    "blocks",
    "blueprint",
    "commenting",
    "forecasting",
    "house",
    "import_progress",
    "importing",
    "issues",
    "launching",
    "mailings",
    "mending",
    "newsletters",
    "overview",
    "pictures",
    "preflight",
    "previewing",
    "reviewing",
    "rights",
    "rosters",
    "scheduling",
    "settings",
    "telling",
    "versions",
    "windows",
]
