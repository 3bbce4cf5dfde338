"""What went wrong or deserves a look, as data: a code, a place, a fix; and the errors that a caller can meet.

    LeadstateError
    ├── ConfigurationError      the files are wrong; carries every diagnostic at once
    ├── SecretError             a token source gave nothing usable
    ├── ReportError             a stored report cannot be read
    └── ApiError                Pipedrive, or the way to it (leadstate.pipedrive.errors draws the rest)

Below the CLI a failure of one account or one change travels as a `Diagnostic` or an `Outcome`, not as an exception.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from leadstate.model.address import Address, Span

ALLOWED: Final = "allowed for this run"
"""The hint of a guard that the user has lifted."""

NAMED = 20
"""Names that a line holds."""


class Severity(StrEnum):
    """How bad it is: an error (exit 1), a refusal by a guard (exit 3), or a remark."""

    ERROR = "error"
    GUARD = "guard"
    WARNING = "warning"


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


def worst(diagnostics: Iterable[Diagnostic]) -> Severity | None:
    """Return the gravest severity; None without diagnostics."""
    order = (Severity.ERROR, Severity.GUARD, Severity.WARNING)
    return min((d.severity for d in diagnostics), key=order.index, default=None)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 lead`, `1,204 leads`; `2 entries` if the plural is given."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def some(names: Sequence[str], most: int = NAMED) -> str:
    """Return the first names of many, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


class LeadstateError(Exception):
    """Anything that the user can be told in one message.

    Attributes:
        code: the diagnostic code.
        hint: what to do about it.
        span: where in the files that is declared which failed, where that is known.
    """

    code = "error"

    def __init__(self, summary: str, *, hint: str = "", span: Span | None = None) -> None:
        super().__init__(summary)
        self.hint = hint
        self.span = span

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy what the error holds; `Exception` would call the class with the sentence, which not each class takes."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


def diagnostic_of(failure: LeadstateError, account: str) -> Diagnostic:
    """Return a failure of one account as a value, so that the other accounts go on."""
    return Diagnostic(failure.code, Severity.ERROR, str(failure), hint=failure.hint, span=failure.span, account=account)


def bug_in_leadstate(failure: Exception, account: str | None = None) -> Diagnostic:
    """Return the diagnostic of an exception that only a bug in leadstate raises."""
    summary = f"{type(failure).__name__}: this is a bug in leadstate"
    hint = "run again with `--log-level debug` and report what it prints"
    return Diagnostic("internal", Severity.ERROR, summary, hint=hint, account=account)


def reason_of(failure: Exception, otherwise: str = "") -> str:
    """Return why the system refused something, in words for the end of a sentence.

    Args:
        failure: an OSError; or what Python itself raises for a path that no system takes, which has no such words.
        otherwise: what to say where the system says nothing; unless given, what the failure itself says.
    """
    said = failure.strerror if isinstance(failure, OSError) else None
    return (said or otherwise or str(failure)).lower()


class ConfigurationError(LeadstateError):
    """The configuration cannot be used; `diagnostics` holds everything that is wrong with it."""

    code = "configuration"

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(f"{counted(len(diagnostics), 'error')} in the configuration")
        self.diagnostics = tuple(diagnostics)


class SecretError(LeadstateError):
    """A token source is empty, missing or failed. The message never holds what it gave."""

    code = "token-source"


class ReportError(LeadstateError):
    """A stored report is unreadable or of another format version."""

    code = "report"
