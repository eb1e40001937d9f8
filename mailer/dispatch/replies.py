"""What a server's reply means: the table `replies.toml`, read once, and the one function that looks things up in it.

A reply is judged by the step it answered, its code, its enhanced status code and its words, not by its first digit
alone: QQ and NetEase answer 5xx for "slow down". What holds whatever the table says:

* a 4xx and a missing reply are never a refusal for good;
* only a class about the address may suppress it, and before RCPT no reply is about an address;
* a 552 never suppresses: it speaks of room, for the message or in the mailbox (RFC 5321 section 4.2.3);
* what is about a provider or a relay burns no attempt of a recipient's budget.
"""

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Any

from mailer.dispatch.rules import Outcome

# The steps at which a recipient has been named; before them a reply cannot be about an address.
NAMED = frozenset({"rcpt", "data", "content"})


class About(StrEnum):
    """Whom a class of replies is about."""

    ADDRESS = "address"
    MESSAGE = "message"
    PROVIDER = "provider"
    RELAY = "relay"


class Action(StrEnum):
    """What a reply asks for."""

    RETRY = "retry"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class ReplyClass:
    """A class of replies, and what it means in both languages."""

    name: str
    about: About
    zh: str
    en: str
    suppresses: bool = False
    slows: bool = False

    def meaning(self, locale: str) -> str:
        return self.zh if locale.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply comes to. `rule` names the entry of the table that decided (empty: the code alone)."""

    reply_class: str
    outcome: Outcome
    is_relay_fault: bool = False
    is_connection_used_up: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of the table; see the head of `replies.toml`."""

    name: str
    reply_class: ReplyClass
    action: Action
    codes: tuple[str, ...]
    enhanced: tuple[str, ...]
    stages: frozenset[str]
    pattern: re.Pattern[str] | None
    does_reconnect: bool

    def fits(self, stage: str, code: str, enhanced: str, text: str) -> bool:
        return (
            (stage in NAMED or self.reply_class.about is not About.ADDRESS)
            and not (self.reply_class.suppresses and code == "552")
            and (not self.stages or stage in self.stages)
            and (not self.codes or code.startswith(self.codes))
            and (not self.enhanced or any(_is_covered(enhanced, wanted) for wanted in self.enhanced))
            and (self.pattern is None or self.pattern.search(text) is not None)
        )


@dataclass(frozen=True, slots=True)
class Table:
    """The whole of `replies.toml`."""

    classes: dict[str, ReplyClass]
    rules: tuple[Rule, ...]


def judge(stage: str, code: int, enhanced: str | None, text: str) -> Verdict:
    """What a negative reply (4xx or 5xx) to `stage` comes to. Any other code is a conversation gone wrong."""
    table = get_table()
    if not 400 <= code < 600:
        return _verdict(table.classes["protocol"], Action.RETRY, code=code)
    flat = text.replace("\n", " ")
    for rule in table.rules:
        if rule.fits(stage, str(code), enhanced or "", flat):
            return _verdict(rule.reply_class, rule.action, code=code, rule=rule)
    name = "temporary" if code < 500 else "unknown"
    if stage not in NAMED:
        name = "protocol"
    return _verdict(table.classes[name], Action.REJECT, code=code)


def judge_silence(stage: str) -> Verdict:
    """What it comes to when a step got no reply at all; before any content, nothing is lost."""
    name = {"starttls": "tls", "auth": "relay_access"}.get(stage, "connection")
    return Verdict(name, Outcome.DEFERRED, is_relay_fault=True)


def meaning(reply_class: str, locale: str) -> str:
    """What a class means, for a page; the name itself where the table no longer has it."""
    found = get_table().classes.get(reply_class)
    return found.meaning(locale) if found else reply_class


def is_about_address(reply_class: str) -> bool:
    """Whether a rejection of this class says that the address itself is dead: it is suppressed."""
    found = get_table().classes.get(reply_class)
    return found is not None and found.suppresses


def is_providers_limit(reply_class: str) -> bool:
    """Whether the provider asks to be left alone for a while, whoever the recipient is."""
    found = get_table().classes.get(reply_class)
    return found is not None and found.slows


def is_quota(reply_class: str) -> bool:
    """Whether the provider takes no more until its day is over."""
    return reply_class == "quota"


def _verdict(found: ReplyClass, action: Action, *, code: int, rule: Rule | None = None) -> Verdict:
    is_final = action is Action.REJECT and code >= 500
    return Verdict(
        reply_class=found.name,
        outcome=Outcome.REJECTED if is_final else Outcome.DEFERRED,
        is_relay_fault=not is_final and found.about in {About.PROVIDER, About.RELAY},
        is_connection_used_up=rule is not None and rule.does_reconnect,
        rule=rule.name if rule else "",
    )


def _is_covered(enhanced: str, wanted: str) -> bool:
    if wanted.endswith("."):
        return enhanced.startswith(wanted)
    return enhanced == wanted


@lru_cache(maxsize=1)
def get_table() -> Table:
    """The table, read once per process. A test proves that it is sound; a broken one raises as `read_table` does."""
    raw = tomllib.loads(resources.files("mailer.dispatch").joinpath("replies.toml").read_text(encoding="utf-8"))
    return read_table(raw)


def read_table(raw: dict[str, Any]) -> Table:
    """Raises `ValueError`, `KeyError` or `re.error` where an entry is not what the head of `replies.toml` says."""
    classes = {
        name: ReplyClass(name=name, **{**entry, "about": About(entry["about"])}) for name, entry in raw["class"].items()
    }
    for found in classes.values():
        if found.suppresses and found.about is not About.ADDRESS:
            raise ValueError(f"reply class {found.name}: one about the {found.about} must not suppress an address")
    return Table(classes, tuple(_read_rule(entry, classes) for entry in raw["rule"]))


def _read_rule(entry: dict[str, Any], classes: dict[str, ReplyClass]) -> Rule:
    known = {"name", "class", "action", "codes", "enhanced", "stages", "pattern", "reconnect"}
    if unknown := entry.keys() - known:
        raise ValueError(f"reply rule {entry.get('name')}: unknown keys {sorted(unknown)}")
    return Rule(
        name=entry["name"],
        reply_class=classes[entry["class"]],
        action=Action(entry["action"]),
        codes=tuple(entry.get("codes", ())),
        enhanced=tuple(entry.get("enhanced", ())),
        stages=frozenset(entry.get("stages", ())),
        pattern=re.compile(entry["pattern"], re.IGNORECASE) if "pattern" in entry else None,
        does_reconnect=bool(entry.get("reconnect", False)),
    )
