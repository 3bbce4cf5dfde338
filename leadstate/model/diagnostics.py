"""What went wrong or deserves a look, as data: a code, a place, a fix."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from leadstate.model.address import Address, Span


class Severity(StrEnum):
    """How bad it is: an error (exit 1), a refusal by a guard (exit 3), or a remark."""

    ERROR = "error"
    GUARD = "guard"
    WARNING = "warning"


ALLOWED: Final = "allowed for this run"
"""The hint of a guard that the user has lifted."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One diagnostic.

    Attributes:
        code: stable, kebab-case; for a guard also what `--allow` takes.
        severity: see `Severity`.
        summary: one line: what happened.
        detail: more lines, or nothing.
        hint: what to do about it.
        span: where in the files, if anywhere.
        excerpt: the source line with a marker below it, secrets masked.
        account: the account concerned, if one.
        address: the object concerned, if one.
    """

    code: str
    severity: Severity
    summary: str
    detail: str = ""
    hint: str = ""
    span: Span | None = None
    excerpt: str = ""
    account: str | None = None
    address: Address | None = None

    def as_warning(self) -> "Diagnostic":
        """The same diagnostic after the user has allowed it."""
        return replace(self, severity=Severity.WARNING, hint=ALLOWED)


def error(code: str, summary: str, *, hint: str = "", detail: str = "", span: Span | None = None) -> Diagnostic:
    """An error that is not yet tied to an account."""
    return Diagnostic(code, Severity.ERROR, summary, detail=detail, hint=hint, span=span)


def worst(diagnostics: Iterable[Diagnostic]) -> Severity | None:
    """The gravest severity, or None where there is nothing."""
    order = (Severity.ERROR, Severity.GUARD, Severity.WARNING)
    return min((d.severity for d in diagnostics), key=order.index, default=None)


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 lead`, `1,204 leads`; `2 entries` where the plural is given."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


NAMED = 20
"""Names that a line holds."""


def some(names: Sequence[str], most: int = NAMED) -> str:
    """The first names of many, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
