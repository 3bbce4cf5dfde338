"""What is explained of one object: where it is declared, what is live, and why a plan changes it or not."""

from dataclasses import replace

from leadstate.engine.jobs import AccountJob
from leadstate.engine.run import Settings, refresh_target
from leadstate.model.account import Account
from leadstate.model.address import Span, Target
from leadstate.model.resource import Desired
from leadstate.report.explain import explain_object
from leadstate.report.formats.explanation import ExplainedField, Explanation
from tests.harness.builders import FREE, label, lead
from tests.harness.fake_api import Fake

NAME = Span("leadstate.yaml", 3, 9)


def explained(fake: Fake, target: str, *desired: Desired, ignored: str = "") -> Explanation | None:
    policy = replace(FREE, ignore={"label": (ignored,)}) if ignored else FREE
    account = Account("emea", "http://127.0.0.1:1", "ns", policy, desired)
    wanted = Target.parse(target, ("label", "lead"))
    ((plan, refreshed),) = fake.connect(
        lambda connection: refresh_target([AccountJob(account, connection)], wanted, Settings())
    )
    assert refreshed is not None
    address = next((item.address for item in desired if wanted.selects(item.address)), None)
    address = address or replace(desired[0].address, kind=wanted.kind, key=wanted.key)
    return explain_object(address, refreshed.account, refreshed.observed, plan, lambda _: {"name": NAME})


def test_a_field_that_differs_has_both_values_and_its_place() -> None:
    fake = Fake()
    fake.label("1", "Hot")
    found = explained(fake, "label:Hot", label("Hot", "blue"))
    assert found is not None
    assert found.change is not None
    assert (found.remote_id, found.known_by, found.change.action) == ("1", ("name",), "update")
    fields = {field.path: field for field in found.fields}
    assert fields["name"] == ExplainedField(path="name", managed=True, declared="Hot", live="Hot", source=NAME)
    assert (fields["color"].declared, fields["color"].differs) == ("blue", True)


def test_an_unmanaged_lead_is_explained_and_not_changed() -> None:
    fake = Fake()
    fake.lead("x", "ns:z")
    found = explained(fake, "lead:z", lead("a"))
    assert found is not None
    assert found.untouched is not None
    assert (found.source, found.change, found.untouched.reason) == (None, None, "unmanaged")
    assert not any(field.managed for field in found.fields)


def test_an_ignored_label_is_untouched_because_of_the_policy() -> None:
    fake = Fake()
    fake.label("1", "Hot")
    found = explained(fake, "label:Hot", label("Cold"), ignored="Hot")
    assert found is not None
    assert found.untouched is not None
    assert (found.remote_id, found.untouched.reason) == ("1", "ignored")


def test_what_is_neither_declared_nor_live_is_not_explained() -> None:
    assert explained(Fake(), "label:Hot", label("Cold")) is None
