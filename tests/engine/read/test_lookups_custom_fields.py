"""Which field a name means, and what becomes of values that are declared for it."""

from collections.abc import Sequence
from typing import Any

import pytest

from leadstate.engine.read.lookups import resolve_custom_fields
from leadstate.kinds.custom_fields import UNREADABLE, CustomField, CustomFields, Unfit
from leadstate.model.account import Account
from leadstate.model.address import Address, Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.model.resource import CustomValue, Desired
from tests.harness.builders import HERE, account, lead
from tests.harness.fake_api import Fake, ok

FIELDS = CustomFields(
    [
        CustomField("a", "Score", "double"),
        CustomField("", "Broken", UNREADABLE),
        CustomField("", "Broken too", UNREADABLE),
    ]
)


def test_a_malformed_field_is_an_error_if_it_is_declared() -> None:
    assert FIELDS.normal("Score", CustomValue(7), HERE) == 7
    with pytest.raises(Unfit, match="cannot be understood"):
        FIELDS.normal("Broken", CustomValue(7), HERE)


THERE = Span("leadstate.yaml", 20, 7)
ROWS = [
    {"field_code": "a" * 40, "field_name": "Score", "field_type": "double"},
    {"field_code": "b" * 40, "field_name": "Twice", "field_type": "varchar"},
    {"field_code": "c" * 40, "field_name": "Twice", "field_type": "text"},
    {"field_code": "title", "field_name": "Title", "field_type": "varchar"},
]


def custom(key: str, span: Span | None = THERE, **fields: object) -> Desired:
    """A lead with these custom fields."""
    attrs: dict[str, Any] = {f"custom_fields.{name}": CustomValue(value, span) for name, value in fields.items()}
    return lead(key, **attrs)


def resolved(
    *desired: Desired, planned: tuple[Desired, ...] | None = None, rows: Sequence[object] = ROWS
) -> tuple[Account, CustomFields | None, tuple[Diagnostic, ...], list[str]]:
    fake = Fake()
    fake.before["GET dealFields", 0] = lambda: ok(rows)
    declared = account(*desired)
    found = fake.run(lambda writer: resolve_custom_fields(declared, desired if planned is None else planned, writer))
    return (*found, fake.sent)


def test_a_value_gets_the_form_of_its_field() -> None:
    plain = lead("b")
    found, fields, diagnostics, sent = resolved(custom("a", Score=7), plain)
    assert [desired.attrs for desired in found.desired] == [
        {"title": "a", "person": 1, "custom_fields.Score": 7},
        plain.attrs,
    ]
    assert found.desired[1] is plain
    assert (diagnostics, sent) == ((), ["GET dealFields"])
    assert fields is not None
    assert fields.read({}) == {"custom_fields.Score": None}


def test_fields_are_not_listed_unless_a_planned_lead_names_one() -> None:
    seed, plain = custom("a", Score=7), lead("b")
    found, fields, diagnostics, sent = resolved(seed, plain, planned=(plain,))
    assert [desired.attrs for desired in found.desired] == [{"title": "a", "person": 1}, plain.attrs]
    assert (fields, diagnostics, sent) == (None, (), [])


@pytest.mark.parametrize("span", [THERE, None])
def test_a_value_that_does_not_fit_is_left_out_and_is_an_error_at_its_place(span: Span | None) -> None:
    wrong = custom("a", span, Score="much", Missing=1, Twice="x")
    good = custom("b", Score=1)
    found, _, diagnostics, _ = resolved(wrong, good)
    assert [desired.attrs for desired in found.desired] == [
        {"title": "a", "person": 1},
        {"title": "b", "person": 1, "custom_fields.Score": 1},
    ]
    assert {diagnostic.span for diagnostic in diagnostics} == {span or HERE}
    score, missing, twice = diagnostics
    assert score.summary.startswith("the custom field 'Score': ")
    assert score.hint
    assert missing == Diagnostic(
        "custom-field",
        Severity.ERROR,
        "the custom field 'Missing': no field has this name",
        detail="Score\nTwice",
        hint="write the name of a deal field, which leads have too, or create it in Pipedrive first",
        span=span or HERE,
        account="emea",
        address=Address("emea", "lead", "a"),
    )
    assert (twice.summary, twice.hint) == (
        "the custom field 'Twice': 2 fields have this name",
        "rename one of them in Pipedrive",
    )
    assert twice.detail == f"{'b' * 40}  varchar\n{'c' * 40}  text"


@pytest.mark.parametrize(("count", "more"), [(10, []), (13, ["and 3 more"])])
def test_ten_candidates_are_named(count: int, more: list[str]) -> None:
    rows = [
        {"field_code": f"{number:040x}", "field_name": f"F{number:02}", "field_type": "double"}
        for number in range(count)
    ]
    _, _, (diagnostic,), _ = resolved(custom("a", Missing=1), rows=rows)
    assert diagnostic.detail.splitlines() == [*(f"F{number:02}" for number in range(10)), *more]


def test_what_makes_a_field_unfit_says_what_to_do() -> None:
    with pytest.raises(Unfit) as unfit:
        FIELDS.normal("Broken", CustomValue(7), HERE)
    assert (str(unfit.value), unfit.value.fix, unfit.value.candidates) == (
        "the server describes it in a form that cannot be understood",
        "report it; other fields are not affected",
        (),
    )
