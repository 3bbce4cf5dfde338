"""What is new in this revision and what drifted, told by the other revision's plan from the same reading."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Compared, Settings, plan_and_compare, unread
from leadstate.model.account import Account, Policy, Prune
from leadstate.model.address import Target
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import Origin
from leadstate.model.resource import CustomValue, Desired, Lookup
from leadstate.pipedrive.connection import Spent
from leadstate.pipedrive.operations import GET_PERSON, SEARCH_PERSONS
from tests.harness.builders import FREE, HERE, label, lead
from tests.harness.fake_api import Fake, Reply, failed, ok

ALL = Settings()
JANE, MIRA = (Lookup("person", "email", f"{name}@acme.test", HERE) for name in ("jane", "mira"))


def account(*desired: Desired, name: str = "emea", policy: Policy = FREE, **of_account: Any) -> Account:
    moved = tuple(replace(item, address=replace(item.address, account=name)) for item in desired)
    return Account(name, "http://127.0.0.1:1", "ns", policy, moved, **of_account)


def compare(fake: Fake, declared: Account, base: Account, settings: Settings = ALL) -> Compared:
    """Plan one account and compare it with the base."""
    (compared,) = fake.connect(
        lambda connection: plan_and_compare([AccountJob(declared, connection)], {base.name: base}, settings)
    )
    return compared


def origins(compared: Compared) -> dict[str, Origin | None]:
    """Return the origin of each change; a plan with diagnostics would not be one to compare."""
    assert compared.plan.diagnostics == ()
    return {str(change.address.ref): change.origin for change in compared.plan.changes}


def person(id_: int, email: str) -> Callable[[], Reply]:
    return lambda: ok({"id": id_, "name": "", "emails": [{"value": email}]})


def people(*found: tuple[int, str]) -> Callable[[], Reply]:
    return lambda: ok({"items": [{"item": {"id": id_, "name": "", "emails": [email]}} for id_, email in found]})


@pytest.mark.parametrize(("before", "origin"), [("red", Origin.CHANGE), ("blue", Origin.DRIFT), ("green", Origin.BOTH)])
def test_a_change_is_attributed_by_comparison_with_the_base(before: str, origin: Origin) -> None:
    fake = Fake().with_label("1", "Hot", "red")
    compared = compare(fake, account(label("Hot", "blue")), account(label("Hot", before)))
    assert origins(compared) == {"label:Hot": origin}
    assert (compared.besides, fake.sent) == (Spent(), ["GET leadLabels"])


def test_each_account_is_compared_with_its_own_base_and_one_without_is_new() -> None:
    fake, ended = Fake(), list[str]()
    declared = [account(label("Hot"), name=name) for name in ("emea", "apac", "latam")]
    bases = {"emea": account(label("Hot")), "apac": account(label("Hot", "blue"), name="apac")}
    found = fake.connect(
        lambda connection: plan_and_compare(
            [AccountJob(item, connection) for item in declared],
            bases,
            ALL,
            lambda job: ended.append(job.account.name),
        )
    )
    assert [compared.plan.account for compared in found] == ["emea", "apac", "latam"]
    assert [origins(compared)["label:Hot"] for compared in found] == [Origin.DRIFT, Origin.BOTH, Origin.CHANGE]
    assert [compared.besides for compared in found] == [Spent()] * 3
    assert sorted(ended) == ["apac", "emea", "latam"]


def broken() -> Reply:
    raise KeyError


@pytest.mark.parametrize(("fails", "code"), [(broken, "internal"), (lambda: ok({"company_id": 7041}), "wrong-company")])
def test_an_account_that_cannot_be_read_is_a_diagnostic_of_its_own(fails: Callable[[], Reply], code: str) -> None:
    declared = account(label("Hot"), company_id=1)
    compared = compare(Fake(before={("GET users/me", 0): fails}), declared, account(label("Hot")))
    (diagnostic,) = compared.plan.diagnostics
    assert (diagnostic.code, diagnostic.account) == (code, "emea")
    assert compared == Compared(unread(declared, diagnostic), Spent())


def test_a_target_may_have_another_key_in_the_base() -> None:
    fake = Fake().with_label("1", "Hot")
    declared = account(label("Hot", "blue", key="warm"), label("Cold"))
    settings = Settings(targets=(Target(None, "label", "warm"),))
    compared = compare(fake, declared, account(label("Hot", "blue", key="hot")), settings)
    assert origins(compared) == {"label:warm": Origin.DRIFT}


def test_the_base_is_planned_for_the_same_day() -> None:
    fake = Fake().with_label("1", "Hot")
    gone = label("Hot", present=False)
    later = replace(gone, not_before="2026-12-01")
    settings = Settings(today=dt.date(2026, 11, 28))
    assert origins(compare(fake, account(gone), account(later), settings)) == {"label:Hot": Origin.CHANGE}
    assert origins(compare(fake, account(later), account(gone), settings)) == {}


def test_a_lead_that_neither_has_yet_is_compared() -> None:
    assert origins(compare(Fake(), account(lead("a")), account(lead("a")))) == {"lead:a": Origin.DRIFT}


def test_a_live_lead_that_only_the_base_declares_is_compared() -> None:
    fake = Fake().with_lead("x", "ns:z", title="z").with_lead("y", "ns:y")
    policy = replace(FREE, prune_rules={"lead": Prune.OWNED})
    compared = compare(fake, account(policy=policy), account(lead("z"), policy=policy))
    assert origins(compared) == {"lead:z": Origin.CHANGE, "lead:y": Origin.DRIFT}


def test_a_description_in_both_revisions_is_looked_up_once() -> None:
    fake = Fake(
        before={
            ("GET persons/2", 0): person(2, "x@acme.test"),
            ("GET persons/search", 0): people((1, "jane@acme.test")),
        }
    )
    fake.lead("x", "ns:a", title="a", person_id=2)
    compared = compare(fake, account(lead("a", person=JANE)), account(lead("a", person=JANE)))
    assert origins(compared) == {"lead:a": Origin.DRIFT}
    assert compared.besides == Spent()


def test_a_replaced_description_means_whom_the_lead_is_linked_to_whatever_it_means_for_another_lead() -> None:
    fake = Fake(before={(f"GET persons/{id_}", 0): person(id_, "jane@acme.test") for id_ in (2, 3)})
    fake.lead("x", "ns:a", title="a", person_id=2)
    fake.lead("y", "ns:b", title="b", person_id=3)
    declared = account(lead("a", person=1), lead("b", person=JANE))
    compared = compare(fake, declared, account(lead("a", person=JANE), lead("b", person=JANE)))
    assert origins(compared) == {"lead:a": Origin.CHANGE}


def test_a_replaced_description_is_looked_up_if_its_field_changes() -> None:
    fake = Fake(
        before={
            ("GET persons/2", 0): person(2, "x@acme.test"),
            ("GET persons/search", 0): people((3, "mira@acme.test")),
        }
    )
    fake.lead("x", "ns:a", title="a", person_id=2)
    compared = compare(fake, account(lead("a", person=1)), account(lead("a", person=MIRA)))
    assert origins(compared) == {"lead:a": Origin.BOTH}
    spent = Spent()
    spent.add(GET_PERSON)
    spent.add(SEARCH_PERSONS)
    assert compared.besides == spent


def test_a_replaced_description_is_not_looked_up_if_its_field_stays() -> None:
    fake = Fake().with_lead("x", "ns:a", title="a", person_id=1)
    declared, base = lead("a", title="b", person=1), lead("a", title="b", person=MIRA)
    compared = compare(fake, account(declared), account(base))
    assert origins(compared) == {"lead:a": Origin.DRIFT}
    assert compared.besides == Spent()


def test_changes_have_no_origin_if_the_base_cannot_be_looked_up() -> None:
    fake = Fake(before={("GET persons/2", 0): lambda: failed(403)})
    fake.lead("x", "ns:a", title="a", person_id=2)
    compared = compare(fake, account(lead("a", person=1)), account(lead("a", person=MIRA)))
    (change,) = compared.plan.changes
    assert (change.origin, compared.plan.applyable) == (None, True)
    (diagnostic,) = compared.plan.diagnostics
    assert (diagnostic.code, diagnostic.severity, diagnostic.account) == ("origin-unknown", Severity.WARNING, "emea")
    words = "no change says where it comes from: what the base declares was not looked up: getPerson: "
    assert diagnostic.summary.startswith(words)
    assert diagnostic.hint
    assert compared.besides.requests == 1


def test_diagnostics_of_the_plan_stay_if_the_base_cannot_be_looked_up() -> None:
    nobody = people()
    fake = Fake(before={("GET persons/search", 0): nobody, ("GET persons/search", 1): lambda: failed(403)})
    fake.lead("x", "ns:a", title="a", person_id=None)
    declared = account(lead("a", person=1), lead("b", person=JANE))
    found = compare(fake, declared, account(lead("a", person=MIRA))).plan.diagnostics
    assert [diagnostic.code for diagnostic in found] == ["none-found", "origin-unknown"]


FIELDS = [{"field_code": "a" * 40, "field_name": "Score", "field_type": "double"}]


def scored(score: int, **attrs: Any) -> Desired:
    attrs["custom_fields.Score"] = CustomValue(score)
    return lead("a", **attrs)


@pytest.mark.parametrize(("before", "origin"), [(7, Origin.DRIFT), (8, Origin.BOTH)])
def test_a_custom_field_of_the_base_is_compared_if_this_revision_declares_one(before: int, origin: Origin) -> None:
    fake = Fake(before={("GET dealFields", number): lambda: ok(FIELDS) for number in range(2)})
    fake.lead("x", "ns:a", title="a")
    assert origins(compare(fake, account(scored(7)), account(scored(before)))) == {"lead:a": origin}


def test_a_custom_field_that_only_the_base_declares_costs_nothing() -> None:
    fake = Fake().with_lead("x", "ns:a", title="a")
    compared = compare(fake, account(lead("a", title="b")), account(scored(7, title="b")))
    assert origins(compared) == {"lead:a": Origin.DRIFT}
    assert compared.besides == Spent()
