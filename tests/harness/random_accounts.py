"""Random accounts and random declarations for them, as hypothesis strategies."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from leadstate.model.account import Account, Prune
from leadstate.model.address import Address, Ref
from leadstate.model.resource import AtLeast, Desired, Money
from tests.harness.builders import FREE, HERE, label, label_id, lead_id, refs
from tests.harness.connections import NOWHERE, TOKEN

NAMES = ["Hot", "Warm", "Cold", "VIP", "Partner", "日本", "Ünïcode"]
COLORS = ["red", "blue", "dark-gray"]
KEYS = ["a", "b", "c"]

COLOR = st.sampled_from(COLORS)
MONEY = st.none() | st.builds(
    lambda amount, currency: Money(amount.normalize(), currency),
    st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    st.sampled_from(["EUR", "USD"]),
)


@st.composite
def live_accounts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a seed document: labels, leads of ours and unmanaged ones, live and archived."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    labels = [{"id": label_id(i), "name": n, "color": draw(COLOR)} for i, n in enumerate(names)]
    ids = [label["id"] for label in labels]
    markers = draw(
        st.lists(st.sampled_from([None, None, "other:theirs", *(f"ns:{key}" for key in KEYS), "ns:z"]), max_size=6)
    )
    leads: list[dict[str, Any]] = []
    for i, marker in enumerate(markers):
        if marker is not None and any(lead["origin_id"] == marker for lead in leads):
            continue
        leads.append(
            {
                "id": lead_id(i),
                "title": draw(st.sampled_from(["x", "y", "Ünïcode"])),
                "person_id": draw(st.sampled_from([1, 2])),
                "label_ids": draw(st.lists(st.sampled_from(ids), unique=True)) if ids else [],
                "origin_id": marker,
                "is_archived": draw(st.booleans()),
                "value": draw(st.sampled_from([None, {"amount": 12000.5, "currency": "EUR"}])),
            }
        )
    contacts = [{"id": i, "name": f"n{i}"} for i in (1, 2)]
    return {
        "token": TOKEN,
        "company": {"id": 7041, "name": "Acme", "domain": "acme"},
        "users": [{"id": 101, "name": "Sam", "email": "sam@acme.test"}],
        "persons": contacts,
        "organizations": contacts,
        "labels": labels,
        "leads": leads,
    }


@st.composite
def declarations(draw: st.DrawFn) -> Account:
    """Draw what an account shall hold; any policy, renames included."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    cut = draw(st.integers(0, len(names)))
    present, former = names[:cut], names[cut:]
    desired: list[Desired] = []
    for name in present:
        renamed = bool(former) and draw(st.booleans())
        desired.append(label(name, draw(COLOR), *([former.pop()] if renamed else [])))
    successors: list[Ref | None] = [None, *(Ref("label", name) for name in present)]
    gone = [name for name in former if draw(st.booleans())]
    desired += [replace(label(name, present=False), moves_to=draw(st.sampled_from(successors))) for name in gone]
    for key in draw(st.lists(st.sampled_from(KEYS), unique=True)):
        wanted: dict[str, Any] = {"title": draw(st.sampled_from(["x", "z"])), "person": draw(st.sampled_from([1, 2]))}
        some = refs(*draw(st.lists(st.sampled_from(present), unique=True))) if present else ()
        optional: dict[str, st.SearchStrategy[Any]] = {
            "labels": st.sampled_from([some, AtLeast(some)]),
            "value": MONEY,
            "organization": st.sampled_from([None, 1, 2]),
            "expected_close_date": st.sampled_from([None, "2026-12-31"]),
            "visible_to": st.sampled_from(["1", "3"]),
            "was_seen": st.booleans(),
            "channel": st.sampled_from([None, 5]),
            "channel_id": st.sampled_from([None, "billboard"]),
            "archived": st.booleans(),
        }
        chosen = [name for name in optional if draw(st.booleans())]
        wanted |= {name: draw(optional[name]) for name in chosen}
        seed = draw(st.booleans())
        desired.append(Desired(Address("emea", "lead", key), wanted, HERE, marker=f"ns:{key}", create_only=seed))
    policy = replace(
        FREE,
        prune_rules={
            "label": draw(st.sampled_from([Prune.NONE, Prune.ALL])),
            "lead": draw(st.sampled_from([Prune.NONE, Prune.OWNED])),
        },
    )
    # A lock file may remember anything: what is there, what is gone, and what was never true.
    ids = [*map(label_id, range(8)), *map(lead_id, range(6))]
    refs_ = [Ref("label", name) for name in NAMES] + [Ref("lead", key) for key in KEYS]
    lock = draw(st.dictionaries(st.sampled_from(refs_), st.sampled_from(ids), max_size=4))
    return Account("emea", NOWHERE, "ns", policy, tuple(desired), lock=lock)


def misremembers(account: Account, live: dict[str, Any]) -> bool:
    """Return whether the lock file has a made-up id of a lead that is archived.

    It is then gone as far as ids tell, and is found only where the archive is read for another lead: that makes a
    difference between two plans, and no file that leadstate writes holds such an id.
    """
    there = {lead["id"] for lead in live["leads"]}
    archived = {lead["origin_id"] for lead in live["leads"] if lead["is_archived"]}
    return any(f"ns:{ref.key}" in archived and id_ not in there for ref, id_ in account.lock.items())
