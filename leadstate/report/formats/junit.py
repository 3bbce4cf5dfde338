"""JUnit XML: each object is a test case, and one that differs has failed. GitLab, Jenkins and Azure Pipelines show it.

There is no standard. This is what the schema of Jenkins takes (jenkinsci/xunit-plugin, junit-10.xsd), and what GitLab
reads of it (docs.gitlab.com/ci/testing/unit_test_reports): the class, the name and the text of a failure.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from leadstate.model.diagnostics import counted
from leadstate.model.escape import visible
from leadstate.report.document import Account, Diagnostic, Report
from leadstate.report.formats.grouping import ChangeGroup, group_changes
from leadstate.report.formats.wording import field_lines, local_name, note, why_deleted, why_untouched

_NOT_IN_XML = re.compile("[\ufffe\uffff]")
"""What XML cannot hold, as a reference neither, beside what `visible` escapes."""


def to_junit(report: Report) -> str:
    """Return the report as test results: a suite for what concerns no account, then one for each account."""
    root = Element("testsuites", {"name": f"leadstate {report.command}"})
    suites = [
        _suite("configuration", "leadstate", [_verdict("configuration", report.diagnostics)]),
        *(
            _suite(account.account, f"leadstate.{account.account}", [*_cases(report, account)])
            for account in report.accounts
        ),
    ]
    root.extend(suites)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(name: str, classname: str, cases: Sequence[Element]) -> Element:
    suite = Element("testsuite", {"name": _text(name), "tests": str(len(cases))})
    for count, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(outcome) is not None for case in cases)))
    for case in cases:
        case.set("classname", _text(classname))
    suite.extend(cases)
    return suite


def _case(name: str, outcome: str = "", kind: str = "", message: str = "", lines: Iterable[str] = ()) -> Element:
    """Return a test case; without an outcome it has passed. GitLab shows its lines and not its message."""
    case = Element("testcase", {"classname": "", "name": _text(name)})
    if outcome:
        result = SubElement(case, outcome, {"type": kind, "message": _text(message)})
        result.text = "\n".join(map(_text, lines)) or None
    return case


def _cases(report: Report, account: Account) -> Iterator[Element]:
    yield _verdict(report.command, account.diagnostics)
    if report.command == "apply":
        yield _read_again(account)
    for change in account.changes:
        yield _change(group_changes([(account, change)], report))
    for untouched in account.untouched:
        if untouched.address is not None:
            yield _case(local_name(account, untouched.address), "skipped", untouched.reason, why_untouched(untouched))
    if report.command == "plan" and not report.scope.targets:
        known = {change.address for change in account.changes} | {group.address for group in account.untouched}
        yield from (_case(local_name(account, label.address)) for label in account.labels if label.address not in known)


def _verdict(name: str, diagnostics: Sequence[Diagnostic]) -> Element:
    """Return the case, with an error if something could not be read or a guard refuses; warnings do not count."""
    grave = [diagnostic for diagnostic in diagnostics if diagnostic.severity != "warning"]
    if not grave:
        return _case(name)
    first, more = grave[0], f", and {len(grave) - 1:,} more" if len(grave) > 1 else ""
    return _case(
        name,
        "error",
        first.code,
        f"{first.summary}{more}",
        [line for diagnostic in grave for line in _lines(diagnostic)],
    )


def _lines(diagnostic: Diagnostic) -> Iterator[str]:
    about = diagnostic.address or diagnostic.account
    yield f"{diagnostic.severity}[{diagnostic.code}] {f'{about}: ' if about else ''}{diagnostic.summary}"
    yield from diagnostic.detail.splitlines()
    if diagnostic.source:
        yield f"at {diagnostic.source}"
    if diagnostic.hint:
        yield f"= {diagnostic.hint}"


def _read_again(account: Account) -> Element:
    """Return the case that fails where the apply did not converge."""
    name = "read again"
    if account.remaining is None:
        return _case(name, "error", "unread", account.unread or "the account could not be read again")
    if account.remaining.unexpected or account.remaining.errors:
        left = [counted(account.remaining.unexpected, "difference"), counted(len(account.remaining.errors), "error")]
        lines = [line for error in account.remaining.errors for line in _lines(error)]
        return _case(name, "failure", "not-converged", f"{' and '.join(left)} remain", lines)
    return _case(name)


def _change(group: ChangeGroup) -> Element:
    change, result = group.change, group.change.result
    if result and result.status == "applied":
        return _case(group.name)
    if result and result.status == "declined":
        return _case(group.name, "skipped", "declined", result.detail)
    what = {"add": "is missing", "update": "differs", "delete": f"is to be deleted: {why_deleted(change)}"}
    message, kind = what[change.action], str(change.action)
    if result:
        message, kind = f"{change.action} {result.status}: {result.detail}", result.status
    lines = [message, *field_lines(change, group.known)]
    lines += filter(None, [note(change)])
    lines += [f"at {change.source}"] if change.source else []
    return _case(group.name, "failure", kind, message.rstrip(": "), lines)


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", visible(text))
