"""The receipt of an apply: a report, and until its end a journal beside it, so that a killed run leaves a whole one.

The report is written before the first request, under a name that no other run takes. Each write is noted in the journal
before it is sent and after its answer, each result as it ends. At the end the report is replaced and the journal goes.

Anybody who can write to the folder of receipts can put anything there. A file that nobody named is read only if it is a
regular file of bounded size, and used only if its digest is right.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from stat import S_ISREG
from typing import Final, Self

from leadstate.api.configuration import is_receipt, rollback
from leadstate.api.files import append_line, create_file, replace_file
from leadstate.config import Configuration
from leadstate.config.yaml.files import LARGEST, is_stream, link_outwards, read_bounded
from leadstate.engine.events import Observer
from leadstate.model.account import Account
from leadstate.model.address import Address
from leadstate.model.diagnostics import LeadstateError, ReportError, Severity, reason_of, some
from leadstate.model.plan import Action, Change, Outcome, Status, Touch
from leadstate.report.build import Part, build, result_row
from leadstate.report.document import Report, Scope
from leadstate.report.formats.json import to_json
from leadstate.report.journal import Chain, Entry, touch_row, with_journal, without_repeated
from leadstate.report.verify import read_stored

LARGEST_NAMED: Final = 1024 * 1024 * 1024
"""Bytes of a report that a user names; a million changes take as much."""
LISTED: Final = 50
"""Receipts that a list shows."""

_NAME: Final = re.compile(r"(\d{4})(0[1-9]|1[0-2])([0-2]\d|3[01])T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{0,8}-\d+(?:-\d+)?\.json")
_DONE: Final = {"add": "added", "update": "updated", "delete": "deleted"}
_ELSE: Final = tuple(status.value for status in Status if status is not Status.APPLIED)


class ReceiptError(LeadstateError):
    """The receipt cannot be written, so nothing may be changed."""

    code = "receipt"


class Receipt(Observer):
    """Listens to the engine and notes every write and every result at once.

    Args:
        folder: where receipts go; made if need be, for its owner only.
        parts: the accounts with their plans.
        accounts: the same as they are declared; their lock entries are noted beside what is written.
        now: the time, in UTC.
        undoes: the file name of the receipt that the run undoes; None if it undoes none.
        targets: the addresses that the run was limited to; none means all.

    Raises:
        ReceiptError: it cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        parts: Sequence[Part],
        accounts: Sequence[Account],
        now: datetime,
        *,
        undoes: str | None = None,
        targets: Sequence[str] = (),
    ) -> None:
        self._locked = {account.name: account.locked for account in accounts}
        self._touches: dict[str, dict[Touch, tuple[int, Touch | None]]] = {part.plan.account: {} for part in parts}
        self._creates: dict[Address, Touch] = {}
        self._count = 0
        self._build = partial(build, "apply", scope=Scope(targets=tuple(targets)), undoes=undoes)
        report = self._build([replace(part, touched=()) for part in parts])
        self._chain = Chain(report)
        name = (report.fingerprint or "").removeprefix("sha256:")[:8]
        stem = f"{now:%Y%m%dT%H%M%SZ}-{name}-{os.getpid()}"
        self.path = folder / f"{stem}.json"
        if (link := link_outwards(self.path)) is not None:
            raise ReceiptError(
                f"the receipt {self.path} is not written over the link {link}, which leads out of the repository",
                hint="remove the link, then run again; nothing was changed",
            )
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path, self._journal = _create(folder, stem, to_json(report))
        except OSError as failure:
            raise ReceiptError(
                f"the receipt {self.path} cannot be written: {reason_of(failure)}",
                hint="free some space, or make the folder writable, then run again; nothing was changed",
            ) from None

    def __enter__(self) -> Self:
        """Keep the journal open while the run lasts."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the journal; where `close` was not called, the run was cut off, and the journal stays."""
        try:
            os.close(self._journal)
        except OSError as failure:  # a network file system may tell only now that it has no room
            self._fail(failure)

    @property
    def wrote(self) -> bool:
        """Whether a write was answered."""
        return any(touch and touch.answered for touches in self._touches.values() for _, touch in touches.values())

    def touching(self, account: str, touch: Touch) -> None:
        """Note a write that is about to be sent."""
        self._count += 1
        if touch.before is None and touch.key is not None:
            self._creates[Address(account, touch.kind, touch.key)] = touch
        self._note_touch(account, touch, self._count, touch)

    def touched(self, account: str, intended: Touch, done: Touch | None) -> None:
        """Note the answer."""
        self._note_touch(account, intended, self._touches[account][intended][0], done)

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Note the end of a change; it tells the id of an object that was found after its create had no answer."""
        account = change.address.account
        intended = self._creates.get(change.address)
        if change.action is Action.ADD and intended is not None and outcome.remote_id is not None:
            number, touch = self._touches[account][intended]
            if touch is not None and touch.remote_id is None:
                found = replace(touch, remote_id=outcome.remote_id, answered=True)
                self._note_touch(account, intended, number, found)
        self._note(Entry(account=account, address=str(change.address), result=result_row(outcome)))

    def close(self, parts: Sequence[Part]) -> None:
        """Replace the report by what the end was; `obstacle` says if that failed."""
        known = [
            replace(part, touched=[touch for _, touch in touches.values() if touch is not None])
            for part in parts
            for touches in (self._touches[part.plan.account],)
        ]
        try:
            replace_file(self.path, to_json(self._build(known)))
            journal_of(self.path).unlink()
        except OSError as failure:
            self._fail(failure)

    def _note_touch(self, account: str, intended: Touch, number: int, touch: Touch | None) -> None:
        """Note what a write does, or has done; None where it has done nothing."""
        if touch is not None:
            ref = self._locked.get(account, {}).get(touch.remote_id or "")
            if ref is not None and ref.kind == touch.kind:
                touch = replace(touch, locked_as=ref.key)
        self._touches[account][intended] = number, touch
        self._note(Entry(account=account, number=number, touch=None if touch is None else touch_row(touch)))

    def _note(self, entry: Entry) -> None:
        if self.obstacle:
            return
        try:
            if not self.path.exists():
                raise FileNotFoundError(0, "it was removed")
            append_line(self._journal, self._chain.line(entry))
        except OSError as failure:
            self._fail(failure)

    def _fail(self, failure: OSError) -> None:
        self.obstacle = self.obstacle or f"the receipt {self.path} cannot be written: {reason_of(failure)}"


def read_report(path: str | Path) -> Report:
    """Read a stored report of any command; a receipt with the journal that an unfinished run has left beside it.

    Raises:
        ReportError: the file cannot be read, is not a report, or was edited.
    """
    path = Path(path)
    try:
        report = _with_its_journal(path)
    except (OSError, MemoryError) as failure:
        why = reason_of(failure, "it takes more memory than there is")
        raise ReportError(f"{path}: {why}", hint="check the path, and who may read it") from None
    return without_repeated(report, _later(path)) if journal_of(path).is_file() else report


def _with_its_journal(path: Path) -> Report:
    report = read_stored(_read_named(path, stream=is_stream(path)).decode(errors="replace"))
    journal = journal_of(path)
    if not any(account.touched is not None for account in report.accounts) or not journal.is_file():
        return report
    return with_journal(report, BytesIO(_read_named(journal)))


def _read_named(path: Path, *, stream: bool = False) -> bytes:
    content = read_bounded(path, LARGEST_NAMED, stream=stream)
    if len(content) > LARGEST_NAMED:
        raise ReportError(
            f"{path} is larger than 1 GiB", hint="make one for each account or shard with `leadstate plan`"
        )
    return content


def _later(path: Path) -> Iterator[Report]:
    """Yield the receipts of later runs beside this one, as far as they can be read; those too may have been killed."""
    for other in sorted(path.parent.glob("*.json")):
        with suppress(ReportError, OSError):
            if _begun(other) > _begun(path):
                _check(other)
                yield _with_its_journal(other)


def _begun(path: Path) -> tuple[str, int]:
    """Return the second in which a run began, as its receipt's name says; the file's time tells two of one apart."""
    return path.name.partition("-")[0], path.lstat().st_mtime_ns


def find_undone(accounts: Iterable[Account]) -> str | None:
    """Return the file name of the receipt that a plan of these accounts undoes; None if it undoes none."""
    return next((Path(account.receipt.file).name for account in accounts if account.receipt is not None), None)


def journal_of(path: Path) -> Path:
    """Return the path of a receipt's journal."""
    return path.with_suffix(".journal")


def _create(folder: Path, stem: str, text: Iterable[str]) -> tuple[Path, int]:
    """Write a report under a name that is not taken: runs of one process in one second keep both.

    Returns:
        Its path, and the descriptor of its journal.
    """
    number = 1
    while True:
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}.json"
        try:
            descriptor = create_file(path)
        except FileExistsError:
            number += 1
            continue
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(text)
            return path, create_file(journal_of(path))
        except BaseException:
            # Leave no receipt of a run that does not begin: it would be the latest one, and tell nothing.
            with suppress(OSError):
                path.unlink()
            raise


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
        """What was done, in words."""
        return ", ".join(f"{count:,} {word}" for word, count in self.done.items())


def list_receipts(folder: Path) -> list[Path]:
    """Return the files of a folder that are named like a receipt, newest first; an empty list if there is no folder."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_begun, reverse=True)


def read_receipts(paths: Sequence[Path]) -> Iterator[StoredReceipt]:
    """Read receipts, one after the other."""
    for path in paths:
        try:
            stored = StoredReceipt(path, _read(path))
        except LeadstateError as failure:
            stored = StoredReceipt(path, None, str(failure))
        except OSError as failure:
            stored = StoredReceipt(path, None, reason_of(failure))
        yield stored


def find_latest(folder: Path, configuration: Configuration) -> tuple[Path, Report, str]:
    """Return the receipt of the last apply of any of the accounts: where it is, what is in it, and the same in words.

    Receipts of restores are passed over: to undo the last apply again changes nothing, to undo its undoing would.

    Raises:
        ReportError: there is no receipt, or a newer one cannot be read, so that its accounts are not known.
    """
    origins = {declared.account.name: declared.account.origin for declared in configuration.accounts}
    for stored in read_receipts(list_receipts(folder)):
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


def describe_undo(
    stored: StoredReceipt, newer: Sequence[StoredReceipt], configuration: Configuration
) -> tuple[str, str]:
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
    undone = _restores_of(stored, newer)
    by = f"by {some([later.path.name for later in undone])}"
    if {account.account for account in report.accounts if account.touched} <= _covered(undone):
        return "done", by
    try:
        rollback(configuration, report, stored.path.name)
    except ReportError as failure:
        return "no", str(failure)
    declared = {account.account.name for account in configuration.accounts}
    missing = [name for name in stored.accounts if name not in declared]
    if undone:
        return "in part", by
    return ("in part", f"the configuration has no account {some(missing)}") if missing else ("yes", "")


def _restores_of(stored: StoredReceipt, newer: Sequence[StoredReceipt]) -> list[StoredReceipt]:
    """Return the later restores of a receipt that did something and were not undone themselves, newest first."""
    return [
        later
        for number, later in enumerate(newer)
        if later.report is not None
        and later.report.undoes == stored.path.name
        and later.done.keys() & set(_DONE.values())
        and not _restores_of(later, newer[:number])
    ]


def _covered(restores: Iterable[StoredReceipt]) -> set[str]:
    """Return the accounts in which restores have undone all that their receipt tells of."""
    return {
        account.account
        for stored in restores
        if stored.report is not None and not stored.report.scope.targets
        for account in stored.report.accounts
        if not account.untouched
        and not any(diagnostic.severity == Severity.ERROR.value for diagnostic in account.diagnostics)
        and all(change.result is not None and change.result.status == "applied" for change in account.changes)
    }


def _check(path: Path) -> None:
    """Raise ReportError for what nobody would have named: no regular file, or a large one."""
    for file in (path, journal_of(path)):
        with suppress(FileNotFoundError):
            status = file.lstat()
            if not S_ISREG(status.st_mode):
                raise ReportError(f"{file.name} is not a regular file")
            if status.st_size > LARGEST:
                raise ReportError(f"{file.name} is larger than 64 MiB")


def _read(path: Path) -> Report:
    _check(path)
    report = read_report(path)
    if not is_receipt(report):
        raise ReportError("it is not a receipt")
    return report
