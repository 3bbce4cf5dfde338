"""A merge that is stopped at any request: run again, every lead has the target, and none lost another label."""

from collections.abc import Mapping
from typing import Any

import pytest

from leadstate.model.plan import Status
from leadstate.pipedrive import client
from leadstate.sandbox import Sandbox
from tests.faults.conftest import Counted
from tests.harness.builders import label, label_id
from tests.harness.disturbed_company import LONG, company, converge, image, plan_and_apply, state
from tests.harness.faults import Fault, FaultKind
from tests.harness.plan_cases import Case, account, live_label, live_lead, merged

SOURCES = (1, 2)
"""Lukewarm and Tepid, which are merged into Warm; Theirs (3) is nobody's business, Warm (4) is there or not."""

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "shield": {"kind": FaultKind.SHIELD},
    "lost": {"kind": FaultKind.LOST},
    "503 after": {"kind": FaultKind.ERROR_AFTER},
    "500 after": {"kind": FaultKind.ERROR_AFTER, "status": 500},
    "reset": {"kind": FaultKind.RESET},
}


def case(leads: int, *, there: bool) -> Case:
    """Return leads that carry one source, both, both and more, or none of them."""
    carried = [(1,), (2,), (1, 2), (3, 1), (2, 3, 1), (3,), ()]
    labels = [live_label(1, "Lukewarm"), live_label(2, "Tepid"), live_label(3, "Theirs")]
    if there:
        labels.append(live_label(4, "Warm", "yellow"))
        carried = [*carried, (4, 1), (2, 4)]
    rows = [live_lead(i, None, *carried[i % len(carried)]) for i in range(1, leads + 1)]
    return Case("merge", company(labels, rows), account(label("Warm", "yellow"), merged("Lukewarm"), merged("Tepid")))


def check(sandbox: Sandbox, before: Mapping[str, Any]) -> None:
    """Check that no lead has lost anything: what it carried it carries, or Warm in place of a source."""
    now = state(sandbox)
    warm = [id_ for id_, label in now.labels.items() if label["name"] == "Warm"]
    assert len(warm) <= 1
    for id_, lead in before.items():
        sources = [id_ for id_ in lead["label_ids"] if id_ in map(label_id, SOURCES)]
        others = [id_ for id_ in lead["label_ids"] if id_ not in sources]
        after = now.leads[id_]["label_ids"]
        assert [label for label in after if label in others] == others, "another label was lost or moved"
        for source in sources:
            assert source in after or warm[0] in after, "a lead lost a label and got nothing for it"


@pytest.mark.parametrize("there", [False, True], ids=["a new label", "one that is there"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_merge_stopped_at_any_request_is_completed_by_the_next_run(fault: str, there: bool, counted: Counted) -> None:  # noqa: FBT001
    merging = case(9, there=there)
    calm = merging.sandbox()
    before = dict(state(calm).leads)
    undisturbed = converge(calm, merging.account)
    check(calm, before)
    wanted = image(state(calm))
    for k in range(1, len(undisturbed.steps) + 1):
        sandbox = merging.sandbox()
        plan_and_apply(sandbox, merging.account, Fault(at=k, **FAULTS[fault]))
        check(sandbox, before)
        assert converge(sandbox, merging.account).statuses <= {Status.APPLIED}
        check(sandbox, before)
        assert image(state(sandbox)) == wanted, f"{fault} at {k}"
    counted("merges", len(undisturbed.steps))


def test_two_labels_are_merged_on_many_pages_of_leads(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    if not LONG:
        monkeypatch.setattr(client, "PAGE", 20)
    merging = case(500 if LONG else 60, there=False)
    calm = merging.sandbox()
    before = dict(state(calm).leads)
    steps = len(converge(calm, merging.account).steps)
    wanted = image(state(calm))
    stops = range(1, steps + 1, 40)
    for k in stops:
        sandbox = merging.sandbox()
        plan_and_apply(sandbox, merging.account, Fault(FaultKind.SHIELD, k))
        check(sandbox, before)
        converge(sandbox, merging.account)
        assert image(state(sandbox)) == wanted, k
    counted("merges", len(stops))
