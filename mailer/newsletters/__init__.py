"""The periodical's identity: newsletters and their lists. What others may call stands here."""

from mailer.newsletters.lists import (
    archive_list,
    change_list,
    create_list,
    get_list,
    get_list_by_name,
    list_id_of,
    list_lists,
    restore_list,
)
from mailer.newsletters.periodicals import (
    archive_newsletter,
    change_newsletter,
    create_newsletter,
    find_newsletter_by_slug,
    get_newsletter,
    get_newsletter_by_slug,
    list_newsletters,
)

__all__ = [
    "archive_list",
    "archive_newsletter",
    "change_list",
    "change_newsletter",
    "create_list",
    "create_newsletter",
    "find_newsletter_by_slug",
    "get_list",
    "get_list_by_name",
    "get_newsletter",
    "get_newsletter_by_slug",
    "list_id_of",
    "list_lists",
    "list_newsletters",
    "restore_list",
]
