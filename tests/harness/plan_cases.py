"""Plans that together use every kind of change, each with the live state that it is for."""

import json
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from leadstate.model.account import Account, Policy, Prune
from leadstate.model.address import Ref
from leadstate.model.resource import AtLeast, Desired, Money
from leadstate.sandbox import Sandbox
from tests.harness.builders import FREE, label, label_id, lead, lead_id, refs
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import Body, Ticks, company


def account(*desired: Desired, policy: Policy = FREE) -> Account:
    """Return an account that declares these objects."""
    return Account("emea", NOWHERE, "ns", policy, desired)


def merged(name: str) -> Desired:
    """Return a declared label that is merged into Warm."""
    return replace(label(name, present=False), moves_to=Ref("label", "Warm"))


def live_label(number: int, name: str, color: str = "red") -> Body:
    """Return a label of a seed."""
    return {"id": label_id(number), "name": name, "color": color}


def live_lead(number: int, marker: str | None, *labels: int, **more: Any) -> Body:
    """Return a lead of a seed: ours where it has a marker of `ns:`, else an unmanaged one."""
    title = more.pop("title", marker or f"canary-unmanaged {number}")
    ids = [label_id(name) for name in labels]
    return {"id": lead_id(number), "title": title, "person_id": 1, "label_ids": ids, "origin_id": marker, **more}


UNMANAGED = (live_lead(90, None, 1, 2), live_lead(91, "other:a", 3), live_lead(92, None, is_archived=True))
OWNED = replace(FREE, prune_rules={"lead": Prune.OWNED})


@dataclass(frozen=True)
class Case:
    """A live state and what is declared."""

    name: str
    seed: Body = field(repr=False)
    account: Account = field(repr=False)

    def sandbox(self, **more: Any) -> Sandbox:
        """Return a new company in that state."""
        return Sandbox(self.seed, **{"burst": None, "daily": None, "clock": Ticks(), **more})


LABELS = Case(
    "labels",
    company(
        [live_label(1, "Hot", "blue"), live_label(2, "Cold"), live_label(3, "Old"), live_label(4, "Theirs")],
        [live_lead(1, None, 2), live_lead(2, None, 2, 4), *UNMANAGED],
    ),
    account(
        label("Hot", "red"),
        label("Nurture", "green", "Cold"),
        label("Old", present=False),
        label("New", "pink"),
        label("Newer", "gray"),
    ),
)
"""Labels added, updated, renamed and deleted."""

LEADS = Case(
    "leads",
    company(
        [live_label(1, "Hot"), live_label(2, "Warm", "blue"), live_label(3, "Theirs")],
        [
            live_lead(1, "ns:retitle", 1, title="before"),
            live_lead(2, "ns:relabel", 1, 3),
            live_lead(3, "ns:archive", 2),
            live_lead(4, "ns:unarchive", 1, title="before", is_archived=True),
            live_lead(5, "ns:gone", 2),
            live_lead(6, "ns:more", 3),
            live_lead(7, "ns:seed", 3, title="by hand"),
            *UNMANAGED,
        ],
    ),
    account(
        label("Hot"),
        label("Warm", "blue"),
        lead("retitle", title="after", value=Money(Decimal(12), "EUR")),
        lead("relabel", title="ns:relabel", labels=refs("Warm")),
        lead("archive", title="after", archived=True),
        lead("unarchive", title="after", archived=False, labels=refs("Warm")),
        lead("more", title="ns:more", labels=AtLeast(refs("Hot"))),
        lead("seed", create_only=True),
        lead("add", labels=refs("Hot", "Warm")),
        lead("added-archived", archived=True, labels=refs("Hot")),
        policy=OWNED,
    ),
)
"""Leads added (one into the archive), updated, relabelled, archived, taken out of the archive, and pruned."""

BOTH = Case(
    "both",
    company(
        [live_label(1, "Hot"), live_label(2, "Lukewarm"), live_label(3, "Tepid"), live_label(4, "Gone")],
        [live_lead(1, "ns:moved", 2, 3), live_lead(2, "ns:old", 4), *UNMANAGED],
    ),
    account(
        label("Hot", "green"),
        label("Warm", "yellow", "Tepid"),
        label("New", "pink"),
        lead("moved", title="ns:moved", labels=refs("Warm", "New")),
        lead("first", labels=refs("New")),
        policy=replace(OWNED, prune_rules={"label": Prune.ALL, "lead": Prune.OWNED}),
    ),
)
"""Leads that wait for new labels, labels that go when leads have let go of them; all that is undeclared is pruned."""

CASES = (LABELS, LEADS, BOTH)


def thirty() -> Case:
    """Return thirty changes of every kind."""
    labels = [
        *(live_label(i, f"Wrong {i}", "blue") for i in range(1, 5)),
        *(live_label(i, f"Before {i}") for i in range(5, 9)),
        *(live_label(i, f"Old {i}") for i in range(9, 12)),
        live_label(12, "Hot"),
    ]
    leads = [
        *(live_lead(i, f"ns:u{i}", 12, title="before") for i in range(1, 5)),
        *(live_lead(i, f"ns:r{i}", 1, 5) for i in range(5, 9)),
        *(live_lead(i, f"ns:gone{i}", 9) for i in range(9, 12)),
        *UNMANAGED,
    ]
    return Case(
        "thirty",
        company(labels, leads),
        account(
            label("Hot"),
            *(label(f"Wrong {i}", "red") for i in range(1, 5)),
            *(label(f"After {i}", "red", f"Before {i}") for i in range(5, 9)),
            *(label(f"Old {i}", present=False) for i in range(9, 12)),
            *(label(f"New {i}", "pink") for i in range(4)),
            *(lead(f"u{i}", title="after") for i in range(1, 5)),
            *(lead(f"r{i}", title=f"ns:r{i}", labels=refs("Hot", "New 1")) for i in range(5, 9)),
            *(lead(f"a{i}", labels=refs("Hot", f"New {i}")) for i in range(3)),
            lead("archived", labels=refs("Hot"), archived=True),
            policy=OWNED,
        ),
    )


def written(case: Case, *urls: str) -> str:
    """Return a case as a configuration file; with several addresses, as many accounts that declare the same."""
    policy = case.account.policy
    return json.dumps(
        {
            "version": 1,
            "namespace": "ns",
            "accounts": {
                f"account{number}" if number else "emea": {"url": url, "token": {"env": f"TOKEN{number or ''}"}}
                for number, url in enumerate(urls)
            },
            "policy": {
                "prune": {"labels": policy.prune("label").value, "leads": policy.prune("lead").value},
                "guards": {"max_deletes": None, "max_delete_percent": None},
                "in_use": "allow",
            },
            "labels": [_label(label) for label in case.account.of_kind("label")],
            "leads": [_lead(lead) for lead in case.account.of_kind("lead")],
        },
        indent=1,
    )


def _label(desired: Desired) -> Body:
    if not desired.present:
        return {"name": desired.names[0], "state": "absent"}
    former = {"previously": list(desired.names[1:])} if desired.names[1:] else {}
    return {**desired.attrs, **former}


def _lead(desired: Desired) -> Body:
    plain: dict[str, Any] = {"key": desired.address.key, **desired.attrs}
    if desired.create_only:
        plain["mode"] = "seed"
    match plain.get("labels"):
        case AtLeast(some):
            plain["labels"] = {"at_least": [ref.key for ref in some]}
        case tuple(exactly):
            plain["labels"] = [ref.key for ref in exactly]
    match plain.get("value"):
        case Money(amount, currency):
            plain["value"] = {"amount": float(amount), "currency": currency}
    return plain
