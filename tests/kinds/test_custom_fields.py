"""The list of an account's custom fields, as a server may answer it."""

from typing import Any

import pytest

from leadstate.kinds.custom_fields import UNREADABLE, CustomField, CustomFields, Unfit, decode
from leadstate.model.address import Span
from leadstate.model.resource import CustomValue, Lookup

KEY = "3ce5b1409718d65a8adc965be1f0da8821d8b9ab"


def row(**changed: Any) -> dict[str, Any]:
    return {"field_code": KEY, "field_name": " Industry ", "field_type": "enum", "options": None, **changed}


def test_a_row_is_a_field() -> None:
    options = [{"id": 1, "label": " Retail "}]
    assert decode(row(options=options)) == CustomField(KEY, "Industry", "enum", {1: "Retail"})
    assert decode(row(field_code="title", field_name=None)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"field_code": None},
        {"field_type": []},
        {"options": {}},
        {"options": [{"id": {"out of bounds": "1e999999999"}, "label": "x"}]},
        {"options": [{"id": 1}]},
    ],
)
def test_a_malformed_row_leaves_the_others_readable(changed: dict[str, Any]) -> None:
    good = row(field_code="f" * 40, field_name="Score", field_type="double")
    rows = [decode(raw) for raw in (row(**changed), good)]
    assert rows[0] == CustomField("", "Industry", UNREADABLE)
    fields = CustomFields(field for field in rows if field)
    assert fields.names == ["Industry", "Score"]
    assert fields.read({KEY: "7", "": 1}) == {}


@pytest.mark.parametrize("raw", [None, [], "x", 1, {}, row(field_name=None), row(field_name=[])])
def test_a_row_without_a_name_is_left_out(raw: object) -> None:
    assert decode(raw) is None


def test_a_number_too_long_for_an_id_is_none() -> None:
    fields = CustomFields([CustomField(KEY, "Contact", "people"), CustomField(KEY, "Boss", "user")])
    at = Span("leadstate.yaml", 1, 1)
    assert fields.normal("Contact", CustomValue("12"), at) == 12
    assert fields.normal("Contact", CustomValue("1" * 5000), at) == Lookup("person", "name", "1" * 5000, at)
    with pytest.raises(Unfit, match="takes a user"):
        fields.normal("Boss", CustomValue("1" * 5000), at)


@pytest.mark.parametrize("raw", ["1e5000000", "-1e5000000", "1e-5000000", "1e51", "9" * 52, "NaN", "sNaN", "-Infinity"])
@pytest.mark.parametrize("kind", ["double", "monetary"])
def test_a_number_out_of_bounds_is_read_as_a_text_that_equals_nothing(kind: str, raw: str) -> None:
    field = decode(row(field_type=kind))
    assert field is not None
    fields = CustomFields([field])
    assert fields.read({KEY: raw, f"{KEY}_currency": "EUR"}) == {"custom_fields.Industry": f"? {raw}"[:100]}
    assert fields.read({KEY: "1e50", f"{KEY}_currency": "EUR"}) != {"custom_fields.Industry": "? 1e50"}
