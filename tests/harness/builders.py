"""Short ways to write declared and live objects in tests."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from leadstate.model.account import Account, Policy, Prune
from leadstate.model.address import Address, Ref, RemoteRef, Span
from leadstate.model.plan import AccountPlan
from leadstate.model.resource import Attrs, Desired, Live, Observed
from leadstate.reconcile.planner import plan_account

HERE = Span("leadstate.yaml", 3, 5)
ORDER = ("label", "lead")
FREE = Policy(max_deletes=None, max_delete_percent=None, refuse_in_use=False)
"""A policy without guards."""


def label(name: str, color: str = "red", *previous: str, key: str | None = None, present: bool = True) -> Desired:
    """Return a declared label."""
    attrs: Attrs = {"name": name, "color": color} if present else {}
    return Desired(Address("emea", "label", key or name), attrs, HERE, names=(name, *previous), present=present)


def lead(key: str, *, create_only: bool = False, **attrs: Any) -> Desired:
    """Return a declared lead of the namespace `ns`."""
    wanted = {"title": key, "person": 1, **attrs}
    return Desired(Address("emea", "lead", key), wanted, HERE, marker=f"ns:{key}", create_only=create_only)


def refs(*names: str) -> tuple[Ref, ...]:
    """Return label references in normal form."""
    return tuple(sorted((Ref("label", name) for name in names), key=str))


def label_id(number: int) -> str:
    """Return the id of a label of a seed."""
    return f"00000000-0000-4000-8000-{number:012x}"


def lead_id(number: int) -> str:
    """Return the id of a lead of a seed."""
    return f"10000000-0000-1000-8000-{number:012x}"


def live_label(name: str, color: str = "red", remote_id: str | None = None) -> Live:
    """Return a live label; its id is `id-<name>` unless given."""
    return Live("label", remote_id or f"id-{name}", {"name": name, "color": color}, name)


def live_lead(
    key: str | None, *, remote_id: str | None = None, labels: Sequence[str] = (), archived: bool = False, **attrs: Any
) -> Live:
    """Return a live lead with our marker (or none); `labels` are label ids."""
    full = {
        "title": key or "foreign",
        "person": 1,
        "organization": None,
        "owner": 7,
        "labels": tuple(sorted(RemoteRef("label", id_) for id_ in labels)),
        "value": None,
        "expected_close_date": None,
        "visible_to": "3",
        "was_seen": False,
        "channel": None,
        "channel_id": None,
        "archived": archived,
        **attrs,
    }
    marker = f"ns:{key}" if key else None
    frozen_by = "archived" if archived else None
    return Live("lead", remote_id or f"id-{key}", full, str(full["title"]), marker=marker, frozen_by=frozen_by)


def account(*desired: Desired, labels: str = "none", leads: str = "none", **policy: Any) -> Account:
    """Return an account that declares these objects."""
    rules = replace(Policy(prune_rules={"label": Prune(labels), "lead": Prune(leads)}), **policy)
    return Account("emea", "https://acme-emea.pipedrive.com", "ns", rules, desired)


def planned(declared: Account, *live: Live, **observed: Any) -> AccountPlan:
    """Return the plan for an account in which exactly these objects exist."""
    by_kind = {kind: [row for row in live if row.kind == kind] for kind in ORDER}
    return plan_account(declared, Observed(by_kind, **observed), ORDER)


def shown(plan: AccountPlan) -> list[str]:
    """Return a plan in short: `~ label:Hot color`."""
    sign = {"add": "+", "update": "~", "delete": "-"}
    return [
        " ".join(
            [
                sign[change.action],
                str(change.address.ref),
                *(f.path for f in change.fields if change.action == "update"),
            ]
        )
        for change in plan.changes
    ]
