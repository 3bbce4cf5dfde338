"""`leadstate usage`: exact counts, at the price that was told, and nobody is surprised by it."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import leadstate
from tests.harness.commands import Ended, Folder
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import TOKEN
from tests.harness.terminal import Person

HOT, COLD, IDLE = (f"abcdef00-0000-4000-8000-00000000000{number}" for number in range(3))
PAGE = 500


def company(leads: int = 3, archived: int = 2, **more: Any) -> dict[str, Any]:
    """Return a company whose leads are Hot, Cold or both in turn, one of them edited each hour."""
    labels: Sequence[Sequence[str]] = ([HOT], [COLD], [HOT, COLD])
    return {
        "token": TOKEN,
        "company": {"id": 7041, "name": "Acme", "domain": "acme"},
        "persons": [{"id": 1, "name": "Jane"}],
        "labels": [
            {"id": HOT, "name": "Hot", "color": "red"},
            {"id": COLD, "name": "=Cold", "color": "blue"},
            {"id": IDLE, "name": "Idle", "color": "gray"},
        ],
        "filters": [
            listed(1, "Hot ones", HOT),
            listed(2, "Both", json.dumps([HOT, COLD.upper()])),
            {**listed(3, "Tried out", IDLE), "temporary_flag": True},
            {**listed(4, "Deleted", IDLE), "active_flag": False},
        ],
        "leads": [
            {
                "id": f"{number:08}-0000-1000-8000-000000000000",
                "title": f"Lead {number}",
                "person_id": 1,
                "label_ids": labels[number % 3],
                "add_time": f"20{number // 400 % 80:02}-{number // 31 % 12 + 1:02}-{number % 28 + 1:02}T08:00:00.000Z",
                "update_time": f"2099-01-01T{number % 24:02}:00:00.000Z",
                **({"is_archived": True} if number >= leads else {}),
            }
            for number in range(leads + archived)
        ],
        **more,
    }


def listed(number: int, name: str, value: str) -> dict[str, Any]:
    condition = {"object": "deal", "field_id": "9", "operator": "=", "value": value, "extra_value": None}
    groups = [{"glue": "and", "conditions": []}, {"glue": "or", "conditions": [condition]}]
    return {"id": number, "name": name, "type": "leads", "conditions": {"glue": "and", "conditions": groups}}


def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.configure(
        {
            "version": 1,
            "accounts": {"emea": {"url": NOWHERE, "token": {"env": "TOKEN"}}},
            "labels": [{"name": "Hot", "color": "red"}, {"name": "Idle", "state": "absent"}],
        }
    )
    return made


def sandbox_of(**counts: Any) -> Sandbox:
    return Sandbox(company(**counts), burst=None, daily=None)


def run(tmp_path: Path, sandbox: Sandbox, *words: str) -> Ended:
    return folder(tmp_path).run(sandbox, "usage", *words)


def counted(sandbox: Sandbox) -> Mapping[str, Mapping[str, Any]]:
    """Return label → what uses it, by walking through the sandbox's state."""
    (here,) = sandbox.dump()["companies"]
    carriers: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for lead in here["leads"]:
        for label in lead["label_ids"]:
            carriers[label].append(lead)
    return {
        label["name"]: {
            "leads": sum(not lead["is_archived"] for lead in carriers[label["id"]]),
            "archived_leads": sum(lead["is_archived"] for lead in carriers[label["id"]]),
            "oldest": min((lead["add_time"] for lead in carriers[label["id"]]), default=None),
            "newest": max((lead["add_time"] for lead in carriers[label["id"]]), default=None),
            "last_change": max((lead["update_time"] for lead in carriers[label["id"]]), default=None),
        }
        for label in here["labels"]
    }


def shown(ended: Ended) -> dict[str, dict[str, Any]]:
    """Return label → what the JSON says of it, in the shape of `counted`."""
    rows = {row["label"]: row for row in json.loads(ended.out)}
    return {
        name: {
            "leads": row["leads"],
            "archived_leads": row["archived_leads"],
            "oldest": row["oldest"] and row["oldest"]["add_time"],
            "newest": row["newest"] and row["newest"]["add_time"],
            "last_change": row["last_change"],
        }
        for name, row in rows.items()
    }


@pytest.mark.parametrize("leads", [0, 1, PAGE, PAGE + 1, 1_300])
@pytest.mark.parametrize("archived", [0, 1_700])
def test_counts_equal_those_of_a_walk_through_all_leads(tmp_path: Path, leads: int, archived: int) -> None:
    sandbox = sandbox_of(leads=leads, archived=archived)
    done = run(tmp_path, sandbox, "--archived", "--filters", "--format", "json")
    assert done.code == 0
    assert shown(done) == counted(sandbox)


def test_the_cost_that_is_told_is_the_cost_in_full(tmp_path: Path) -> None:
    sandbox = sandbox_of(leads=4_200, archived=3_100)
    done = run(tmp_path, sandbox, "--archived", "--filters")
    first, last = done.err.splitlines()
    assert first.startswith("emea: how many open leads and archived leads there are is not known; finding out takes")
    tokens = sandbox.meter.report()["tokens"]
    assert last.startswith(f"emea: {tokens:,} rate-limit tokens (")
    assert last.endswith("are spent) with 5 pages of open leads, 3 pages of archived leads and 2 filters to read.")

    again = run(tmp_path, sandbox, "--archived", "--filters")
    exact = 10 + 20 + 2 * 2 + 9 * 20 + 7 * 40
    assert sandbox.meter.report()["tokens"] == tokens + exact
    assert again.err.startswith(f"emea: {exact} rate-limit tokens (90 are spent) with ")
    assert again.err.count("\n") == 1
    assert again.out == done.out


def test_nothing_is_said_of_a_hundred_tokens(tmp_path: Path) -> None:
    sandbox = sandbox_of(leads=1_400, archived=0)
    done = run(tmp_path, sandbox)
    assert sandbox.meter.report()["tokens"] <= 100
    assert done.err == ""


def test_a_person_is_asked_and_no_leaves_it_at_a_hundred_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sandbox = sandbox_of(leads=4_000, archived=4_000)

    def ask(*words: str) -> tuple[int, str, str]:
        return leadstate(
            sandbox, {"TOKEN": TOKEN}, tmp_path, ("usage", "--archived", "--filters", "--format", "json", *words)
        )

    person = Person("no", "yes")
    with person.at_stdin():
        code, out, err = ask()
        assert (code, out) == (3, "")
        assert err.endswith("Read that? Only 'yes' will be accepted: Read cancelled. Nothing was changed.\n")
        assert sandbox.meter.report()["tokens"] <= 100
        code, out, _ = ask()
        assert (code, len(json.loads(out)), person.answers) == (0, 3, [])
        assert ask("--auto-approve")[0] == 0


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize("limit", [100, 150, 300, 493])
def test_an_account_that_takes_more_than_the_limit_is_refused_within_it(
    tmp_path: Path, limit: int, *, remembered: bool
) -> None:
    sandbox = sandbox_of(leads=4_200, archived=3_100)
    if remembered:
        run(tmp_path, sandbox, "--archived", "--filters")
    before = sandbox.meter.report()["tokens"]
    done = run(tmp_path, sandbox, "--archived", "--filters", "--max-tokens", str(limit), "--format", "json")
    assert (done.code, json.loads(done.out)) == (3, [])
    assert sandbox.meter.report()["tokens"] - before <= limit
    assert f"; {limit:,} may be spent" in done.err


@pytest.mark.parametrize("words", [(), ("--filters",), ("--archived", "--filters")])
@pytest.mark.parametrize("leads", [1, 510, 1_600])
def test_an_account_that_takes_more_than_a_small_limit_is_refused_for_100_tokens(
    tmp_path: Path, leads: int, words: tuple[str, ...]
) -> None:
    sandbox = sandbox_of(leads=leads, archived=1)
    run(tmp_path, sandbox, *words)
    before = sandbox.meter.report()["tokens"]
    run(tmp_path, sandbox, *words)
    takes = sandbox.meter.report()["tokens"] - before
    for limit in (0, 9, 29, 31, 59, 91, 99, takes - 1):
        before = sandbox.meter.report()["tokens"]
        done = run(tmp_path, sandbox, *words, "--max-tokens", str(limit), "--format", "json")
        refused = limit < takes
        assert (done.code, json.loads(done.out) == []) == ((3, True) if refused else (0, False)), limit
        advised = [word for word in ("--archived", "--filters") if f"`{word}`" in done.err.partition("leave out")[2]]
        assert advised == ([word for word in ("--archived", "--filters") if word in words] if refused else [])
        assert sandbox.meter.report()["tokens"] - before <= max(limit, 100)
    assert run(tmp_path, sandbox, *words, "--max-tokens", str(takes)).code == 0


def test_an_account_that_takes_the_limit_is_counted(tmp_path: Path) -> None:
    sandbox = sandbox_of(leads=4_200, archived=3_100)
    assert run(tmp_path, sandbox, "--archived", "--filters", "--max-tokens", "614").code == 0
    assert run(tmp_path, sandbox, "--archived", "--filters", "--max-tokens", "494").code == 0


def test_a_listing_that_grew_is_asked_about_again(tmp_path: Path) -> None:
    run(tmp_path, sandbox_of(leads=2_000, archived=0))
    sandbox = sandbox_of(leads=9_000, archived=0)
    done = run(tmp_path, sandbox, "--format", "json")
    first, *_, last = done.err.splitlines()
    assert "is not known" in first
    assert last.startswith(f"emea: {sandbox.meter.report()['tokens']:,} rate-limit tokens")
    assert shown(done)["Hot"]["leads"] == counted(sandbox)["Hot"]["leads"]


def test_filters_are_named_that_hold_the_id_in_any_form(tmp_path: Path) -> None:
    done = run(tmp_path, sandbox_of(), "--filters", "--format", "json")
    assert {row["label"]: [saved["name"] for saved in row["filters"]] for row in json.loads(done.out)} == {
        "=Cold": ["Both"],
        "Hot": ["Hot ones", "Both"],
        "Idle": [],
    }


def test_an_ignored_label_is_called_so_and_never_unused(tmp_path: Path) -> None:
    made = folder(tmp_path)
    made.configure(
        {
            "version": 1,
            "accounts": {"emea": {"url": NOWHERE, "token": {"env": "TOKEN"}}},
            "policy": {"ignore": {"labels": ["Id*"]}},
        }
    )
    rows = json.loads(made.run(sandbox_of(), "usage", "--format", "json").out)
    assert {row["label"]: row["declared"] for row in rows} == {"Hot": "no", "=Cold": "no", "Idle": "ignored"}
    assert made.run(sandbox_of(), "usage", "--unused", "--filters", "--archived").out == ""


def test_the_table_shows_what_was_read(tmp_path: Path) -> None:
    assert run(tmp_path, sandbox_of(), "--archived", "--filters").out == (
        "label  declared  open  archived  oldest      newest      last change  filters\n"
        "=Cold  no           2         1  2000-01-02  2000-01-05  2099-01-01   Both\n"
        "Hot    yes          2         1  2000-01-01  2000-01-04  2099-01-01   Hot ones, Both\n"
        "Idle   absent       0         0\n"
    )
    assert run(tmp_path, sandbox_of(), "-o", "./table.txt").out == ""
    assert (tmp_path / "table.txt").read_text().startswith("label  declared  open  oldest ")


@pytest.mark.parametrize(("width", "left_out"), [(50, 3), (60, 2), (72, 1), (92, 0)])
def test_a_narrow_terminal_gets_fewer_columns_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, left_out: int
) -> None:
    monkeypatch.setattr("leadstate.cli.output.columns", lambda: width)
    done = run(tmp_path, sandbox_of(), "--archived", "--filters")
    lines = done.out.splitlines()
    assert all(len(line) <= width for line in lines)
    gone = ["oldest", "last change", "declared"][:left_out]
    assert {name for name in ("declared", "oldest", "newest", "last change") if name not in lines[0]} == set(gone)
    assert done.err == (
        f"Too narrow for {', '.join(gone)}: `--format json` or `-o FILE` writes all columns.\n" if gone else ""
    )


def test_unused_labels_are_those_that_nothing_uses_of_what_was_read(tmp_path: Path) -> None:
    done = run(tmp_path, sandbox_of(leads=0, archived=1), "--unused", "--format", "csv")
    assert [row["label"] for row in csv.DictReader(io.StringIO(done.out))] == ["'=Cold", "Hot", "Idle"]
    assert done.err == "Not read: archived leads (`--archived`) and saved filters (`--filters`).\n"
    done = run(tmp_path, sandbox_of(leads=0, archived=1), "--unused", "--archived", "--filters", "--format", "csv")
    assert [row["label"] for row in csv.DictReader(io.StringIO(done.out))] == ["Idle"]
    assert done.err == ""
    used = {**company(), "labels": company()["labels"][:2]}
    done = run(tmp_path, Sandbox(used), "--unused", "--archived", "--filters")
    assert (done.code, done.out, done.err) == (0, "", "Every label is used.\n")


def test_a_csv_file_makes_no_spreadsheet_compute(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(run(tmp_path, sandbox_of(), "--filters", "--format", "csv").out)))
    assert rows[1][:7] == ["emea", "'=Cold", COLD, "blue", "no", "2", ""]
    assert rows[2][-1] == "Hot ones; Both"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_an_account_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    made.configure(
        {
            "version": 1,
            "accounts": {
                "emea": {"url": NOWHERE, "token": {"env": "TOKEN"}},
                "us": {"url": f"{NOWHERE}2", "token": {"env": "MISSING"}},
                "apac": {"url": f"{NOWHERE}3", "token": {"env": "TOKEN"}, "company_id": 1},
            },
        }
    )
    done = made.run(sandbox_of(), "usage", "--format", "json")
    assert done.code == 1
    assert {row["account"] for row in json.loads(done.out)} == {"emea"}
    assert "us" in done.err
    assert "the token belongs to company 7041" in done.err


def test_several_accounts_are_told_one_by_one_and_in_all(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    accounts = {name: {"url": f"{NOWHERE}{n}", "token": {"file": name}} for n, name in enumerate(("emea", "us"), 1)}
    for name in accounts:
        (tmp_path / name).write_text(f"t-{name}")
    made.configure({"version": 1, "accounts": accounts})
    companies = [
        {**company(leads=3_000, archived=0), "token": f"t-{name}", "company": {"id": n, "name": name, "domain": name}}
        for n, name in enumerate(accounts, 1)
    ]
    sandbox = Sandbox({"companies": companies}, burst=None, daily=None)
    done = made.run(sandbox, "usage")
    *_, emea, us, both = done.err.splitlines()
    each = sandbox.meter.report()["companies"]["1"]["tokens"]
    assert emea.startswith(f"emea: {each} rate-limit tokens (")
    assert us.startswith(f"us: {each} rate-limit tokens (")
    assert both.startswith(f"2 accounts: {2 * each} rate-limit tokens, of which ")
    assert [line.split()[:2] for line in done.out.splitlines()[1:]] == [
        [name, label] for name in accounts for label in ("=Cold", "Hot", "Idle")
    ]


def test_the_page_holds_every_row_and_loads_nothing(tmp_path: Path) -> None:
    page = run(tmp_path, sandbox_of(), "--archived", "--filters", "--format", "html").out
    assert page.count("<tr>") == 4
    assert '<span class="chip c-blue">=Cold</span>' in page
    assert "3 labels in 1 account, 1 unused" in page
    assert "Not read" not in page
    assert "Not read: archived leads and saved filters." in run(tmp_path, sandbox_of(), "--format", "html").out
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")
