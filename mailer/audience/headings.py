"""What tables call their columns and their readers' states, here and in other newsletter systems. Pure.

listmonk: `ExportSubscribers` writes uuid, email, name, attributes, status. Mailchimp: the audience export ends in LEID,
EUID, NOTES; those of who left and who bounced have UNSUB_TIME and CLEAN_TIME. Mailman 3: Postorius writes addresses
alone, the REST API's members have address, delivery_mode and role. phpList: the columns of its user table, in words.
"""

from collections.abc import Sequence
from enum import StrEnum

from mailer.i18n import LOCALES


class Target(StrEnum):
    """What a column can mean."""

    IGNORE = ""
    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    LOCALE = "locale"
    # Kept with the reader under the column's heading.
    ATTRIBUTE = "attribute"
    # A JSON object of attributes, as listmonk writes it.
    ATTRIBUTES = "attributes"
    # How the other system stands with the reader: a word, a time that says so by being there, or 0 and 1.
    STATE = "state"
    LEFT_AT = "left_at"
    BLOCKED_AT = "blocked_at"
    CONFIRMED = "is_confirmed"
    BLACKLISTED = "is_blacklisted"


class Standing(StrEnum):
    """How the system a file comes from stands with a reader."""

    SUBSCRIBED = ""
    LEFT = "left"
    BLOCKED = "blocked"
    UNCONFIRMED = "unconfirmed"


class Source(StrEnum):
    """The system that wrote a file, as far as its headings tell."""

    TABLE = ""
    MAILER = "mailer"
    LISTMONK = "listmonk"
    MAILCHIMP = "mailchimp"
    MAILMAN = "mailman"
    PHPLIST = "phplist"


# Headings that no other system has together, folded.
_SIGNS: dict[Source, tuple[frozenset[str], ...]] = {
    Source.MAILER: (frozenset({"email", "newsletter", "list", "state", "source"}),),
    Source.LISTMONK: (frozenset({"uuid", "email", "attributes", "status"}),),
    Source.MAILCHIMP: (frozenset({"emailaddress", "leid", "euid"}), frozenset({"emailaddress", "memberrating"})),
    Source.MAILMAN: (
        frozenset({"address", "deliverymode"}),
        frozenset({"email", "deliverymode"}),
        frozenset({"address", "displayname", "role"}),
    ),
    Source.PHPLIST: (
        frozenset({"email", "isthisuserconfirmed", "isthisuserblacklisted"}),
        frozenset({"email", "isthissubscriberconfirmed", "isthissubscriberblacklisted"}),
        frozenset({"email", "confirmed", "blacklisted", "uniqid"}),
    ),
}
_HEADINGS: dict[Target, frozenset[str]] = {
    Target.EMAIL: frozenset({
        "email", "e-mail", "mail", "emailaddress", "e-mailaddress", "address", "subscriber", "邮箱", "电子邮件",
        "电子邮箱", "邮件", "地址", "邮箱地址", "邮件地址", "电子邮件地址", "电子邮箱地址", "email地址",
    }),
    Target.NAME: frozenset({"name", "fullname", "displayname", "姓名", "名字", "名称", "称呼", "订户姓名"}),
    Target.FIRST_NAME: frozenset({"firstname", "givenname", "名"}),
    Target.LAST_NAME: frozenset({"lastname", "surname", "familyname", "姓", "姓氏"}),
    Target.LOCALE: frozenset({"locale", "language", "lang", "preferredlanguage", "语言"}),
    Target.STATE: frozenset({"status", "state", "状态", "订阅状态"}),
    Target.LEFT_AT: frozenset({"unsubtime", "unsubscribedat", "退订时间"}),
    Target.BLOCKED_AT: frozenset({"cleantime", "cleanedat"}),
    Target.CONFIRMED: frozenset({"confirmed", "isthisuserconfirmed", "isthissubscriberconfirmed"}),
    Target.BLACKLISTED: frozenset({"blacklisted", "isthisuserblacklisted", "isthissubscriberblacklisted"}),
}  # fmt: skip
# What a heading means in one system only.
_OWN: dict[tuple[Source, str], Target] = {
    (Source.LISTMONK, "attributes"): Target.ATTRIBUTES,
    (Source.MAILER, "attributes"): Target.ATTRIBUTES,
    (Source.MAILER, "unsubscribedat"): Target.IGNORE,
    (Source.MAILMAN, "role"): Target.STATE,
    # An account that is disabled there is sent nothing, as one that is blacklisted.
    (Source.PHPLIST, "isthisaccountdisabled?"): Target.BLACKLISTED,
    (Source.PHPLIST, "disabled"): Target.BLACKLISTED,
}
_STATES: dict[str, Standing] = {
    **dict.fromkeys(("", "enabled", "subscribed", "confirmed", "active", "member", "已确认", "已订阅", "有效"),
                    Standing.SUBSCRIBED),
    **dict.fromkeys(("disabled", "unsubscribed", "left", "已退订", "退订"), Standing.LEFT),
    **dict.fromkeys(("blocklisted", "blacklisted", "cleaned", "bounced", "complained", "suppressed"),
                    Standing.BLOCKED),
}  # fmt: skip
NO = frozenset({"", "0", "no", "false", "n", "否"})
_LANGUAGES = {code.casefold(): code for code in LOCALES} | {
    "zh": "zh_CN", "zh-cn": "zh_CN", "zh-hans": "zh_CN", "中文": "zh_CN", "chinese": "zh_CN", "english": "en",
    "英文": "en", "en-us": "en", "en-gb": "en", "en_us": "en", "en_gb": "en",
}  # fmt: skip


def fold(heading: str) -> str:
    """A heading for comparing: without blanks, underscores, letter case, and what stands in parentheses."""
    return "".join(heading.partition("(")[0].casefold().replace("_", "").replace("\ufeff", "").split())


def find_source(folded: Sequence[str]) -> Source:
    """The system that writes such headings."""
    there = set(folded)
    return next((source for source, signs in _SIGNS.items() if any(sign <= there for sign in signs)), Source.TABLE)


def find_target(heading: str, source: Source) -> Target:
    """What a column of this (folded) heading means."""
    own = _OWN.get((source, heading))
    return (
        own
        if own is not None
        else next((target for target, known in _HEADINGS.items() if heading in known), Target.IGNORE)
    )


def standing_of(state: str) -> Standing:
    """A word that is not known is not taken for a yes."""
    return _STATES.get(state.casefold(), Standing.UNCONFIRMED)


def language(value: str) -> str:
    """One of `LOCALES`, or nothing."""
    return _LANGUAGES.get(value.casefold(), "")
