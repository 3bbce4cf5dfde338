"""Random companies with configurations: merges, renames, retired labels, prune, the archive, custom fields."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from leadstate.sandbox import Sandbox
from tests.harness.builders import label_id, lead_id
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import Body, State, Ticks, company, who
from tests.harness.edits import Edit
from tests.harness.plan_cases import live_label, live_lead

INDUSTRY, SCORE, NOTE = "a" * 40, "b" * 40, "c" * 40
FIELDS = [
    {
        "code": INDUSTRY,
        "name": "Industry",
        "type": "enum",
        "options": [{"id": 1, "label": "Retail"}, {"id": 2, "label": "Steel"}],
    },
    {"code": SCORE, "name": "Score", "type": "double"},
    {"code": NOTE, "name": "Note", "type": "varchar"},
]
USERS = [{"id": id_, "name": f"canary-user {id_}", "email": f"canary-user-{id_}@acme.test"} for id_ in (101, 102)]
NAMES = ("Hot", "Warm", "Cold", "Old", "VIP", "日本")
NEW_NAMES = ("New", "Newer")
COLORS = ("red", "blue", "green")
KEYS = ("a", "b", "c", "d")
PAST = "2026-01-01"
ROLES = (
    "kept",
    "renamed",
    "merged",
    "merged by id",
    "retired",
    "unmanaged",
    "locked",
    "ignored",
    "protected",
)
"""What a configuration has to say of a live label."""
Row = dict[str, Any]

COLOR = st.sampled_from(COLORS)
TITLE = st.sampled_from(("before", "after"))
YES = st.booleans()
SELDOM = st.sampled_from((False, False, False, True))


@dataclass(frozen=True)
class World:
    """A company, a configuration and a lock file (none where it is empty)."""

    seed: Body
    document: Body
    lock: Mapping[str, str] = field(default_factory=dict)

    def sandbox(self) -> Sandbox:
        """Return a new company in that state."""
        return Sandbox(copy.deepcopy(self.seed), burst=None, daily=None, clock=Ticks())

    @property
    def can_be_applied_again(self) -> bool:
        """Whether an apply after a rollback comes to the same: no declaration names an id that has gone."""
        return not any(
            isinstance(source, dict) for label in self.document["labels"] for source in label.get("merge_from", ())
        )

    @property
    def archives_a_seed(self) -> bool:
        """Whether a killed run can leave a seed open that was to be archived: a later run ignores seeds."""
        return any(lead.get("mode") == "seed" and lead.get("archived") for lead in self.document["leads"])

    @property
    def locked(self) -> Body:
        """The lock file's document."""
        return {"version": 1, "accounts": {"emea": dict(self.lock)}}


@dataclass
class _Labels:
    """The labels of a world in the making."""

    live: list[Row] = field(default_factory=list)
    declared: list[Row] = field(default_factory=list)
    lock: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    protected: list[str] = field(default_factory=list)

    @property
    def present(self) -> list[str]:
        """The names of those that are declared to exist."""
        return [label["name"] for label in self.declared if label.get("state") != "absent"]


@st.composite
def _labels(draw: st.DrawFn) -> _Labels:
    made = _Labels()
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    going: list[tuple[str, str]] = []
    for number, name in enumerate(names, 1):
        made.live.append(dict(live_label(number, name, draw(COLOR))))
        role = draw(st.sampled_from(ROLES))
        id_ = label_id(number)
        if role == "kept":
            made.declared.append({"name": name, "color": draw(COLOR)})
            made.lock[f"label:{name}"] = id_
        elif role == "renamed":
            made.declared.append({"name": f"{name} II", "color": draw(COLOR), "previously": [name]})
            made.lock[f"label:{name} II"] = id_
        elif role == "locked":
            made.lock[f"label:{name}"] = id_
        elif role == "ignored":
            made.ignored.append(name)
        elif role == "protected":
            made.protected.append(name)
        elif role != "unmanaged":
            going.append((name, role))
    for name in draw(st.lists(st.sampled_from(NEW_NAMES), unique=True)):
        made.declared.append({"name": name, "color": draw(COLOR)})
    for name, role in going:
        _add_going(draw, made, name, role, label_id(1 + names.index(name)))
    _add_twin(draw, made)
    return made


def _add_going(draw: st.DrawFn, made: _Labels, name: str, role: str, id_: str) -> None:
    """Add a live label that must not exist: merged into another one, or retired."""
    targets = [label for label in made.declared if label.get("state") != "absent"]
    if role != "retired" and targets:
        target: Row = draw(st.sampled_from(targets))
        target.setdefault("merge_from", []).append(name if role == "merged" else {"id": id_})
        if role == "merged by id" and "previously" in target and draw(YES):
            # The name passes from the one label to the other.
            before = target["name"]
            made.lock[f"label:{name}"] = made.lock.pop(f"label:{before}")
            target["name"] = name
            for label in made.declared:
                if label.get("replace_with") == before:
                    label["replace_with"] = name
        return
    absent = {"name": name, "state": "absent"}
    if draw(YES) and made.present:
        absent["replace_with"] = draw(st.sampled_from(made.present))
    if draw(SELDOM):
        absent["delete_after"] = PAST
    made.declared.append(absent)


def _add_twin(draw: st.DrawFn, made: _Labels) -> None:
    """Add a second live label with the name of a declared one, which takes it in by its id."""
    live = {label["name"] for label in made.live}
    targets = [label for label in made.declared if label["name"] in live and label.get("state") != "absent"]
    if draw(SELDOM) and targets:
        target: Row = draw(st.sampled_from(targets))
        number = 50
        made.live.insert(draw(st.integers(0, len(made.live))), dict(live_label(number, target["name"], draw(COLOR))))
        target.setdefault("merge_from", []).append({"id": label_id(number)})


def _some(draw: st.DrawFn, items: Sequence[Any]) -> list[Any]:
    return draw(st.lists(st.sampled_from(items), unique=True, max_size=3)) if items else []


def _values(draw: st.DrawFn) -> Row:
    """Draw fields of a live lead besides those that each has."""
    made: Row = {"title": draw(TITLE), "is_archived": draw(SELDOM)}
    if draw(YES):
        made |= {INDUSTRY: draw(st.sampled_from((1, 2)))}
    if draw(YES):
        made |= {SCORE: draw(st.sampled_from((1, 2.5)))}
    if draw(SELDOM):
        made |= {NOTE: "by hand"}
    if draw(SELDOM):
        made |= {"value": {"amount": draw(st.sampled_from((5, 7.5))), "currency": "EUR"}}
    if draw(SELDOM):
        made |= {"expected_close_date": "2026-12-31", "organization_id": 2}
    return made


def _declared_lead(draw: st.DrawFn, key: str, present: Sequence[str]) -> Row:
    made: Row = {"key": key, "title": draw(TITLE), "person": draw(st.sampled_from((1, 2)))}
    labels = draw(st.sampled_from(("exactly", "exactly", "at_least", "not managed")))
    if labels != "not managed":
        some = _some(draw, present)
        made["labels"] = some if labels == "exactly" else {"at_least": some}
    if draw(YES):
        made["archived"] = draw(YES)
    custom = {
        name: draw(st.sampled_from(values))
        for name, values in (("Industry", ("Retail", "Steel", None)), ("Score", (1, 3, None)), ("Note", ("x", None)))
        if draw(SELDOM)
    }
    if custom:
        made["custom_fields"] = custom
    if draw(SELDOM):
        made["value"] = draw(st.sampled_from(({"amount": 9, "currency": "USD"}, None)))
    if draw(SELDOM):
        made["mode"] = "seed"
    return made


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a company and a configuration that can be applied to it."""
    labels = draw(_labels())
    ids = [int(label["id"][-12:], 16) for label in labels.live]
    ours = draw(st.lists(st.sampled_from(KEYS), unique=True))
    markers = [f"ns:{key}" for key in ours] + [None] * draw(st.integers(0, 2)) + ["other:theirs"] * draw(SELDOM)
    live = [
        live_lead(number, marker, *_some(draw, ids), **_values(draw))
        for number, marker in enumerate(draw(st.permutations(markers)), 1)
    ]
    declared = [_declared_lead(draw, key, labels.present) for key in draw(st.lists(st.sampled_from(KEYS), unique=True))]
    lock = {}
    if draw(YES):
        known = {f"lead:{marker[3:]}": lead_id(number + 1) for number, marker in enumerate(_marks(live)) if marker}
        lock = {**labels.lock, **known}
    prune = {
        "labels": draw(st.sampled_from(("none", "locked", "all"))),
        "leads": draw(st.sampled_from(("none", "owned"))),
    }
    document = {
        "version": 1,
        "namespace": "ns",
        "accounts": {"emea": {"url": NOWHERE, "token": {"env": "TOKEN"}}},
        "policy": {
            "prune": prune,
            "guards": {"max_deletes": None, "max_delete_percent": None},
            "in_use": "allow",
            "ignore": {"labels": labels.ignored},
            "protect": {"labels": labels.protected},
        },
        "labels": labels.declared,
        "leads": declared,
    }
    return World(company(labels.live, live, fields=FIELDS, users=USERS), document, lock)


def _marks(leads: Sequence[Body]) -> list[str | None]:
    """Return the markers of leads, None for those that are not ours."""
    return [str(lead["origin_id"]) if (lead["origin_id"] or "").startswith("ns:") else None for lead in leads]


# Comparing


def without_dead_labels(images: Row, before: State, after: State) -> Row:
    """Return the image of `before` without what no rollback can return.

    An archived lead that carried a label which the apply deleted: nobody can edit an archived lead.
    """
    dead = before.labels.keys() - after.labels.keys()
    made = copy.deepcopy(images)
    for id_, lead in before.leads.items():
        if lead["is_archived"] and after.leads.get(id_, {}).get("is_archived"):
            kept = [id_ for id_ in lead["label_ids"] if id_ not in dead]
            made["leads"][who(lead)]["labels"] = sorted(
                (before.labels[label]["name"], before.labels[label]["color"]) for label in kept
            )
    return made


def untouched(before: State, after: State) -> Iterator[tuple[str, str, Body]]:
    """Return table, id and body of all that an apply has left unchanged."""
    for table in ("labels", "leads"):
        now = getattr(after, table)
        for id_, body in getattr(before, table).items():
            if now.get(id_) == body:
                yield table, id_, body


# People

ACTS = (
    "retitle lead",
    "assign lead",
    "value lead",
    "fill in lead",
    "add label to lead",
    "take label from lead",
    "archive lead",
    "unarchive lead",
    "delete lead",
    "recolor label",
    "delete label",
    "add label",
)


@dataclass(frozen=True)
class Hand:
    """What a person does, and to which of the labels and leads that there are."""

    act: str
    which: int
    other: int

    def edit(self, now: State) -> Edit | None:
        """Return the edit as the sandbox knows it; None if its object does not exist."""
        if self.act == "add label":
            return Edit("addLeadLabel", {"name": "by hand", "color": "pink"})
        back = self.act == "unarchive lead"
        live = [id_ for id_, lead in now.leads.items() if lead["is_archived"] is back]
        chosen = live if "lead" in self.act else list(now.labels)
        if not chosen:
            return None
        id_ = chosen[self.which % len(chosen)]
        if self.act in ("add label to lead", "take label from lead"):
            return self._relabel(now, id_)
        acts: Mapping[str, tuple[str, Body]] = {
            "retitle lead": ("updateLead", {"title": "by hand"}),
            "assign lead": ("updateLead", {"owner_id": USERS[1]["id"]}),
            "value lead": ("updateLead", {"value": {"amount": 12_000, "currency": "EUR"}}),
            "fill in lead": ("updateLead", {NOTE: "by a person"}),
            "archive lead": ("updateLead", {"is_archived": True}),
            "unarchive lead": ("updateLead", {"is_archived": False}),
            "delete lead": ("deleteLead", {}),
            "recolor label": ("updateLeadLabel", {"color": "purple"}),
            "delete label": ("deleteLeadLabel", {}),
        }
        operation, body = acts[self.act]
        return Edit(operation, body, id=id_)

    def _relabel(self, now: State, id_: str) -> Edit | None:
        carried = now.leads[id_]["label_ids"]
        adds = self.act == "add label to lead"
        choice = [label for label in now.labels if (label in carried) is not adds]
        if not choice:
            return None
        label = choice[self.other % len(choice)]
        ids = [*carried, label] if adds else [other for other in carried if other != label]
        return Edit("updateLead", {"label_ids": ids}, id=id_)


HANDS = st.lists(st.builds(Hand, st.sampled_from(ACTS), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4)
