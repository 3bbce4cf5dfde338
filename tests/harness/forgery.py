"""Edits of the files that a run reads: plan files, receipts, journals, lock files and caches."""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from pydantic import TypeAdapter

from leadstate.model.plan import combined, fingerprint
from leadstate.report.document import Report, Requests
from leadstate.report.formats.json import to_json
from leadstate.report.journal import Chain, Entry
from tests.harness.builders import label_id, lead_id
from tests.harness.plan_cases import UNMANAGED

RAW = "\ue000"
"""Stands in a text before a piece of JSON that Python cannot make, such as a number of a million digits."""

WEIRD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 10**30, -(10**400), 0.5, float("inf"), float("-inf"), float("nan")),
    *(f"{RAW}1e999999", f"{RAW}-1e-999999", f"{RAW}{'9' * 5_000}", f"{RAW}{'[' * 2_000}{']' * 2_000}"),
    *("", " ", "x", "\x00", "\ud800", "\u202e", "../../users/me", "..", "%2e%2e/users", "?api_token=1", "a/b#c", "/"),
    *("\x1b[31mred", "##[stop-commands]x", "::add-mask::x", "0/0", "2/1", "-1/3", "1e5000000", "a" * 5_000),
    *([], [[]], {}, {"id": None}, [None], ["x"], {"amount": None, "currency": 1}, {"amount": "1e9", "currency": ""}),
)
"""Values that no field of these files takes, or none as it is meant."""

WORDS: tuple[Any, ...] = (
    *("add", "update", "delete", "label", "lead", "company", "plan", "apply", "validate", "restore"),
    *("applied", "failed", "skipped", "conflict", "unknown", "declined", "error", "guard", "warning"),
    *("name", "color", "title", "labels", "archived", "person", "value", "Industry", "red", "green"),
    *("Hot", "Cold", "Theirs", "New", "Warm", "emea/label:Theirs", "emea/lead:x", "us/label:Hot", "label:Theirs"),
    *("ns:x", "ns:gone", "other:a", "1.0", "1.9", "2.0", "sha256:0", 1, 2),
    *(label_id(number) for number in range(1, 6)),
    *(lead_id(number) for number in range(1, 5)),
    *(lead["id"] for lead in UNMANAGED),
)
"""Values that fields of these files have, and ids of objects that are not ours."""

OPERATIONS = ("weird", "word", "other value", "delete", "repeat", "swap", "more", "less", "new key")


@dataclass(frozen=True)
class Edit:
    """One edit: what is done, at which place of the document, and with what."""

    operation: str
    where: int
    what: int

    def make(self, document: Any) -> None:
        """Change the document."""
        places = list(places_of(document))
        if not places:
            return
        holder, key = places[self.where % len(places)]
        value = holder[key]
        match self.operation:
            case "weird":
                holder[key] = copy.deepcopy(WEIRD[self.what % len(WEIRD)])
            case "word":
                holder[key] = WORDS[self.what % len(WORDS)]
            case "other value":
                others = [holder[key] for holder, key in places if type(holder[key]) is type(value)]
                holder[key] = copy.deepcopy(others[self.what % len(others)])
            case "delete":
                del holder[key]
            case "repeat" if isinstance(holder, list):
                holder.append(copy.deepcopy(value))
            case "swap":
                _swap(holder, key)
            case "more" | "less" if isinstance(value, int | float):
                holder[key] = value + (1 if self.operation == "more" else -1)
            case "new key" if isinstance(holder, dict):
                holder[str(WORDS[self.what % len(WORDS)])] = copy.deepcopy(value)


def _swap(holder: Any, key: Any) -> None:
    """Exchange a value with one beside it; what was before with what is after where there are such."""
    if isinstance(holder, dict):
        keys = list(holder)
        other = {"before": "after", "after": "before"}.get(key, keys[keys.index(key) - 1])
        if other in holder:
            holder[key], holder[other] = holder[other], holder[key]
    else:
        holder[key], holder[key - 1] = holder[key - 1], holder[key]


def places_of(document: Any) -> Iterator[tuple[Any, Any]]:
    """Return every place of a JSON document, as what holds it and its key there."""
    match document:
        case dict():
            items: Any = document.items()
        case list():
            items = enumerate(document)
        case _:
            return
    for key, value in items:
        yield document, key
        yield from places_of(value)


TAILS = (b"", b"", b"", b"", b"", b"x", b"\x00", b"{}", b"\xff", b"\n" * 9)
HEADS = (b"", b"", b"", b"", b"", b"", b"\xef\xbb\xbf", b"[", b"// comment\n")


@dataclass(frozen=True)
class Forgery:
    """A file that somebody has edited.

    Attributes:
        edits: what was done to the document.
        sealed: whether its fingerprints and digests were computed anew.
        head: bytes before it.
        tail: bytes after it.
        cut: how much of its end is missing, in thousandths.
    """

    edits: tuple[Edit, ...]
    sealed: bool
    head: bytes = b""
    tail: bytes = b""
    cut: int = 0

    def edited(self, document: Any) -> Any:
        """Return the document after the edits."""
        made = copy.deepcopy(document)
        for edit in self.edits:
            edit.make(made)
        return made

    def file(self, document: Any) -> bytes:
        """Return the bytes of an edited document."""
        return self.framed(dumped(document))

    def framed(self, content: bytes) -> bytes:
        """Return content with what is before and after it, and without what is cut."""
        return self.head + content[: len(content) * (1000 - self.cut) // 1000] + self.tail


def dumped(document: Any, *, indent: int | None = 2) -> bytes:
    """Return a document as JSON, whatever is in it."""
    text = json.dumps(document, indent=indent)
    marker = json.dumps(RAW)[1:-1]
    pieces = text.split(f'"{marker}')
    return (pieces[0] + "".join(piece.replace('"', "", 1) for piece in pieces[1:])).encode()


def forgeries() -> st.SearchStrategy[Forgery]:
    """Draw files that somebody has edited; some are no JSON any more."""
    edit = st.builds(Edit, st.sampled_from(OPERATIONS), st.integers(0, 3_000), st.integers(0, 300))
    edits = st.lists(edit, min_size=1, max_size=3).map(tuple)
    sealed = st.builds(Forgery, edits, st.booleans())
    cuts = st.sampled_from((0, 0, 0, 0, 1, 20, 500, 999))
    broken = st.builds(Forgery, edits, st.sampled_from((False,)), st.sampled_from(HEADS), st.sampled_from(TAILS), cuts)
    return st.one_of(sealed, sealed, sealed, broken)


def seal_journal(content: bytes, receipt: bytes) -> bytes:
    """Return a journal with its hashes computed anew; unchanged if it is no journal any more."""
    try:
        chain = Chain(TypeAdapter(Report).validate_json(receipt))
        entries = [TypeAdapter(Entry).validate_json(line) for line in content.splitlines()]
        return b"".join(chain.line(entry) for entry in entries)
    except (ValueError, TypeError, RecursionError):
        return content


def seal(content: bytes) -> bytes:
    """Return a report with its fingerprints, counts and digest computed anew; unchanged if it is no report any more."""
    try:
        report = TypeAdapter(Report).validate_json(content)
        accounts = tuple(replace(account, fingerprint=fingerprint(account)) for account in report.accounts)
        count = Counter(change.action for account in accounts for change in account.changes)
        alone = sum(group.count for account in accounts for group in account.untouched)
        calls = [call for account in accounts for change in account.changes for call in change.calls]
        forecast = Requests(
            requests=sum(call.count for call in calls), tokens=sum(call.count * call.tokens for call in calls)
        )
        made = replace(
            report,
            accounts=accounts,
            fingerprint=report.fingerprint and combined(account.fingerprint for account in accounts),
            summary=replace(
                report.summary, add=count["add"], update=count["update"], delete=count["delete"], untouched=alone
            ),
            cost=replace(report.cost, apply=forecast) if report.command == "plan" else report.cost,
        )
        return "".join(to_json(made)).encode()
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError):
        return content
