"""How the labels of an account fit together: names, keys, previous names (spec section 2). One diagnostic a place."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from leadstate.config.rules.groups import Groups
from leadstate.config.rules.merge import Entry
from leadstate.config.rules.variables import Variables
from leadstate.config.yaml.diagnostics import Diagnostics, visible
from leadstate.config.yaml.source import Place
from leadstate.kinds.base import fields_set
from leadstate.kinds.label import LabelSpec, declare, taken_in
from leadstate.model.address import Address
from leadstate.model.resource import Desired
from leadstate.reconcile.lookalikes import look


@dataclass(frozen=True, slots=True)
class LabelHere:
    """A label as one account has it."""

    entry: Entry[LabelSpec]
    key: str
    base: str
    spec: LabelSpec

    @property
    def present(self) -> bool:
        """False where it must not exist."""
        return self.spec.state == "present"

    @property
    def where(self) -> Place:
        """Where its name is written."""
        return self.entry.place("name")


@dataclass(slots=True)
class LabelsHere:
    """The labels of one account.

    Attributes:
        labels: in the order of the files.
        meant: what a lead may write → the labels that this means.
        unsure: names of labels that could not be made out, and have been reported.
    """

    labels: list[LabelHere] = field(default_factory=list)
    meant: dict[str, list[LabelHere]] = field(default_factory=lambda: defaultdict(list))
    unsure: set[str] = field(default_factory=set)

    def named_before(self, name: str) -> list[str]:
        """Return the names of labels that stay and of which this is a former name, or a label that they take in."""
        return [
            label.spec.name
            for label in self.labels
            if label.present and name in (*label.spec.previously, *label.spec.merge_from)
        ]

    def desired(self, account: str) -> list[Desired]:
        """What the account shall hold, labels that others take in included."""
        made = []
        for label in self.labels:
            address = Address(account, "label", label.key)
            successors = self.meant.get(label.spec.replace_with or "", [])
            made.append(declare(label.spec, address, label.entry.place().span, *(two.key for two in successors[:1])))
            for index, source in enumerate(label.spec.merge_from):
                made.append(taken_in(source, address, label.entry.place("merge_from", index).span))
        return made


def labels_of(account: str, labels: Iterable[Entry[LabelSpec]], variables: Variables) -> LabelsHere:
    """The labels that are declared for an account, with its overrides and variables in them."""
    here = LabelsHere()
    for entry in labels:
        made = _here(entry, account, variables)
        if made is None:
            here.unsure |= {one for one in (entry.spec.name, entry.spec.key) if one is not None}
            continue
        here.labels.append(made)
        for name in {made.key, made.base, made.spec.name}:
            here.meant[name].append(made)
    return here


def _here(entry: Entry[LabelSpec], account: str, variables: Variables) -> LabelHere | None:
    spec = entry.spec
    base = variables.replace(spec.name, account, entry.place("name"))
    key = variables.replace(spec.key, account, entry.place("key")) if spec.key is not None else base
    previously = [
        variables.replace(name, account, entry.place("previously", index)) for index, name in enumerate(spec.previously)
    ]
    sources = [
        variables.replace(one, account, entry.place("merge_from", index)) if isinstance(one, str) else one
        for index, one in enumerate(spec.merge_from)
    ]
    successor = (
        variables.replace(spec.replace_with, account, entry.place("replace_with"))
        if spec.replace_with is not None
        else None
    )
    override = spec.overrides.get(account)
    changed = dict(fields_set(override)) if override is not None else {}
    name = base
    if override is not None and override.name is not None:
        name = variables.replace(override.name, account, entry.place("overrides", account, "name"))
    former = [one for one in previously if one is not None]
    if base is None or key is None or name is None or len(former) < len(previously):
        return None
    if None in sources or (spec.replace_with is not None and successor is None):
        return None
    texts = {"name": name, "previously": former, "merge_from": sources, "replace_with": successor}
    if override is not None or any(getattr(spec, field) != value for field, value in texts.items()):
        spec = spec.model_copy(update={**changed, **texts})
    return LabelHere(entry, key, base, spec)


def check_labels(accounts: Mapping[str, LabelsHere], groups: Groups, diagnostics: Diagnostics) -> None:
    """Every pair of labels that cannot stand beside each other."""
    clashes: dict[tuple[str, Place, Place], list[str]] = defaultdict(list)
    for account, here in accounts.items():
        for code, place, first in _clashes(here.labels):
            clashes[code, place, first].append(account)
    for (code, place, first), where in clashes.items():
        summary, hint = _CLASHES[code]
        said = f"{summary}{groups.in_accounts(where)}"
        tell = diagnostics.warning if code in _REMARKS else diagnostics.error
        tell(code, said, place, hint=hint, detail=f"the other one: {first.span}")


_CLASHES = {
    "duplicate-label": ("two labels have one name", "keep one of the two, or rename one"),
    "duplicate-label-key": ("two labels have one key", "give one of the two another `key`"),
    "labels-alike": ("two labels look alike", "keep one, with the other's name in its `merge_from`, or rename one"),
    "previous-name-declared": (
        "a previous name of this label is the name of another declared one",
        "take it out of `previously`, or remove the other label",
    ),
    "previous-name-twice": ("two labels claim one previous name", "leave it to one of the two"),
    "merge-source-declared": (
        "a label that this one takes in is declared itself",
        "take it out of `merge_from`, or remove the other label",
    ),
    "merge-source-twice": ("two labels take in the same one", "leave it to one of the two"),
    "successor-unknown": (
        "the label in `replace_with` is not declared for this account, or is to be absent itself",
        "name a label that stays",
    ),
}


_REMARKS = frozenset({"labels-alike"})
"""What is a warning: both labels can plainly exist."""


def _clashes(labels: Sequence[LabelHere]) -> Iterable[tuple[str, Place, Place]]:
    """Code, place, and the place of the other label."""
    by_name: dict[str, LabelHere] = {}
    by_key: dict[str, LabelHere] = {}
    by_look: dict[str, LabelHere] = {}
    for label in labels:
        name = label.spec.name
        if (first := by_name.setdefault(name, label)) is not label:
            yield "duplicate-label", label.where, first.where
        elif label.present and (first := by_look.setdefault(look(name), label)) is not label:
            yield "labels-alike", label.where, first.where
        if (first := by_key.setdefault(label.key, label)) is not label and first.spec.name != name:
            yield "duplicate-label-key", label.entry.place("key" if label.entry.spec.key else "name"), first.where
    yield from _merge_clashes(labels, by_name)
    claimed: dict[str, LabelHere] = {}
    for here in labels:
        for index, former in enumerate(here.spec.previously):
            place = here.entry.place("previously", index)
            other = by_name.get(former)
            if other is not None and other is not here:
                yield "previous-name-declared", place, other.where
            if (first := claimed.setdefault(former, here)) is not here:
                yield "previous-name-twice", place, first.where


def _merge_clashes(labels: Sequence[LabelHere], by_name: Mapping[str, LabelHere]) -> Iterable[tuple[str, Place, Place]]:
    taken: dict[str, LabelHere] = {}
    staying = {name for label in labels if label.present for name in (label.key, label.base, label.spec.name)}
    for label in labels:
        for index, source in enumerate(label.spec.merge_from):
            name = source if isinstance(source, str) else source.id
            place = label.entry.place("merge_from", index)
            if (other := by_name.get(name)) is not None:
                yield "merge-source-declared", place, other.where
            if (first := taken.setdefault(name, label)) is not label:
                yield "merge-source-twice", place, first.where
        if label.spec.replace_with is not None and label.spec.replace_with not in staying:
            yield "successor-unknown", label.entry.place("replace_with"), label.where


def shown(name: str) -> str:
    """A name for a message."""
    return f"`{visible(name[:60])}`"
