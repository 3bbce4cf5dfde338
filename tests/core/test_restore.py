"""The rollback as a pure function: what an apply has touched, and what is there now."""

import pytest

from leadstate.core.observed import Observed
from leadstate.core.restore import plan_restore
from leadstate.core.touch import AccountReceipt, Touch
from tests.builders import account, live_lead, shown


@pytest.mark.parametrize(("answered", "expected"), [(False, ["- lead:a"]), (True, [])])
def test_an_added_lead_is_deleted_where_the_run_ended_before_it_was_archived(
    answered: bool,  # noqa: FBT001  a parameter
    expected: list[str],
) -> None:
    made = Touch("lead", "id-a", "a", None, {"title": "a"}, mark="ns:a", answered=True)
    archived = Touch("lead", "id-a", "a", {"archived": False}, {"archived": True}, answered=answered)
    plan = plan_restore(
        account(), AccountReceipt("receipt.json", (made, archived), {}), Observed({"lead": [live_lead("a")]})
    )
    assert shown(plan) == expected
