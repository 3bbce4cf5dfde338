"""Makes every account like one of them, as edits of the files: its labels with its colours, for all accounts.

Takes no label away: what only other accounts have is left alone, since it may be in use there.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from leadstate.config.configuration import Configuration
from leadstate.config.writing.edits import Append, Edit, Remove, Set
from leadstate.config.writing.items import Files, Item
from leadstate.config.writing.takeover import label_items
from leadstate.core.address import Span
from leadstate.core.diagnostics import Diagnostic, Severity
from leadstate.core.resource import Desired, Live


@dataclass(slots=True)
class Alike:
    """The edits by file, and what could not be made alike."""

    edits: dict[str, list[Edit]] = field(default_factory=lambda: defaultdict(list))
    findings: list[Diagnostic] = field(default_factory=list)


def like(account: str, labels: Sequence[Live], files: Files, everything: Configuration, into: str) -> Alike:
    """What to write so that every account has the labels of one.

    Args:
        account: the one.
        labels: what it has, live.
        files: as they are written.
        everything: all declared accounts.
        into: the file for labels that nothing declares.
    """
    alike = Alike()
    declared: dict[str, dict[Span, Desired]] = defaultdict(dict)
    for one in everything.accounts:
        for wanted in one.account.of_kind("label"):
            declared[wanted.names[0]].setdefault(wanted.span, wanted)
    new: list[Live] = []
    for label in labels:
        known = list(declared.get(label.name, {}).values())
        item = files.item(known[0].span) if known else None
        if not known:
            new.append(label)
        elif len(known) > 1 or item is None or not known[0].present:
            why = "it is declared more than once" if len(known) > 1 else "it is declared to be absent"
            alike.findings.append(_finding(account, known[0], why))
        else:
            alike.edits[item.file] += _edits(item, str(label.attrs["color"]))
    taken = label_items({account: new}, frozenset((account,)))
    alike.findings += taken.findings
    if taken.items:
        alike.edits[into].append(Append("labels", tuple(taken.items)))
    return alike


def _edits(item: Item, color: str) -> Iterator[Edit]:
    if item.value.get("color") != color:
        yield Set((*item.steps, "color"), color)
    overrides = item.value.get("overrides") or {}
    left = {name: {key: one for key, one in own.items() if key != "color"} for name, own in overrides.items()}
    if overrides and not any(left.values()):
        yield Remove((*item.steps, "overrides"))
    else:
        for name, own in overrides.items():
            if "color" in own:
                yield Remove((*item.steps, "overrides", name, *(("color",) if left[name] else ())))
    for key in ("accounts", "except"):
        if key in item.value:
            yield Remove((*item.steps, key))


def _finding(account: str, label: Desired, why: str) -> Diagnostic:
    return Diagnostic(
        "not-alike",
        Severity.ERROR,
        f"the label {label.names[0]!r} of {account} was left out: {why}",
        hint="edit its items by hand",
        span=label.span,
    )
