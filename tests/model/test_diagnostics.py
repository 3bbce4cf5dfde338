"""Diagnostics and errors as data, and foreign text made harmless."""

from dataclasses import replace

import pytest

from leadstate.model.diagnostics import ConfigurationError, Diagnostic, LeadstateError, Severity, reason_of, worst


def diagnostic(severity: Severity) -> Diagnostic:
    return Diagnostic("code", severity, "summary", hint="fix")


@pytest.mark.parametrize(
    ("failure", "otherwise", "reason"),
    [
        (OSError(28, "No space left on device"), "", "no space left on device"),
        (OSError(28, "No space left on device"), "the path cannot be used", "no space left on device"),
        (OSError("Only words"), "", "only words"),
        (OSError("Only words"), "the path cannot be used", "the path cannot be used"),
        (ValueError("embedded null byte"), "the path cannot be used", "the path cannot be used"),
    ],
)
def test_the_reason_of_a_refusal_is_that_of_the_system(failure: Exception, otherwise: str, reason: str) -> None:
    assert reason_of(failure, otherwise) == reason


def test_unknown_parts_of_a_diagnostic_are_empty() -> None:
    bare = Diagnostic("code", Severity.ERROR, "summary")
    assert (bare.detail, bare.hint, bare.excerpt) == ("", "", "")
    assert (bare.span, bare.account, bare.address) == (None, None, None)


def test_the_worst_severity_does_not_depend_on_order() -> None:
    found = [diagnostic(severity) for severity in (Severity.WARNING, Severity.ERROR, Severity.GUARD)]
    assert worst(found) is Severity.ERROR
    assert worst([found[0], found[2]]) is Severity.GUARD
    assert worst([]) is None


def test_errors_carry_their_hint_and_all_diagnostics() -> None:
    assert (str(LeadstateError("what", hint="fix")), LeadstateError("what", hint="fix").hint) == ("what", "fix")
    assert LeadstateError("what").hint == ""
    found = ConfigurationError([replace(diagnostic(Severity.ERROR), code=code) for code in "ab"])
    assert str(found) == "2 errors in the configuration"
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["a", "b"]
