"""One company in this process that is applied to while every touch is kept, for tests of what a receipt records."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from leadstate.engine.events import Observer
from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Applied, Settings, apply_all, plan_all
from leadstate.model.account import Account, ImpactLevel, Policy
from leadstate.model.plan import AccountPlan, AccountReceipt, Touch
from leadstate.model.resource import Desired
from leadstate.pipedrive.connection import Connection
from leadstate.report import document as doc
from leadstate.report.journal import receipt_of, touch_row
from leadstate.sandbox import Sandbox
from tests.harness.builders import FREE, lead_id
from tests.harness.connections import NOWHERE, TOKEN, connect

LABELS = {name: f"00000000-0000-4000-8000-{number:012x}" for number, name in enumerate(("Hot", "Warm", "Cold"))}


FORGOTTEN = ("id", "add_time", "update_time", "archive_time", "label_ids", "cc_email", "creator_id", "source_name")


def company(
    *leads: dict[str, Any], labels: Sequence[tuple[str, str, str]] | None = None, **more: Any
) -> dict[str, Any]:
    """Return a seed document: three labels, and these leads, numbered; labels are named."""
    three = [(id_, name, "red") for name, id_ in LABELS.items()]
    rows = [
        {
            "id": lead_id(number),
            "title": f"lead {number}",
            "person_id": 1,
            **lead,
            "label_ids": [LABELS.get(name, name) for name in lead.get("label_ids", [])],
        }
        for number, lead in enumerate(leads)
    ]
    return {
        "token": TOKEN,
        "company": {"id": 7041, "name": "Acme", "domain": "acme"},
        "persons": [{"id": 1, "name": "Jane"}],
        "labels": [{"id": id_, "name": name, "color": color} for id_, name, color in labels or three],
        "leads": rows,
        **more,
    }


@dataclass
class Recording(Observer):
    """Keeps what it hears."""

    begun: list[Touch] = field(default_factory=list)
    done: list[Touch | None] = field(default_factory=list)
    ends: dict[int, Touch | None] = field(default_factory=dict)
    obstacle: str = ""
    accounts: set[str] = field(default_factory=set)

    def touching(self, account: str, touch: Touch) -> None:
        self.accounts.add(account)
        self.begun.append(touch)

    def touched(self, account: str, intended: Touch, done: Touch | None) -> None:
        self.accounts.add(account)
        self.done.append(done)
        self.ends[id(intended)] = done

    def receipt(self, plan: AccountPlan, *, answered: bool = True) -> AccountReceipt:
        """Return what a stored receipt of the run says: what was announced, with the answers, if any came."""
        touches = [self.ends.get(id(touch), touch) if answered else touch for touch in self.begun]
        rows = tuple(touch_row(touch) for touch in touches if touch is not None)
        touched = receipt_of(doc.Account(account=plan.account, company="", touched=rows), "receipt.json").touched
        labels = {label.remote_id: label.name for label in plan.named}
        leads = frozenset(id_ for ref, id_ in plan.bindings.ids().items() if ref.startswith("lead:"))
        return AccountReceipt("receipt.json", touched, labels, leads)


@dataclass
class Live:
    """A company, and how it is applied to."""

    seed: dict[str, Any]

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(self.seed, burst=100_000, daily=None)

    @property
    def labels(self) -> dict[str, Any]:
        return {label["id"]: label for label in self.sandbox.dump()["companies"][0]["labels"]}

    @property
    def leads(self) -> dict[str, Any]:
        return {lead["id"]: lead for lead in self.sandbox.dump()["companies"][0]["leads"]}

    def account(self, *desired: Desired, policy: Policy = FREE, **more: Any) -> Account:
        return Account("emea", NOWHERE, "ns", policy, desired, **more)

    def apply(
        self, account: Account, observer: Observer | None = None, impact: ImpactLevel = ImpactLevel.LIVE
    ) -> tuple[AccountPlan, Applied]:
        """Plan and apply."""

        async def main(connection: Connection) -> tuple[AccountPlan, Applied]:
            work, chosen = [AccountJob(account, connection)], Settings(impact=impact)
            plans = await plan_all(work, chosen)
            (applied,) = await apply_all(work, plans, chosen, () if observer is None else (observer,))
            return plans[0], applied

        return connect(httpx.ASGITransport(self.sandbox.app), main)

    def undone(self, account: Account) -> tuple[AccountPlan, Applied, AccountPlan]:
        """Apply, then restore; return the rollback's plan, its end, and what a second rollback finds."""
        heard = Recording()
        plan, _ = self.apply(account, heard)
        return self.restore(account, heard.receipt(plan))

    def restore(self, account: Account, receipt: AccountReceipt) -> tuple[AccountPlan, Applied, AccountPlan]:
        """Undo what a receipt says, twice."""
        undo = replace(account, desired=(), receipt=receipt)
        plan, applied = self.apply(undo)
        return plan, applied, self.apply(undo)[0]

    def people_see(self) -> dict[str, Any]:
        """Return labels and leads without what a rollback cannot bring back: ids of what was deleted, and times."""
        names = {id_: label["name"] for id_, label in self.labels.items()}
        leads = {
            lead["origin_id"] or id_: {
                **{key: value for key, value in lead.items() if key not in FORGOTTEN},
                "labels": sorted(names.get(label, label) for label in lead["label_ids"]),
            }
            for id_, lead in self.leads.items()
        }
        return {"labels": sorted((label["name"], label["color"]) for label in self.labels.values()), "leads": leads}
