"""`get leads`: with the names of their labels, narrowed down, at the cost that the help says."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import leadstate
from tests.harness.commands import Ended, Folder
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import TOKEN
from tests.harness.faults import Fault, FaultKind, Faults

Lead = dict[str, Any]
LABELS, LEADS, USERS = "/api/v1/leadLabels", "/api/v1/leads", "/api/v1/users"


@pytest.fixture(name="sandbox")
def _sandbox() -> Sandbox:
    made = Sandbox("drifted")
    seed = made.dump()
    seed["companies"][0]["token"] = TOKEN
    made.replace(seed)
    return made


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.configure({"version": 1, "accounts": {"emea": {"url": NOWHERE, "token": {"env": "TOKEN"}}}})
    return made


@pytest.fixture(name="leads")
def _leads(sandbox: Sandbox) -> list[Lead]:
    """Every lead of the company, as the sandbox has it, with the names of its labels."""
    company = sandbox.dump()["companies"][0]
    names = {label["id"]: label["name"] for label in company["labels"]}
    return [{**lead, "labels": [names[remote_id] for remote_id in lead["label_ids"]]} for lead in company["leads"]]


def titles(done: Ended) -> list[str]:
    assert done.code == 0, done.said
    return [row["title"] for row in json.loads(done.out)]


def get(folder: Folder, sandbox: Sandbox, *words: str) -> Ended:
    return folder.run(sandbox, "get", "leads", "--format", "json", *words)


CASES: dict[str, tuple[tuple[str, ...], Any]] = {
    "none": ((), lambda _: True),
    "a label": (("--label", "Hot"), lambda lead: "Hot" in lead["labels"]),
    "any of two labels": (
        ("--label", "Hot", "--label", "VIP"),
        lambda lead: {"Hot", "VIP"} & set(lead["labels"]),
    ),
    "an owner by id": (("--owner", "102"), lambda lead: lead["owner_id"] == 102),
    "an owner by email, in any case": (("--owner", "KIM@acme.test"), lambda lead: lead["owner_id"] == 102),
    "two owners": (("--owner", "102", "--owner", "sam@acme.test"), lambda _: True),
    "a source": (("--source", "Manually created"), lambda lead: not lead["origin_id"]),
    "a source of none": (("--source", "Chatbot"), lambda _: False),
    "a time": (("--updated-since", "2026-03-01T09:00:00Z"), lambda lead: lead["update_time"] >= "2026-03-01T09:00"),
    "a day": (("--updated-since", "2026-03-01"), lambda lead: lead["update_time"] >= "2026-03-01"),
    "an offset": (
        ("--updated-since", "2026-03-01T09:00:00+02:00"),
        lambda lead: lead["update_time"] >= "2026-03-01T07:00",
    ),
    "all of them": (
        ("--label", "Cold", "--owner", "101", "--updated-since", "2026-03-01"),
        lambda lead: "Cold" in lead["labels"] and lead["owner_id"] == 101 and lead["update_time"] >= "2026-03-01",
    ),
}


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_leads_are_narrowed_down(
    folder: Folder,
    sandbox: Sandbox,
    leads: list[Lead],
    name: str,
    archived: bool,  # noqa: FBT001  a parameter
) -> None:
    words, fits = CASES[name]
    done = get(folder, sandbox, *words, *(["--archived"] if archived else []))
    expected = [lead["title"] for lead in leads if lead.get("is_archived", False) is archived and fits(lead)]
    assert sorted(titles(done)) == sorted(expected)
    assert archived or 0 < len(expected) < 38 or name in ("none", "two owners", "a source of none")


def test_leads_come_with_the_names_of_their_labels(folder: Folder, sandbox: Sandbox, leads: list[Lead]) -> None:
    rows = json.loads(get(folder, sandbox).out)
    assert {row["id"]: row["labels"] for row in rows} == {
        lead["id"]: lead["labels"] for lead in leads if not lead.get("is_archived")
    }
    one = folder.run(sandbox, "get", "lead", rows[3]["id"], "--format", "json")
    assert json.loads(one.out) == [rows[3]]
    assert [step.path for step in one.steps] == [f"/api/v1/leads/{rows[3]['id']}", LABELS]


def test_the_table_has_ids_last(folder: Folder, sandbox: Sandbox) -> None:
    heading = folder.run(sandbox, "get", "leads").out.splitlines()[0].split()
    names = ["title", "labels", "value", "source_name", "update_time", "origin_id"]
    assert heading == [*names, "owner_id", "person_id", "organization_id", "id"]


VIP = {
    80: """\
title                 labels     value      id
Acme renewal EMEA     Hot, VIP   2950 EUR   3e78b760-fb66-11f0-91c1-d76c55000005
Juniper Homes         Cold, VIP             bb4ceba0-04dd-11f1-91c1-d76c55000009
service contract
""",
    120: """\
title          labels     value      source_name    update_time     origin_id       id
Acme renewal   Hot, VIP   2950 EUR   API            2026-01-27T14:  acme-seeds:acm  3e78b760-fb66-11f0-91c1-d76c55000005
EMEA                                                55:00.182Z      e-renewal
Juniper Homes  Cold, VIP             Manually       2026-02-08T20:                  bb4ceba0-04dd-11f1-91c1-d76c55000009
service                              created        03:00.186Z
contract
""",
}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_table_leaves_columns_out_and_says_where_they_are(
    folder: Folder, sandbox: Sandbox, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadstate.cli.output.columns", lambda: width)
    done = folder.run(sandbox, "get", "leads", "--label", "VIP")
    assert all(len(line) <= width for line in done.out.splitlines())
    assert done.out.startswith(VIP.get(width, "title"))
    assert done.err.startswith("Too narrow for ")
    assert done.err.endswith("organization_id: `--format json` or `-o FILE` writes all columns.\n")
    assert folder.run(sandbox, "get", "leads", "-o", "./leads.txt").err == ""
    assert "organization_id" in (folder.path / "leads.txt").read_text()
    assert folder.run(sandbox, "get", "sources").out.splitlines()[0] == "name"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), [LABELS, LEADS]),
        (("--owner", "102"), [LABELS, LEADS]),
        (("--owner", "kim@acme.test"), [LABELS, USERS, LEADS]),
        (("--label", "Nowhere"), [LABELS]),
        (("--owner", "nobody@acme.test"), [LABELS, USERS]),
    ],
)
def test_no_more_is_read_than_is_needed(
    folder: Folder, sandbox: Sandbox, words: tuple[str, ...], expected: list[str]
) -> None:
    assert [step.path for step in get(folder, sandbox, *words).steps] == expected


def test_pipedrive_is_asked_for_one_owner_and_a_time(
    folder: Folder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path)
    queries: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        queries.append(scope["query_string"].decode())
        await sandbox.app(scope, receive, send)

    listening: Any = SimpleNamespace(app=app)
    words = ("get", "leads", "--owner", "102", "--updated-since", "2026-03-01T09:00:00+01:00")
    assert leadstate(listening, {"TOKEN": TOKEN}, folder.path, words)[0] == 0
    assert queries[-1].startswith("owner_id=102&updated_since=2026-03-01T08%3A00%3A00Z&limit=")
    assert leadstate(listening, {"TOKEN": TOKEN}, folder.path, (*words, "--archived", "--owner", "101"))[0] == 0
    assert queries[-1].startswith("limit="), "of archived leads it knows no time, and never two owners"
    early = ("get", "leads", "--updated-since", "0999-01-01")
    assert leadstate(listening, {"TOKEN": TOKEN}, folder.path, early)[0] == 0
    assert queries[-1].startswith("updated_since=0999-01-01T00%3A00%3A00Z&limit=")


def test_a_part_of_the_leads_is_not_remembered_as_all_of_them(folder: Folder, sandbox: Sandbox) -> None:
    folder.lengths.parent.mkdir()
    known = json.dumps({f"emea {NOWHERE}": {"getLeads": 3}})
    folder.lengths.write_text(known)
    assert get(folder, sandbox, "--owner", "102").code == 0
    assert json.loads(folder.lengths.read_text()) == json.loads(known)
    assert get(folder, sandbox).code == 0
    assert json.loads(folder.lengths.read_text()) != json.loads(known)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--label", "Hto"), "no account has a label 'Hto'"),
        (("--owner", "nobody@acme.test"), "no account has a user 'nobody@acme.test'"),
        (("--updated-since", "yesterday"), "'yesterday' is not a time; write 2026-11-24, or 2026-11-24T09:00:00Z"),
        (("--owner", "1" * 5000), "a number of 5,000 digits is not the id of a user"),
        (("--owner", "1" * 17), "a number of 17 digits is not the id of a user"),
    ],
)
def test_what_no_account_knows_is_a_usage_error(
    folder: Folder, sandbox: Sandbox, words: tuple[str, ...], said: str
) -> None:
    done = get(folder, sandbox, *words)
    assert done.code == 64
    assert said in done.err


def test_an_account_that_cannot_be_read_is_said_and_not_that_it_has_no_such_label(
    folder: Folder, sandbox: Sandbox
) -> None:
    sandbox.intercept = Faults(Fault(FaultKind.SHIELD, operation="getLeadLabels", times=None))
    done = get(folder, sandbox, "--label", "Hot")
    assert done.code == 1
    assert "no account has" not in done.err


def test_accounts_are_read_at_once_and_one_that_fails_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    under_way, most = 0, 0
    companies = [{"token": f"t{n}", "company": {"id": n, "name": f"C{n}", "domain": f"c{n}"}} for n in (1, 2, 3)]
    sandbox = Sandbox({"companies": companies})

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        await sandbox.app(scope, receive, send)
        under_way -= 1

    accounts = {f"a{n}": {"url": f"{NOWHERE}{n}", "token": {"env": f"T{n}"}} for n in (1, 2, 3)}
    Folder(tmp_path).configure({"version": 1, "accounts": accounts})
    listening: Any = SimpleNamespace(app=app)
    words = ("get", "users", "--format", "json")
    code, out, err = leadstate(listening, {"T1": "t1", "T2": "wrong", "T3": "t3"}, tmp_path, words)
    assert code == 1
    assert {row["account"] for row in json.loads(out)} == {"a1", "a3"}
    assert "error[unauthorized] a2: " in err
    assert most == 3


LEAD_ID = "4f1c0d3e-8f7a-4a55-9a5e-0d1f6c9c7b11"


@pytest.mark.parametrize(
    ("holder", "failing", "code", "said"),
    [
        (2, None, 0, ""),
        (None, None, 1, "getLead: 404"),
        (2, 3, 1, "error[unauthorized] a3"),
        (None, 3, 1, "error[unauthorized] a3"),
    ],
    ids=["one has it", "none has it", "one has it, one fails", "none has it, one fails"],
)
def test_a_lead_is_missed_only_where_no_account_has_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    holder: int | None,
    failing: int | None,
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    companies = [
        {
            "token": f"t{n}",
            "company": {"id": n, "name": f"C{n}", "domain": f"c{n}"},
            "persons": [{"id": 1, "name": "Jane"}],
            "leads": [{"id": LEAD_ID, "title": "Here", "person_id": 1}] if n == holder else [],
        }
        for n in (1, 2, 3)
    ]
    accounts = {f"a{n}": {"url": NOWHERE, "company_id": n, "token": {"env": f"T{n}"}} for n in (1, 2, 3)}
    Folder(tmp_path).configure({"version": 1, "accounts": accounts})
    tokens = {f"T{n}": "wrong" if n == failing else f"t{n}" for n in (1, 2, 3)}
    words = ("get", "lead", LEAD_ID, "--format", "json")
    ended, out, err = leadstate(Sandbox({"companies": companies}), tokens, tmp_path, words)
    assert ended == code, err
    assert [row["account"] for row in json.loads(out or "[]")] == ([f"a{holder}"] if holder else [])
    assert err.startswith(said)
    assert ("getLead" in err) == ("getLead" in said)
