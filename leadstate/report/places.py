"""The same report with its files named otherwise: a terminal and a repository start from other folders."""

from collections.abc import Callable

from leadstate.report.document import Account, Finding, Report, Source


def renamed(report: Report, path: Callable[[str], str]) -> Report:
    """The report with each file given as `path` gives it."""

    def source(one: Source | None) -> Source | None:
        return one and one.model_copy(update={"file": path(one.file)})

    def findings(of: Report | Account) -> tuple[Finding, ...]:
        return tuple(one.model_copy(update={"source": source(one.source)}) for one in of.diagnostics)

    def account(of: Account) -> Account:
        changes = tuple(one.model_copy(update={"source": source(one.source)}) for one in of.changes)
        return of.model_copy(update={"changes": changes, "diagnostics": findings(of)})

    accounts = tuple(account(one) for one in report.accounts)
    return report.model_copy(update={"accounts": accounts, "diagnostics": findings(report)})
