"""A lead that was created under a former key, or in another namespace, is the one that `previously` names."""

from dataclasses import replace
from typing import Any

import pytest

from leadstate.model.account import Prune
from leadstate.model.address import Ref
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import AccountPlan, Reason
from leadstate.model.resource import Desired
from tests.harness.builders import FREE, label, lead, shown
from tests.harness.fake_api import Fake

UUIDS = [f"10000000-0000-1000-8000-{number:012x}" for number in range(6)]


def renamed(key: str, *former: str, **attrs: Any) -> Desired:
    return replace(lead(key, **{"title": "same", "person": 1, **attrs}), former=former)


def company(**markers: str) -> Fake:
    fake = Fake()
    for number, (id_, marker) in enumerate(markers.items()):
        fake.lead(id_, marker, title="same", is_archived=id_.startswith("archived"), add_time=f"2026-01-0{number + 1}")
    return fake


def codes(plan: AccountPlan) -> list[str]:
    return [found.code for found in plan.diagnostics]


@pytest.mark.parametrize("former", ["ns:old", "other:new"])
@pytest.mark.parametrize("where", ["live", "archived"])
def test_a_lead_with_a_former_marker_is_up_to_date_and_no_other_is_created(former: str, where: str) -> None:
    plan = company(**{where: former}).plan(renamed("new", former))
    assert (shown(plan), codes(plan)) == ([], [])
    assert plan.bindings.id_of(Ref("lead", "new")) == where


def test_an_update_goes_to_the_lead_with_the_former_marker() -> None:
    fake = company(a="other:new")
    fake.apply(fake.plan(renamed("new", "other:new", title="changed")))
    assert fake.writes() == ["PATCH leads/a"]


def test_two_leads_of_which_one_has_the_former_marker_are_an_error() -> None:
    plan = company(a="ns:new", b="ns:old").plan(renamed("new", "ns:old"))
    assert (shown(plan), codes(plan)) == ([], ["ambiguous"])


def test_a_lead_of_another_namespace_is_managed_only_while_previously_names_it() -> None:
    owned = replace(FREE, prune_rules={"lead": Prune.OWNED})
    fake = company(a="other:x", b="ns:gone")
    assert shown(fake.plan(renamed("y"), policy=owned)) == ["- lead:gone", "+ lead:y"]
    assert shown(fake.plan(renamed("x", "other:x"), policy=owned)) == ["- lead:gone"]


@pytest.mark.parametrize("former", ["ns:old", "other:old", "other:new"])
def test_an_id_that_the_lock_file_knows_under_the_former_key_saves_the_listing(former: str) -> None:
    fake = company(**{UUIDS[0]: former})
    plan = fake.plan(renamed("new", former), lock={Ref("lead", former.partition(":")[2]): UUIDS[0]})
    assert (shown(plan), [name for name in fake.sent if "leads" in name]) == ([], [f"GET leads/{UUIDS[0]}"])


@pytest.mark.parametrize("former", ["ns:old", "other:old"])
def test_a_seed_that_people_deleted_stays_deleted_under_its_new_key(former: str) -> None:
    plan = Fake().plan(renamed("new", former), lock={Ref("lead", "old"): UUIDS[0]})
    assert (shown(plan), [group.reason for group in plan.untouched]) == ([], [Reason.GONE])


def test_what_the_lock_file_knows_is_left_to_what_has_that_key_now() -> None:
    plan = Fake().plan(renamed("new", "other:old"), renamed("old"), lock={Ref("lead", "old"): UUIDS[0]})
    assert (shown(plan), [group.key for group in plan.untouched]) == (["+ lead:new"], ["old"])


def test_the_former_key_of_a_lead_tells_nothing_of_a_label() -> None:
    fake = company(**{UUIDS[0]: "ns:old"})
    fake.label("hot", "Old")
    lock = {Ref("label", "old"): "hot", Ref("lead", "old"): UUIDS[0]}
    assert shown(fake.plan(renamed("new", "ns:old"), label("New", key="new"), lock=lock)) == ["+ label:new"]


def test_a_new_namespace_over_leads_of_an_old_one_is_refused() -> None:
    plan = company(a="old:x", b="old:y", c="old:z").plan(renamed("x"), renamed("y"))
    (refused,) = (found for found in plan.diagnostics if found.code == "namespace-changed")
    assert refused.severity is Severity.GUARD
    assert "2 leads" in refused.summary
    assert "under `old`: x, y" in refused.summary
    assert "previously: [old:x]" in refused.hint


def test_a_new_namespace_over_an_archived_lead_is_refused_whether_the_lock_file_knows_it_or_not() -> None:
    fake = company(archived="old:x", b="other")
    assert codes(fake.plan(renamed("x"))) == ["namespace-changed"]
    fake = company(**{UUIDS[0]: "old:x"})
    fake.leads[UUIDS[0]]["is_archived"] = True
    none_read = replace(FREE, archived_pages=0)
    assert "namespace-changed" in codes(fake.plan(renamed("x"), lock={Ref("lead", "x"): UUIDS[0]}, policy=none_read))


def test_a_namespace_that_previously_names_for_some_leads_is_refused_for_the_others() -> None:
    assert codes(company(a="old:x", b="old:y").plan(renamed("x", "old:x"), renamed("y"))) == ["namespace-changed"]


def test_the_same_key_in_the_namespace_of_another_team_is_no_reason_to_refuse() -> None:
    assert codes(company(a="ns:x", b="theirs:y").plan(renamed("x"), renamed("y"))) == []
