"""Which plans are refused, with which number, and what lifts it."""

from dataclasses import replace
from typing import Any

import pytest

from leadstate.model.account import Policy
from leadstate.model.address import Ref, RemoteRef
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import Action
from leadstate.model.resource import AtLeast
from leadstate.model.usage import SavedFilter
from leadstate.reconcile.guards import Budget, guard, lift
from tests.harness.builders import HERE, account, label, lead, live_label, live_lead, planned, refs

FREE = Budget(0)


@pytest.mark.parametrize(("deletes", "limit", "codes"), [(11, 10, ["max-deletes"]), (10, 10, []), (11, None, [])])
def test_max_deletes(deletes: int, limit: int | None, codes: list[str]) -> None:
    plan = planned(account(labels="all"), *(live_label(f"L{i}") for i in range(deletes)), carriers={})
    policy = Policy(max_deletes=limit, max_delete_percent=None)
    found = guard(plan, policy, {"label": deletes}, FREE)
    assert [diagnostic.code for diagnostic in found] == codes
    for diagnostic in found:
        assert diagnostic.summary == "11 deletes are more than the 10 that one run may do"
        assert diagnostic.hint == "raise policy.guards.max_deletes, or pass `--allow max-deletes`"


@pytest.mark.parametrize(
    ("deletes", "there", "codes"), [(4, 10, ["max-delete-percent"]), (3, 10, []), (2, 3, []), (9, 9, [])]
)
def test_max_delete_percent_needs_a_minimum_of_objects(deletes: int, there: int, codes: list[str]) -> None:
    plan = planned(account(labels="all"), *(live_label(f"L{i}") for i in range(deletes)), carriers={})
    assert [diagnostic.code for diagnostic in guard(plan, Policy(), {"label": there}, FREE)] == codes


@pytest.mark.parametrize(("tokens", "limit", "codes"), [(11, 10, ["max-tokens"]), (10, 10, []), (11, None, [])])
def test_max_tokens(tokens: int, limit: int | None, codes: list[str]) -> None:
    plan = planned(account(label("Hot")))
    assert [diagnostic.code for diagnostic in guard(plan, Policy(max_tokens=limit), {}, Budget(tokens))] == codes


def test_deleting_a_label_in_use_is_refused_with_its_lead_count() -> None:
    plan = planned(
        account(label("Old", present=False)),
        live_label("Old"),
        carriers={RemoteRef("label", "id-Old"): [str(i) for i in range(1200)]},
    )
    (found,) = guard(plan, Policy(), {}, FREE)
    assert (found.code, found.severity) == ("in-use", Severity.GUARD)
    assert "1,200 open leads" in found.summary
    assert guard(plan, Policy(refuse_in_use=False), {}, FREE) == ()
    assert lift([found], {"in-use"})[0].severity is Severity.WARNING


@pytest.mark.parametrize(
    ("live", "archived", "said"),
    [
        (1, 0, "1 open lead still carries it"),
        (2, 0, "2 open leads still carry it"),
        (1, 1, "1 open lead and 1 archived lead still carry it"),
        (0, 3, "0 open leads and 3 archived leads still carry it"),
    ],
)
def test_open_and_archived_leads_that_carry_a_label_are_counted(live: int, archived: int, said: str) -> None:
    ref = RemoteRef("label", "id-Old")
    plan = planned(
        account(label("Old", present=False)),
        live_label("Old"),
        carriers={ref: [str(number) for number in range(live)]},
        archived_carriers={ref: [str(number) for number in range(archived)]},
    )
    assert [(told.code, told.summary) for told in guard(plan, Policy(), {}, FREE)] == [("in-use", said)]


@pytest.mark.parametrize(
    ("names", "said", "them"),
    [
        (["Mine"], "1 saved filter names it: 'Mine'", "that filter"),
        (["Mine", "Yours"], "2 saved filters name it: 'Mine', 'Yours'", "those filters"),
    ],
)
def test_saved_filters_that_name_a_label_are_reported_with_what_to_do(names: list[str], said: str, them: str) -> None:
    filters = tuple(SavedFilter(number, name) for number, name in enumerate(names))
    plan = planned(
        account(label("Old", present=False)),
        live_label("Old"),
        carriers={},
        filters={RemoteRef("label", "id-Old"): filters},
    )
    (found,) = guard(plan, Policy(), {}, FREE)
    assert (found.summary, found.address, found.span) == (said, plan.changes[0].address, HERE)
    assert found.hint == f"take it out of {them} in Pipedrive, set `policy.in_use: allow`, or pass `--allow in-use`"


def test_a_deleted_lead_does_not_hide_a_label_in_use() -> None:
    old = RemoteRef("label", "id-Old")
    plan = planned(
        account(label("Old", present=False), leads="owned"), live_label("Old"), live_lead("gone"), carriers={old: ["x"]}
    )
    deletes = [change for change in plan.changes if change.action is Action.DELETE]
    for ordered in (deletes, deletes[::-1]):
        found = guard(replace(plan, changes=tuple(ordered)), Policy(), {}, FREE)
        assert [diagnostic.code for diagnostic in found] == ["in-use"]


@pytest.mark.parametrize("moves_to", [None, Ref("label", "Warm")])
def test_a_label_that_saved_filters_name_is_refused_wherever_its_leads_go(moves_to: Ref | None) -> None:
    filters = (SavedFilter(1, "Mine"), SavedFilter(2, "Yours"))
    plan = planned(
        account(replace(label("Old", present=False), moves_to=moves_to)),
        live_label("Old"),
        live_label("Warm"),
        carriers={},
        archived_carriers={},
        filters={RemoteRef("label", "id-Old"): filters, RemoteRef("label", "id-Warm"): filters},
    )
    (found,) = guard(plan, Policy(), {}, FREE)
    assert (found.code, found.summary) == ("in-use", "2 saved filters name it: 'Mine', 'Yours'")
    assert guard(plan, Policy(refuse_in_use=False), {}, FREE) == ()


def test_leads_that_the_plan_relabels_are_not_use() -> None:
    plan = planned(
        account(label("Old", present=False), lead("a", labels=refs())),
        live_label("Old"),
        live_lead("a", labels=["id-Old"]),
        carriers={RemoteRef("label", "id-Old"): ["id-a"]},
    )
    assert guard(plan, Policy(), {}, FREE) == ()


def test_an_unarchived_lead_does_not_hide_another_use_of_the_label() -> None:
    plan = planned(
        account(label("Old", present=False), lead("a", labels=refs(), archived=False)),
        live_label("Old"),
        live_lead("a", labels=["id-Old"], archived=True),
        carriers={RemoteRef("label", "id-Old"): ["unmanaged"]},
    )
    assert [diagnostic.code for diagnostic in guard(plan, Policy(), {}, FREE)] == ["in-use"]


@pytest.mark.parametrize(
    ("labels", "carriers"),
    [({"labels": AtLeast(refs("Hot"))}, ("id-a",)), ({"labels": refs("Hot")}, ()), ({}, ("id-a",))],
    ids=["at least others", "others", "not declared"],
)
def test_an_unarchived_lead_counts_as_use_of_its_label(labels: dict[str, Any], carriers: tuple[str, ...]) -> None:
    plan = planned(
        account(label("Hot"), label("Old", present=False), lead("a", archived=False, **labels)),
        live_label("Hot"),
        live_label("Old"),
        live_lead("a", labels=["id-Old"], archived=True),
        carriers={},
    )
    assert [change.carriers for change in plan.changes if change.action == "delete"] == [carriers]


@pytest.mark.parametrize(
    ("budget", "codes"),
    [
        (Budget(60, left=100, limit=100, reserve=50), ["reserve"]),
        (Budget(50, left=100, limit=100, reserve=50), []),
        (Budget(60, left=100, limit=100), []),
        (Budget(100, left=100, limit=100), []),
        (Budget(101, left=100, limit=1000), ["reserve"]),
        (Budget(101, left=100), ["reserve"]),
        (Budget(60, reading=40, left=100, limit=1000), []),
        (Budget(60, reading=41, left=100, limit=1000), ["reserve"]),
        (Budget(60, reading=40, left=150, limit=100, reserve=50), []),
        (Budget(60, reading=41, left=150, limit=100, reserve=50), ["reserve"]),
        (Budget(60), []),
        (Budget(60, reserve=50), []),
        (Budget(60, left=100, reserve=50), []),
        (Budget(60, limit=100, reserve=50), []),
        (Budget(501, left=1000, limit=1000, reserve=50), ["reserve"]),
    ],
)
def test_reserve(budget: Budget, codes: list[str]) -> None:
    assert [diagnostic.code for diagnostic in guard(planned(account(label("Hot"))), Policy(), {}, budget)] == codes


def test_an_empty_plan_needs_no_reserve() -> None:
    assert guard(planned(account()), Policy(), {}, Budget(0, left=0, limit=100, reserve=50)) == ()


def test_cost_guards_name_the_number_the_limit_and_the_option() -> None:
    plan = planned(account(label("Hot")))
    found = guard(plan, Policy(max_tokens=10), {}, Budget(60, left=64, limit=100, reserve=5))
    assert [(diagnostic.code, diagnostic.summary, diagnostic.hint) for diagnostic in found] == [
        (
            "max-tokens",
            "the apply would cost 60 rate-limit tokens; 10 may be spent",
            "raise `--max-tokens` or policy.guards.max_tokens, or pass `--allow max-tokens`",
        ),
        (
            "reserve",
            "the apply would leave 4 of today's 100 rate-limit tokens; `--reserve` requires 5 %",
            "apply after the budget was reset, lower `--reserve`, or pass `--allow reserve`",
        ),
    ]
    (short,) = guard(plan, Policy(), {}, Budget(60, reading=10, left=50, limit=100))
    assert (short.summary, short.hint) == (
        "apply and read-back cost 70 rate-limit tokens; 50 are left today",
        "apply after the budget was reset, or pass `--allow reserve`",
    )
    assert {(diagnostic.severity, diagnostic.account, diagnostic.address, diagnostic.span) for diagnostic in found} == {
        ("guard", "emea", None, None)
    }


def test_a_label_with_unknown_use_counts_as_used_and_is_named_with_its_place() -> None:
    plan = planned(account(label("New"), label("Old", present=False)), live_label("Old"))
    (found,) = guard(plan, Policy(), {}, FREE)
    assert (found.code, found.summary) == ("in-use", "how many leads carry it was not counted")
    assert found.hint == "plan with `--impact live`, or pass `--allow in-use`"
    assert (found.address, found.span) == (label("Old").address, HERE)


def test_archived_leads_are_counted_beside_open_ones() -> None:
    ref = RemoteRef("label", "id-Old")
    plan = planned(
        account(label("Old", present=False)),
        live_label("Old"),
        carriers={ref: ["a"]},
        archived_carriers={ref: ["x", "y"]},
    )
    (found,) = guard(plan, Policy(), {}, FREE)
    assert found.summary == "1 open lead and 2 archived leads still carry it"
    assert found.hint == (
        "write `replace_with: LABEL` to give its leads another label first, set `policy.in_use: allow`, or pass "
        "`--allow in-use`"
    )
    assert (found.address, found.span) == (label("Old").address, HERE)


def test_the_hint_for_a_pruned_label_in_use_is_to_declare_it() -> None:
    plan = planned(account(labels="all"), live_label("Old"), carriers={RemoteRef("label", "id-Old"): ["a"]})
    (found,) = guard(plan, Policy(), {}, FREE)
    assert found.hint.startswith("declare it with `state: absent` and `replace_with: LABEL` to give its leads")


def test_max_delete_percent_counts_each_kind_apart() -> None:
    live = [live_label(f"L{i}") for i in range(3)]
    plan = planned(account(label("A"), label("B"), lead("a"), labels="all"), *live, carriers={})
    assert guard(plan, Policy(), {"label": 10}, FREE) == ()


def test_max_delete_percent_applies_to_every_kind() -> None:
    plan = planned(account(leads="owned"), *(live_lead(f"a{i}") for i in range(5)))
    (found,) = guard(plan, Policy(), {"label": 2, "lead": 14}, FREE)
    assert found.summary == "5 of 14 leads (35 %) would be deleted; one run may delete 30 %"
    assert found.hint == "raise policy.guards.max_delete_percent, or pass `--allow max-delete-percent`"


def test_allow_lifts_only_the_named_guard() -> None:
    found = guard(planned(account(label("Hot"))), Policy(max_tokens=1), {}, Budget(60, left=9, limit=100, reserve=5))
    assert [diagnostic.severity for diagnostic in lift(found, {"reserve"})] == [Severity.GUARD, Severity.WARNING]
