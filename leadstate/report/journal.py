"""What an apply does to each object, as a receipt keeps it, and the journal beside the receipt.

The journal has a line for each write before it is sent, for its answer, and for the end of a change.

A run that is killed leaves its receipt as it was before the first write, and this beside it. Reading a receipt puts the
two together. Each line has a hash over itself and all lines before it, so that an edited one is not believed.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from pydantic import ValidationError

from leadstate.kinds import KINDS
from leadstate.model.address import RemoteRef
from leadstate.model.diagnostics import ReportError, counted
from leadstate.model.plan import AccountReceipt, Touch, plain
from leadstate.model.resource import CARRIER, CARRIES, CUSTOM, Attrs, Value
from leadstate.pipedrive.operations import UUID
from leadstate.report import document as doc
from leadstate.report.document import Account, Diagnostic, Report, Result
from leadstate.report.formats.json import adapter, canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line.

    Attributes:
        account: the account that it is about.
        number: of a write: its number, which the line before the request and the one after the answer share.
        touch: what the write does, or has done; None where it has done nothing.
        address: of the end of a change: its address.
        result: what became of that change.
        digest: the hash over this line and all before it.
    """

    account: str
    number: int | None = None
    touch: doc.Touch | None = None
    address: str | None = None
    result: Result | None = None
    digest: str | None = None


class Chain:
    """The hashes of a journal's lines, one after the other.

    Args:
        report: the receipt; the journal of another one does not fit.
    """

    def __init__(self, report: Report) -> None:
        self._last = report.fingerprint or ""

    def line(self, entry: Entry) -> bytes:
        """Return an entry as the next line."""
        return self.seal(adapter(Entry).dump_python(entry, mode="json", exclude_defaults=True))

    def seal(self, entry: Mapping[str, object]) -> bytes:
        """Return the next line, with its hash, for what it says as JSON; members of a later version count as well."""
        said = {name: value for name, value in entry.items() if name != "digest"}
        self._last = hashlib.sha256(self._last.encode() + b"\n" + canonical(said)).hexdigest()
        return canonical({**said, "digest": self._last}) + b"\n"


def with_journal(report: Report, lines: Iterable[bytes]) -> Report:
    """Return a receipt with what its journal says; the last line may be cut off.

    Raises:
        ReportError: a line was not written by leadstate, or was edited.
    """
    touches: defaultdict[str, dict[int, doc.Touch | None]] = defaultdict(dict)
    results: dict[tuple[str, str], Result] = {}
    for entry in _entries(lines, Chain(report)):
        if entry.number is not None:
            touches[entry.account][entry.number] = entry.touch
        elif entry.address is not None and entry.result is not None:
            results[entry.account, entry.address] = entry.result
    accounts = tuple(
        replace(_account(account, touches[account.account], results), unread="the run had ended")
        for account in report.accounts
    )
    changes = [change for account in accounts for change in account.changes]
    made = sum(change.result is not None and change.result.status == "applied" for change in changes)
    diagnostic = Diagnostic(
        code="unfinished-run",
        severity="warning",
        summary=f"the run ended before it was finished, or is still under way: {made:,} of "
        f"{counted(len(changes), 'change')} {'was' if 1 in (made, len(changes)) else 'were'} made",
        hint="`leadstate restore` with this receipt undoes those; another apply makes the rest",
    )
    return replace(report, accounts=accounts, diagnostics=(*report.diagnostics, diagnostic))


def without_repeated(report: Report, later: Iterable[Report]) -> Report:
    """Leave out the writes of an unfinished run that were not answered and that a later run has made.

    Had the unfinished run made them, the later one would have had nothing to do; a rollback must not take what the
    later one made for its own.
    """
    made = {
        (account.origin, *_write(touch))
        for receipt in later
        for account in receipt.accounts
        for touch in account.touched or ()
        if touch.answered
    }
    accounts = (
        replace(
            account,
            touched=account.touched
            and tuple(
                touch for touch in account.touched if touch.answered or (account.origin, *_write(touch)) not in made
            ),
        )
        for account in report.accounts
    )
    return replace(report, accounts=tuple(accounts))


def _write(touch: doc.Touch) -> tuple[str, str, str]:
    """Return what identifies a write in any run: an object that is created has another id in each."""
    if touch.before is None:
        return touch.kind, "created", str(touch.marker or touch.key)
    # Where a label is deleted, each lead is noted with that label alone: without it, two deletes would be one write.
    lost = touch.before.get(CARRIES) if touch.after == {CARRIES: []} else None
    return touch.kind, str(touch.remote_id), json.dumps([lost, touch.after], sort_keys=True)


def _entries(lines: Iterable[bytes], chain: Chain) -> Iterator[Entry]:
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            return
        try:
            entry = adapter(Entry).validate_json(line)
            fits = chain.seal(json.loads(line)) == line
        except ValueError:
            fits = False
        if not fits:
            raise ReportError(
                f"line {number} of the journal beside the receipt is not what leadstate writes",
                hint="use the journal as the run left it",
            )
        yield entry


def _account(account: Account, touches: dict[int, doc.Touch | None], results: dict[tuple[str, str], Result]) -> Account:
    known = [touch for _, touch in sorted(touches.items()) if touch is not None]
    begun = {f"{account.account}/{touch.kind}:{touch.key}" for touch in known if touch.key is not None}

    changes = []
    for change in account.changes:
        result = results.get((account.account, change.address), change.result)
        if result is None and change.address in begun:
            result = Result(status="unknown", detail="the run ended while it was under way")
        elif result is None:
            result = Result(status="skipped", detail="because the run ended before it was begun")
        changes.append(replace(change, result=result))
    return replace(account, changes=tuple(changes), touched=tuple(known))


def touch_row(touch: Touch) -> doc.Touch:
    """Return a touch as a receipt stores it, with labels by their ids."""
    return doc.Touch(
        kind=touch.kind,
        remote_id=touch.remote_id,
        key=touch.key,
        before=_plain(touch.kind, touch.before),
        after=_plain(touch.kind, touch.after),
        marker=touch.marker,
        custom={key: plain(value) for key, value in touch.custom.items()},
        answered=touch.answered,
        locked_as=touch.locked_as,
    )


def receipt_of(account: doc.Account, file: str) -> AccountReceipt:
    """Return what an apply has done to an account.

    Args:
        account: its part of a receipt.
        file: where the receipt is.

    Raises:
        ReportError: it holds something that no apply writes.
    """
    ids = account.bindings
    names = {label.address.removeprefix(f"{account.account}/"): label.name for label in account.labels}
    try:
        touched = tuple(_touch(row) for row in account.touched or ())
    except (TypeError, ValueError, KeyError, ArithmeticError, AttributeError) as problem:
        raise ReportError(
            f"{file} was edited: {account.account} holds something that no apply writes ({problem})",
            hint="use the receipt as leadstate wrote it, or undo the rest by hand",
        ) from None
    labels = {ids[ref]: name for ref, name in names.items() if ref in ids}
    leads = frozenset(remote_id for ref, remote_id in ids.items() if ref.startswith(f"{CARRIER}:"))
    return AccountReceipt(file, touched, labels, leads, account.names)


def _plain(kind: str, attrs: Attrs | None) -> dict[str, object] | None:
    if attrs is None:
        return None
    lists = KINDS[kind].references
    return {name: _ids(value) if name in lists else plain(value) for name, value in attrs.items()}


def _ids(value: Value) -> list[str]:
    return [label.id for label in value if isinstance(label, RemoteRef)] if isinstance(value, tuple) else []


def _touch(row: doc.Touch) -> Touch:
    if row.kind not in KINDS:
        raise ValueError(f"there is no kind {row.kind!r}")
    if row.remote_id is not None and not UUID.fullmatch(row.remote_id):
        raise ValueError(f"{row.remote_id!r} is not an id")
    if row.before is None and row.after is None:
        raise ValueError("an object that never was")
    needed = KINDS[row.kind].needed_to_recreate
    if row.before is not None and row.after is None and not needed <= row.before.keys():
        raise ValueError(f"a deleted {row.kind} without its {' and '.join(sorted(needed))}")
    return Touch(
        row.kind,
        row.remote_id,
        row.key,
        _attrs(row.kind, row.before),
        _attrs(row.kind, row.after),
        row.marker,
        {key: _exact(value) for key, value in row.custom.items()},
        row.answered,
        row.locked_as,
    )


def _attrs(kind: str, attrs: Mapping[str, object] | None) -> Attrs | None:
    return None if attrs is None else {name: _value(kind, name, value) for name, value in attrs.items()}


def _value(kind_name: str, name: str, value: object) -> Value:
    kind = KINDS[kind_name]
    if name.startswith(CUSTOM) and "custom_fields" in kind.spec.model_fields:
        return kind.from_plain(name, value)
    if name not in kind.form.model_fields:
        raise ValueError(f"a {kind_name} has no attribute {name!r}")
    try:
        kind.form.model_validate({name: value})
    except ValidationError:
        raise ValueError(f"{name} of a {kind_name} is {value!r}") from None
    if name in kind.references and isinstance(value, list):
        return tuple(sorted(RemoteRef(kind.references[name], remote_id) for remote_id in value))
    return kind.from_plain(name, value)


def _exact(value: object) -> object:
    """Return a number of a raw answer as answers are read, without a rounding error."""
    return Decimal(repr(value)) if isinstance(value, float) else value
