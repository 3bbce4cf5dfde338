"""The same report with its files named otherwise: a terminal and a repository start from other folders."""

from collections.abc import Callable
from dataclasses import replace

from leadstate.report.document import Account, Diagnostic, Report, Source


def renamed(report: Report, path: Callable[[str], str]) -> Report:
    """The report with each file given as `path` gives it."""

    def source(one: Source | None) -> Source | None:
        return one and replace(one, file=path(one.file))

    def diagnostics(of: Report | Account) -> tuple[Diagnostic, ...]:
        return tuple(replace(diagnostic, source=source(diagnostic.source)) for diagnostic in of.diagnostics)

    def account(of: Account) -> Account:
        changes = tuple(replace(change, source=source(change.source)) for change in of.changes)
        return replace(of, changes=changes, diagnostics=diagnostics(of))

    accounts = tuple(account(one) for one in report.accounts)
    return replace(report, accounts=accounts, diagnostics=diagnostics(report))
