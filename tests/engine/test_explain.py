"""One object of each account: what is declared and there, what a plan limited to it does, which words may mean it."""

import pytest

from leadstate.engine.explain import Found, explain_all
from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Settings, unread
from leadstate.model.account import Account
from leadstate.model.address import Address, Target
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.policy import Prune
from leadstate.model.resource import Desired
from tests.harness.builders import label, lead, shown
from tests.harness.fake_api import FREE, Fake, Reply, ok


def explained(fake: Fake, target: str, *desired: Desired, company_id: int | None = None) -> tuple[Account, Found]:
    """Explain an object; return the account beside it."""
    account = Account("emea", "http://127.0.0.1:1", "ns", FREE, desired, company_id=company_id)
    wanted = Target.parse(target, ("label", "lead"))
    (found,) = fake.connect(lambda connection: explain_all([AccountJob(account, connection)], wanted, Settings()))
    return account, found


def test_a_declared_label_is_explained_and_no_lead_is_read() -> None:
    fake = Fake()
    fake.label("1", "Hot")
    hot = label("Hot", "blue")
    _, found = explained(fake, "label:Hot", hot, label("Cold"))
    assert shown(found.plan) == ["~ label:Hot color"]
    assert found.explained is not None
    assert (found.explained.desired, found.explained.change) == (hot, found.plan.changes[0])
    assert found.explained.live is not None
    assert fake.sent == ["GET leadLabels"]


def test_leads_that_carry_a_label_are_counted_where_they_are_read_for_another_one() -> None:
    fake = Fake()
    fake.label("1", "Hot")
    fake.label("2", "Cold")
    for number in range(3):
        fake.lead(f"l{number}", None, "1")
    _, found = explained(fake, "label:Hot", label("Hot"))
    assert (found.explained and found.explained.leads, fake.sent) == (None, ["GET leadLabels"])
    _, found = explained(fake, "label:Hot", label("Hot"), label("Cold", present=False))
    assert found.explained is not None
    assert found.explained.leads == 3


def test_a_lead_that_nothing_declares_is_shown_and_not_deleted() -> None:
    fake = Fake()
    fake.lead("x", "ns:z")
    _, found = explained(fake, "lead:z", lead("a"))
    assert found.explained is not None
    assert found.explained.address == Address("emea", "lead", "z")
    assert found.explained.live is not None
    assert found.explained.live.remote_id == "x"
    assert (found.explained.desired, found.explained.change) == (None, None)
    assert found.explained.prune is FREE.prune("lead") is Prune.NONE
    assert found.plan.changes == ()


def test_words_may_mean_objects_that_the_target_leaves_out_of_the_plan() -> None:
    _, found = explained(Fake(), "lead:a", lead("a"), lead("b"), label("Hot", "red", "Warm"))
    assert shown(found.plan) == ["+ lead:a"]
    assert {word: address.key for word, address in found.known.items()} == {
        ("lead", "a"): "a",
        ("lead", "b"): "b",
        ("label", "Hot"): "Hot",
        ("label", "Warm"): "Hot",
    }


def test_what_is_neither_declared_nor_there_is_not_explained() -> None:
    _, found = explained(Fake(), "label:Hot", lead("a"))
    assert found.explained is None
    assert found.known == {("lead", "a"): Address("emea", "lead", "a")}


def broken() -> Reply:
    raise KeyError


@pytest.mark.parametrize(("fails", "code"), [(broken, "internal"), (lambda: ok({"company_id": 7041}), "wrong-company")])
def test_an_account_that_cannot_be_read_is_a_diagnostic_of_its_own(fails: object, code: str) -> None:
    assert callable(fails)
    account, found = explained(Fake(before={("GET users/me", 0): fails}), "label:Hot", label("Hot"), company_id=1)
    (diagnostic,) = found.plan.diagnostics
    assert isinstance(diagnostic, Diagnostic)
    assert (diagnostic.code, diagnostic.severity, diagnostic.account) == (code, Severity.ERROR, "emea")
    assert found == Found(unread(account, diagnostic))
