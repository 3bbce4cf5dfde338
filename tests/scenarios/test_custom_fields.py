"""Custom fields by name and option by label: two accounts, other ids in each, one configuration without an id."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import leadstate

TYPES = ("varchar", "text", "phone", "double", "monetary", "date", "time", "enum", "set", "user", "people", "org")
DECLARED = {
    "varchar": "Retail",
    "text": "one line\nand another",
    "phone": "+49 30 1",
    "double": 7.5,
    "monetary": {"amount": 12.5, "currency": "EUR"},
    "date": "2026-12-31",
    "time": "09:30",
    "enum": "Food",
    "set": ["Red", "Blue"],
    "user": {"email": "sam@acme.test"},
    "people": {"email": "jane@acme.test"},
    "org": {"name": "Acme"},
}
OTHER = {
    "varchar": "Food",
    "text": "short",
    "phone": "0",
    "double": -1,
    "monetary": {"amount": 1, "currency": "USD"},
    "date": "2027-01-01",
    "time": "23:59:59",
    "enum": "Retail",
    "set": ["Red"],
    "user": {"email": "kim@acme.test"},
    "people": {"name": "Tom"},
    "org": {"name": "Borealis"},
}


def key(number: int, kind: str) -> str:
    return f"{number}{(TYPES + RANGES).index(kind):x}" * 20


RANGES = ("timerange", "daterange", "address")


def company(number: int, **more: Any) -> dict[str, Any]:
    """What people call alike has another id in every company."""
    at = number * 100
    options = [{"id": at + i, "label": label} for i, label in enumerate(("Retail", "Food", "Red", "Blue"), 1)]
    choices = {kind: {"options": options} for kind in ("enum", "set")}
    fields = [
        {"code": key(number, kind), "name": f"My {kind}", "type": kind, **choices.get(kind, {})}
        for kind in TYPES + RANGES
    ]
    people = [("Jane", "jane@acme.test"), ("Tom", "tom@acme.test")]
    users = [("Sam", "sam@acme.test"), ("Kim", "kim@acme.test")]
    return {
        "token": f"token-{number}",
        "company": {"id": number, "name": f"C{number}", "domain": f"c{number}"},
        "fields": fields[::-1] if number % 2 else fields,
        "persons": [{"id": at + i, "name": name, "emails": [email]} for i, (name, email) in enumerate(people, 1)],
        "organizations": [{"id": at + i, "name": name} for i, name in enumerate(("Acme", "Borealis"), 5)],
        "users": [{"id": at + i, "name": name, "email": email} for i, (name, email) in enumerate(users, 7)],
        **more,
    }


class House:
    """Some companies and one configuration for them."""

    def __init__(self, folder: Path, *companies: dict[str, Any]) -> None:
        self.sandbox = Sandbox({"companies": list(companies)}, burst=100_000, daily=None)
        self.file = folder / "leadstate.yaml"
        self.accounts = {
            f"a{company['company']['id']}": {
                "url": "http://127.0.0.1:1",
                "company_id": company["company"]["id"],
                "token": {"env": company["token"].replace("-", "_")},
            }
            for company in companies
        }
        self.environ = {company["token"].replace("-", "_"): company["token"] for company in companies}

    def declare(self, fields: dict[str, Any], **more: Any) -> None:
        named = {f"My {name}": value for name, value in fields.items()}
        lead = {"key": "one", "title": "One", "person": {"email": "jane@acme.test"}, "custom_fields": named, **more}
        whole = {"version": 1, "namespace": "ns", "accounts": self.accounts, "leads": [lead]}
        self.file.write_text(json.dumps(whole, indent=1))

    def __call__(self, *words: str) -> tuple[int, str, str]:
        return leadstate(self.sandbox, self.environ, self.file.parent / "receipts", (*words, "-c", str(self.file)))

    def apply(self) -> None:
        code, out, err = self("apply", "--auto-approve")
        assert code == 0, out + err

    def check_no_changes(self) -> None:
        code, out, err = self("plan", "--detailed-exitcode")
        assert code == 0, out + err

    def leads(self) -> list[dict[str, Any]]:
        return [lead for company in self.sandbox.dump()["companies"] for lead in company["leads"]]


@pytest.fixture
def make_house(tmp_path: Path) -> Callable[..., House]:
    return lambda *companies: House(tmp_path, *companies)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """One company, whose lead has a value in every field."""
    made = House(tmp_path, company(1))
    made.declare(DECLARED)
    made.apply()
    return made


@pytest.mark.parametrize("enum", ["string", "number"])
@pytest.mark.parametrize("many", ["string", "list"])
def test_every_type_of_field_converges_in_every_wording(make_house: Callable[..., House], enum: str, many: str) -> None:
    house = make_house(*(company(number, wire={"enum": enum, "set": many}) for number in (1, 2)))
    for fields in (DECLARED, OTHER, dict.fromkeys(TYPES), DECLARED):
        house.declare(fields)
        house.apply()
        house.check_no_changes()
    first, second = house.leads()
    assert first[key(1, "enum")] != second[key(2, "enum")]
    assert not any(str(number) in house.file.read_text() for number in (101, 201, 107, 207))


def test_only_differing_fields_are_sent(house: House) -> None:
    before = house.leads()[0]
    house.declare({"double": 8, "enum": "Food"})
    _, out, _ = house("plan", "--format", "json")
    (change,) = json.loads(out)["accounts"][0]["changes"]
    assert [(field["path"], field["before"], field["after"]) for field in change["fields"]] == [
        ("custom_fields.My double", 7.5, 8)
    ]
    house.apply()
    after = house.leads()[0]
    assert {name for name in after if after[name] != before[name]} == {key(1, "double"), "update_time"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"industri": "x"}, ["no field has this name", "My address"]),
        ({"enum": "Fodo"}, ["it has no option 'Fodo'", "Food"]),
        ({"set": 7}, ["it takes a list of its options", "Blue"]),
        ({"set": "Red|Bleu"}, ["it has no option 'Bleu'", "Blue"]),
        ({"double": "many"}, ["it takes a number"]),
        ({"varchar": 7}, ["it takes text", '"7"']),
        ({"varchar": "one\ntwo"}, ["it takes one line"]),
        ({"monetary": 12}, ["it takes an amount of money"]),
        ({"date": "2026-02-30"}, ["it takes a day"]),
        ({"time": "25:00"}, ["it takes a time"]),
        ({"org": {"email": "a@b.test"}}, ["it takes an organization"]),
        ({"people": {"email": "nobody@acme.test"}}, ["there is no person"]),
        *(({kind: "x"}, [f"of the type '{kind}'", "not documented"]) for kind in RANGES),
    ],
)
def test_an_invalid_value_is_an_error_at_its_line(
    make_house: Callable[..., House], fields: dict[str, Any], said: list[str]
) -> None:
    house = make_house(company(1))
    house.declare(fields)
    code, out, err = house("plan")
    assert code == 1
    line = 1 + next(i for i, text in enumerate(house.file.read_text().splitlines()) if "My " in text)
    for words in (*said, f":{line}:"):
        assert words in out + err
    assert house("apply", "--auto-approve")[0] == 1
    assert house.leads() == []


def test_a_text_is_accepted_for_any_type_that_it_parses_as(make_house: Callable[..., House]) -> None:
    house = make_house(company(1))
    texts = {
        **DECLARED, "double": "7.5", "monetary": "12.5 EUR", "set": "Red| Blue", "user": "sam@acme.test",
        "people": "jane@acme.test", "org": "Acme",
    }  # fmt: skip
    house.declare(texts)
    house.apply()
    house.declare(DECLARED)
    house.check_no_changes()


def test_a_csv_file_declares_custom_fields(make_house: Callable[..., House]) -> None:
    house = make_house(company(1))
    names = ("set", "double", "people", "monetary")
    row = ["two", "Two", "Acme", "Red|Blue", "7.5", "jane@acme.test", "12 EUR"]
    head = ["key", "title", "organization.name", *(f"custom_fields.My {name}" for name in names)]
    (house.file.parent / "seeds.csv").write_text(f"{','.join(head)}\n{','.join(row)}\n")
    house.declare({})
    whole = {**json.loads(house.file.read_text()), "leads": [], "leads_from": "seeds.csv"}
    house.file.write_text(json.dumps(whole))
    house.apply()
    (lead,) = house.leads()
    assert (lead[key(1, "set")], lead[key(1, "people")]) == ([103, 104], 101)
    house.check_no_changes()


def test_overrides_and_variables_apply_to_their_account(make_house: Callable[..., House]) -> None:
    house = make_house(company(1), company(2))
    for name, score in (("a1", "7"), ("a2", "8")):
        house.accounts[name]["vars"] = {"score": score, "kind": "Retail"}
    fields = {"double": "${score}", "enum": "${kind}", "varchar": "x"}
    house.declare(fields, overrides={"a2": {"custom_fields": {"My varchar": "y"}}})
    house.apply()
    first, second = house.leads()
    assert (first[key(1, "double")], second[key(2, "double")]) == (7, 8)
    assert (first[key(1, "varchar")], second[key(2, "varchar")]) == ("x", "y")
    house.check_no_changes()


def test_restore_returns_changed_custom_fields(house: House) -> None:
    before = house.leads()[0]
    receipts = house.file.parent / "receipts"
    first = {*receipts.iterdir()}
    house.declare(OTHER)
    house.apply()
    (receipt,) = {*receipts.iterdir()} - first
    code, out, err = house("restore", str(receipt), "--auto-approve")
    assert code == 0, out + err
    now = house.leads()[0]
    assert {name for name in now if now[name] != before[name]} == {"update_time"}


def test_pull_writes_drifted_custom_fields_only(house: House) -> None:
    before = house.file.read_text()
    house.declare({"enum": "Retail", "double": 8.25, "set": ["Red"], "varchar": "Retail"})
    house.apply()
    house.file.write_text(before)
    code, out, err = house("pull", "--auto-approve")
    assert code == 0, out + err
    changed = {new.strip() for new in house.file.read_text().splitlines()} - {
        old.strip() for old in before.splitlines()
    }
    assert sorted(changed) == ['"My double": 8.25,', '"My enum": "Retail",', '"My set": [Red],']
    house.check_no_changes()


def test_get_lists_fields_with_their_options(make_house: Callable[..., House]) -> None:
    house = make_house(company(1))
    house.declare({})
    _, out, _ = house("get", "fields")
    assert "My enum" in out
    assert "Retail, Food" in out
    assert key(1, "enum") in out
    assert "Expected close date" not in out
