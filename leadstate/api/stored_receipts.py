"""The receipts in a folder: which run each is of, what it did, and whether it can be undone.

Whoever can write to the folder can put anything there. A file is read only where it is a regular one of bounded size,
and believed only where its digest holds.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Final

from leadstate.api.configuration import is_receipt, rollback
from leadstate.api.receipts import journal_of, read_report
from leadstate.config import Configuration
from leadstate.model.diagnostics import LeadstateError, ReportError, some
from leadstate.model.plan import Status
from leadstate.report.document import Report

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a receipt that is read without being named, and of its journal."""
LISTED: Final = 50
"""Receipts that a list shows."""

_NAME: Final = re.compile(r"(\d{4})(0[1-9]|1[0-2])([0-2]\d|3[01])T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{0,8}-\d+(?:-\d+)?\.json")
_DONE: Final = {"add": "added", "update": "updated", "delete": "deleted"}
_ELSE: Final = tuple(status.value for status in Status if status is not Status.APPLIED)


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A receipt in a folder.

    Attributes:
        path: where it is.
        report: what is in it; None where it cannot be used.
        problem: why it cannot.
    """

    path: Path
    report: Report | None
    problem: str = ""

    @property
    def when(self) -> str:
        """When its run began, in UTC, as its file name says: `2026-11-24 09:00:00`."""
        return _NAME.sub(r"\1-\2-\3 \4:\5:\6", self.path.name)

    @property
    def command(self) -> str:
        """The command that wrote it, as far as that is known."""
        if self.report is None:
            return ""
        return "apply" if self.report.undoes is None else "restore"

    @property
    def accounts(self) -> list[str]:
        """The accounts in which something was to be done."""
        return [] if self.report is None else [account.account for account in self.report.accounts if account.changes]

    @property
    def done(self) -> Mapping[str, int]:
        """What was done, counted: `added`, `updated`, `deleted`, and how all other changes ended."""
        counts: Counter[str] = Counter()
        for account in self.report.accounts if self.report is not None else ():
            for change in account.changes:
                status = "unknown" if change.result is None else change.result.status
                counts[_DONE[change.action] if status == "applied" else status] += 1
        return {word: counts[word] for word in (*_DONE.values(), *_ELSE) if counts[word]}

    @property
    def did(self) -> str:
        """The same in words."""
        return ", ".join(f"{count:,} {word}" for word, count in self.done.items())


def paths_of(folder: Path) -> list[Path]:
    """Return the files of a folder that bear the name of a receipt, newest first; none where there is no folder."""
    if not folder.is_dir():
        return []
    named = (path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    # The name tells the second in which the run began; the file's time tells two of one second apart.
    return sorted(named, key=lambda path: (path.name.partition("-")[0], path.lstat().st_mtime_ns), reverse=True)


def stored_receipts(paths: Sequence[Path]) -> Iterator[StoredReceipt]:
    """Read receipts, one after the other."""
    for path in paths:
        try:
            stored = StoredReceipt(path, _read(path))
        except LeadstateError as failure:
            stored = StoredReceipt(path, None, str(failure))
        except OSError as failure:
            stored = StoredReceipt(path, None, (failure.strerror or str(failure)).lower())
        yield stored


def latest(folder: Path, configuration: Configuration) -> tuple[Path, Report, str]:
    """Return the receipt of the last apply of any of the accounts: where it is, what is in it, and the same in words.

    Receipts of restores are passed over: to undo the last apply again changes nothing, to undo its undoing would.

    Raises:
        ReportError: there is none, or a newer one cannot be read, so that nobody can tell what it is about.
    """
    origins = {declared.account.name: declared.account.origin for declared in configuration.accounts}
    for stored in stored_receipts(paths_of(folder)):
        if stored.report is None:
            raise ReportError(
                f"the latest receipt {stored.path} cannot be used: {stored.problem}",
                hint="name the receipt to undo; `leadstate restore --list` shows which there are",
            )
        about = (account for account in stored.report.accounts if account.changes)
        if stored.report.undoes is None and any(origins.get(done.account) == done.origin for done in about):
            what = f"{stored.command} in {some(stored.accounts)}: {stored.did}"
            return stored.path, stored.report, f"{stored.path} ({stored.when} UTC, {what})"
    raise ReportError(
        f"{folder} holds no receipt of an apply of {some(sorted(origins))}",
        hint="run this in the folder in which the apply ran, or name its receipt",
    )


def undo_of(stored: StoredReceipt, newer: Sequence[StoredReceipt], configuration: Configuration) -> tuple[str, str]:
    """Return whether a receipt can be undone: `yes`, `in part`, `done` or `no`; and why, where it is not plainly yes.

    Args:
        stored: the receipt.
        newer: the receipts of later runs, among them those of restores.
        configuration: says which accounts there are, and where.
    """
    report = stored.report
    if report is None:
        return "no", stored.problem
    if not any(account.touched for account in report.accounts):
        return "no", "nothing was written"
    for later in newer:
        if later.report is not None and later.report.undoes == stored.path.name and later.done:
            whole = not later.done.keys() - set(_DONE.values())
            return "done" if whole else "in part", f"by {later.path.name}"
    try:
        rollback(configuration, report, stored.path.name)
    except ReportError as failure:
        return "no", str(failure)
    declared = {account.account.name for account in configuration.accounts}
    missing = [name for name in stored.accounts if name not in declared]
    return ("in part", f"the configuration has no account {some(missing)}") if missing else ("yes", "")


def _read(path: Path) -> Report:
    for file in (path, journal_of(path)):
        with suppress(FileNotFoundError):
            status = file.lstat()
            if not S_ISREG(status.st_mode):
                raise ReportError(f"{file.name} is no regular file")
            if status.st_size > LARGEST:
                raise ReportError(f"{file.name} is larger than 64 MiB")
    report = read_report(path)
    if not is_receipt(report):
        raise ReportError("it is not a receipt")
    return report
