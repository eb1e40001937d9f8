"""The outbox of letters: what the other rooms may call. See `docs/seams.md`."""

from mailer.letters.rules import LetterKind, LetterState
from mailer.letters.writing import write

__all__ = ["LetterKind", "LetterState", "write"]
