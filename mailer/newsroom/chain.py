"""The chain of signatures that a newsletter wants: pure decisions about whose turn it is and who may sign."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from mailer.accounts.rules import Role
from mailer.errors import RuleError
from mailer.i18n import N_

MOST_STEPS = 3
STEP_NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class SigningStep:
    """One signature. Where `account_ids` names nobody, everyone of `role` may give it. An empty `name` is the plain
    approval of a newsletter that asks for one signature only.
    """

    name: str = ""
    role: Role = Role.APPROVER
    account_ids: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "role": str(self.role), "account_ids": list(self.account_ids)}


@dataclass(frozen=True, slots=True)
class Signatory:
    """An account, as far as signing looks at it."""

    id: int
    roles: Collection[str]


PLAIN_CHAIN = (SigningStep(),)


def chain_of(stored: Iterable[Mapping[str, Any]]) -> tuple[SigningStep, ...]:
    """The chain as the database keeps it; nothing stored is one signature of any approver."""
    steps = tuple(SigningStep(step["name"], Role(step["role"]), tuple(step["account_ids"])) for step in stored)
    return steps or PLAIN_CHAIN


def whose_turn(chain: tuple[SigningStep, ...], signed: int) -> tuple[SigningStep, bool]:
    """The step that comes after `signed` signatures, and whether it is the last. A chain that was made shorter
    meanwhile still wants its last signature.
    """
    at = min(signed, len(chain) - 1)
    return chain[at], at == len(chain) - 1


def count_signed(chain: tuple[SigningStep, ...], names: Collection[str]) -> int:
    """How many of the first steps of a chain are among the `names` of those that were signed, perhaps by another chain:
    a signature counts for the step it was given for, and for no other.
    """
    return next((at for at, step in enumerate(chain) if step.name not in names), len(chain))


def find_capacity(step: SigningStep, who: Signatory, principals: Iterable[Signatory]) -> int | None:
    """The id of the account in whose right `who` may sign `step`: their own, or one they stand in for now."""
    return next((one.id for one in (who, *principals) if _is_named(step, one)), None)


def _is_named(step: SigningStep, who: Signatory) -> bool:
    return who.id in step.account_ids if step.account_ids else step.role in who.roles


def check_eyes(*, is_four_eyes: bool, submitted_by: int | None, signed_by: Collection[int], signer: int | None) -> None:
    """Four eyes: who submitted an issue does not sign it, and nobody signs two steps. Raises `RuleError`."""
    if not is_four_eyes or signer is None:
        return
    if submitted_by == signer:
        raise RuleError(N_("You submitted this issue; this newsletter wants another pair of eyes to approve it."))
    if signer in signed_by:
        raise RuleError(N_("You have signed an earlier step; this newsletter wants another pair of eyes for each."))


def has_eyes_for(able: Sequence[Collection[int]]) -> bool:
    """Whether each step of a chain can be signed by another person; `able` are those who may, step by step."""
    return any(len(set(chosen)) == len(chosen) for chosen in product(*able))


def check_chain(steps: Iterable[SigningStep]) -> tuple[SigningStep, ...]:
    """A chain as somebody wrote it, trimmed. Raises `RuleError` unless it has one to three steps, each with a name of
    its own where there are several.
    """
    chain = tuple(SigningStep(" ".join(step.name.split()), step.role, step.account_ids) for step in steps)
    if not 1 <= len(chain) <= MOST_STEPS:
        raise RuleError(N_("An approval has one to three steps."))
    names = [step.name for step in chain]
    if any(len(name) > STEP_NAME_LENGTH for name in names):
        raise RuleError(N_("The name of a step has at most %(limit)s characters."), limit=str(STEP_NAME_LENGTH))
    if len(chain) > 1 and (not all(names) or len(set(names)) < len(names)):
        raise RuleError(N_("Each step of an approval needs a name of its own, such as 审核 or 签发."))
    return chain
