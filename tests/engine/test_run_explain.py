"""One object of each account is read and planned, whether or not a file declares it."""

import pytest

from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Refreshed, Settings, refresh_target
from leadstate.model.account import Account, Prune
from leadstate.model.address import Target
from leadstate.model.diagnostics import Severity
from leadstate.model.plan import AccountPlan
from leadstate.model.resource import Desired
from tests.harness.builders import FREE, label, lead, shown
from tests.harness.fake_api import Fake, Reply, ok


def refreshed_target(
    fake: Fake, target: str, *desired: Desired, company_id: int | None = None
) -> tuple[AccountPlan, Refreshed | None]:
    account = Account("emea", "http://127.0.0.1:1", "ns", FREE, desired, company_id=company_id)
    wanted = Target.parse(target, ("label", "lead"))
    (found,) = fake.connect(lambda connection: refresh_target([AccountJob(account, connection)], wanted, Settings()))
    return found


def test_a_declared_label_is_planned_and_no_lead_is_read() -> None:
    fake = Fake().with_label("1", "Hot")
    plan, refreshed = refreshed_target(fake, "label:Hot", label("Hot", "blue"), label("Cold"))
    assert shown(plan) == ["~ label:Hot color"]
    assert refreshed is not None
    assert fake.sent == ["GET leadLabels"]


def test_an_undeclared_lead_is_read_and_not_deleted() -> None:
    fake = Fake().with_lead("x", "ns:z")
    plan, refreshed = refreshed_target(fake, "lead:z", lead("a"))
    assert refreshed is not None
    assert [live.remote_id for live in refreshed.observed.live["lead"]] == ["x"]
    assert refreshed.account.policy.prune("lead") is FREE.prune("lead") is Prune.NONE
    assert plan.changes == ()


def broken() -> Reply:
    raise KeyError


@pytest.mark.parametrize(("fails", "code"), [(broken, "internal"), (lambda: ok({"company_id": 7041}), "wrong-company")])
def test_an_account_that_cannot_be_read_has_a_plan_that_says_why(fails: object, code: str) -> None:
    assert callable(fails)
    plan, refreshed = refreshed_target(
        Fake(before={("GET users/me", 0): fails}), "label:Hot", label("Hot"), company_id=1
    )
    (diagnostic,) = plan.diagnostics
    assert (diagnostic.code, diagnostic.severity, diagnostic.account) == (code, Severity.ERROR, "emea")
    assert (plan.complete, refreshed) == (False, None)
