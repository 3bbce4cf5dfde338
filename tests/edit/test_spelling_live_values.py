"""Live values in the form in which people write them, and where declared ones are written."""

from decimal import Decimal
from pathlib import Path

import pytest

from leadstate.config.loader import understand
from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.edit.items import Files, find_places, spellings
from leadstate.edit.spelling import as_people_write
from leadstate.model.address import Span
from leadstate.model.resource import Desired, Money

TEXT = """\
version: 1
namespace: ns
accounts:
  a: {domain: a, token: {env: T}, plan: premium, vars: {r: EMEA, q: x}}
labels:
  - {name: Plain, color: red}
  - {name: "Hot ${r}", color: red}
  - {name: "Cold ${r}", key: cold, color: red, overrides: {a: {name: "Colder ${q}"}}}
  - {name: Whole, color: red, merge_from: [Part]}
leads:
  - {key: l, title: "T ${r}", person: 1, labels: {at_least: ["Hot ${r}", "${q}"]}, overrides: {a: {owner: 3}}}
"""


def declared(text: str = TEXT) -> tuple[Files, dict[str, Desired]]:
    source = Source("f.yaml", text, Path())
    (account,) = understand([source], (), Diagnostics()).accounts
    return Files.of([source], Diagnostics()), {str(desired.address.ref): desired for desired in account.account.desired}


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("label:Plain", ("Plain", "Plain", "Plain", "Plain")),
        ("label:Hot EMEA", ("Hot ${r}", "Hot ${r}", "Hot EMEA", "Hot EMEA")),
        ("label:cold", ("cold", "Cold ${r}", "cold", "Colder x")),
        ("label:Part", ("Part", "Part", "Part")),
    ],
)
def test_a_label_is_spelled_by_its_key_then_by_its_written_name(ref: str, expected: tuple[str, ...]) -> None:
    files, desired = declared(TEXT.replace(', "${q}"', ""))
    assert spellings(desired[ref], files) == expected


@pytest.mark.parametrize(
    ("number", "plan", "before", "expected"),
    [
        (1, "premium", None, "owner"),
        (3, "premium", "owner", "group"),
        (3, "premium", 1, 3),
        (3, "lite", "owner", "company"),
        (3, None, "owner", 3),
        (9, "premium", "owner", 9),
    ],
)
def test_visible_to(number: int, plan: str | None, before: object, expected: object) -> None:
    assert as_people_write("visible_to", str(number), plan, before) == expected
    assert as_people_write("title", str(number), plan, before) == str(number)


def test_plain_values() -> None:
    def plainly(value: object, before: object = None) -> object:
        return as_people_write("value", value, None, before)

    whole, part = plainly(Decimal("2.00")), plainly(Decimal("2.50"))
    assert (str(whole), str(part)) == ("2", "2.50")
    assert plainly((1, 2)) == [1, 2]
    assert plainly("x") == "x"
    money = plainly(Money(Decimal("2.5"), "EUR"), {"amount": Decimal("2.50"), "currency": "USD"})
    assert str(money) == str({"amount": Decimal("2.50"), "currency": "EUR"})
    assert str(plainly(Money(Decimal("2.5"), "EUR"), {"amount": 3})) == str(
        {"amount": Decimal("2.5"), "currency": "EUR"}
    )
    assert str(plainly(Money(Decimal("2.5"), "EUR"), "x")) == str({"amount": Decimal("2.5"), "currency": "EUR"})


def test_each_field_is_found_where_it_is_written() -> None:
    files, desired = declared(TEXT.replace(', "${q}"', ""))
    assert find_places(files, desired["label:cold"]) == {"name": Span("f.yaml", 8, 70), "color": Span("f.yaml", 8, 43)}
    assert {"title", "labels", "owner"} <= find_places(files, desired["lead:l"]).keys()
    assert find_places(files, desired["label:Part"]) == {}


def test_a_custom_field_is_found_where_it_is_written() -> None:
    custom = "custom_fields: {a.b: 1, ' Größe ': 2}, overrides: {a: {custom_fields: {Größe: 3}}}"
    files, desired = declared(TEXT.replace("overrides: {a: {owner: 3}}", custom).replace(', "${q}"', ""))
    found = find_places(files, desired["lead:l"])
    line = next(line for line in files.sources[0].text.splitlines() if custom in line)
    assert {name: at.column for name, at in found.items() if name.startswith("custom_fields.")} == {
        "custom_fields.a.b": line.index("b: 1,") + 4,
        "custom_fields.Größe": line.index(" 3}") + 2,
    }


def test_an_account_is_known_as_it_is_written() -> None:
    files, _ = declared(TEXT.replace(', "${q}"', ""))
    assert files.account("a")["plan"] == "premium"
    assert files.account("other") == {}
    assert files.last_with("labels") is files.files[0]
    assert files.last_with("policy") is None
