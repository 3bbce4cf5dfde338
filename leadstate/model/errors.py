"""Errors that a caller can meet.

    LeadstateError
    ├── ConfigurationError      the files are wrong; carries every diagnostic at once
    ├── SecretError             a token source gave nothing usable
    ├── ReportError             a stored report cannot be read
    └── ApiError                Pipedrive, or the way to it (leadstate.pipedrive.errors draws the rest)

Below the CLI a failure of one account or one change travels as a `Diagnostic` or an `Outcome`, not as an exception.
"""

from collections.abc import Sequence

from leadstate.model.address import Span
from leadstate.model.diagnostics import Diagnostic, Severity, counted


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


def diagnostic_of(failure: LeadstateError, account: str) -> Diagnostic:
    """A failure of one account as a value, beside which the other accounts go on."""
    return Diagnostic(failure.code, Severity.ERROR, str(failure), hint=failure.hint, span=failure.span, account=account)


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
