"""Short enough for GitHub, and honest about what was cut."""

import re
from dataclasses import replace

import pytest

from leadstate.report.document import Base, Report, Result, Untouched
from leadstate.report.formats.markdown import LIMIT, to_markdown
from tests.harness.reports import account, change, diagnostic, hundred, many, report


def rows(text: str) -> int:
    return len(re.findall(r"^\| `[-+~]` \|", text, re.MULTILINE))


def cut(text: str) -> tuple[int, int]:
    found = re.search(r"and ([\d,]+) more changes? in ([\d,]+) accounts?", text)
    return (int(found[1].replace(",", "")), int(found[2].replace(",", ""))) if found else (0, 0)


HUGE = "🔥" * 300
WORST = [
    many(10, 1),
    many(400, 1),
    many(10_000, 1),
    many(10_000, 1_000),
    report(*(account(f"account-with-a-long-name-{n}") for n in range(5_000))),
    report(diagnostics=tuple(diagnostic("error", "x", HUGE, detail=HUGE * 9, hint=HUGE) for _ in range(500))),
    report(account("a", *(change("+", f"a/label:{HUGE}{n}", *((f"{HUGE}{i}", None, HUGE) for i in range(50)))
                          for n in range(500)))),
    report(*(account(HUGE + str(n), change("-", f"{HUGE}{n}/label:x")) for n in range(2_000))),
    report(account("a", *many(400).accounts[0].changes), *(account("|" * 300 + str(n)) for n in range(5_000))),
    report(*(account(f"a{n}", *many(40).accounts[0].changes, unread=f"{n} {HUGE}") for n in range(200)),
           command="apply"),
    report(account("a", *(replace(planned, origin="change") for planned in many(400).accounts[0].changes)),
           base=Base(revision=HUGE * 200, commit="c"), undoes=HUGE * 200),
]  # fmt: skip


@pytest.mark.parametrize("worst", WORST, ids=range(len(WORST)))
def test_a_long_report_is_cut_to_the_limit_and_counts_the_rest(worst: Report) -> None:
    text = to_markdown(worst, verbose=True)
    assert len(text.encode()) < LIMIT
    missing, accounts = cut(text)
    assert rows(text) + missing == worst.summary.changes
    changed = [len(account.changes) for account in worst.accounts if account.changes]
    whole = sum(rows(section) == count for section, count in zip(text.split("\n### ")[1:], changed, strict=False))
    assert accounts == len(changed) - whole
    assert text.count("<details>") == text.count("</details>")


def test_diagnostics_that_are_cut_are_counted() -> None:
    text = to_markdown(report(diagnostics=tuple(diagnostic("error", "x", f"number {n}") for n in range(5_000))))
    shown = text.count("❌")
    assert 100 < shown < 5_000
    assert f"and {5_000 - shown:,} more." in text


def test_diagnostics_stand_first_long_accounts_are_folded_and_the_cost_is_last() -> None:
    alone = (Untouched(address="a/label:x", kind="label", reason="unmanaged"),)
    few = account("a", change("~", "a/label:Hot", ("color", "orange", "red")), untouched=alone)
    text = to_markdown(report(few, *many(30).accounts, diagnostics=(diagnostic("guard", "max-deletes", "too many"),)))
    assert text.startswith("## leadstate plan: 8 to add, 15 to update, 8 to delete\n")
    order = ["**guard**", "### `a`", "<summary>30 changes</summary>", "apply will take"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert '| `~` | `label:Hot` | `color` `"orange"` → `"red"` | `leadstate.yaml:3` |  |' in text
    assert "- In a: 1 label untouched (unmanaged; prune: none)" in text


def test_after_an_apply_each_change_has_its_result() -> None:
    failed = change("+", "a/label:x", result=Result(status="failed", detail="400: @octocat says no"))
    text = to_markdown(report(account("a", failed), command="apply"))
    assert "**failed**: 400: `@octocat` says no" in text


@pytest.mark.parametrize("worst", WORST, ids=range(len(WORST)))
def test_groups_that_are_cut_are_counted_with_all_their_changes(worst: Report) -> None:
    text = to_markdown(worst)
    assert len(text.encode()) < LIMIT
    assert cut(text)[0] <= worst.summary.changes
    assert text.count("<details>") == text.count("</details>")


def test_changes_of_groups_that_do_not_fit_are_counted_for_each_account() -> None:
    names = [f"{HUGE}{n}" for n in range(100)]
    fields = [(f"{HUGE}{i}", None, HUGE) for i in range(5)]
    whole = report(*(account(name, *(change("+", f"{name}/label:{n}", *fields) for n in range(50))) for name in names))
    text = to_markdown(whole)
    missing, accounts = cut(text)
    assert accounts == 100
    assert missing
    assert rows(text) * 100 + missing == 100 * 50


def test_a_plan_of_a_hundred_accounts_is_short() -> None:
    text = to_markdown(hundred())
    assert len(text.encode()) < 3_000
    assert rows(text) == 3
    assert "### In 97 accounts: `customer-000`, `customer-001`, `customer-002` and 94 more\n" in text
    assert "No changes in `customer-098`, `customer-099`." in text
    assert "- In all 100 accounts: 199 labels untouched" in text
    assert text.count("it looks like another label") == 1
    assert rows(to_markdown(hundred(), verbose=True)) == 195


def test_diagnostics_do_not_push_the_changes_away() -> None:
    found = tuple(diagnostic("warning", "w", f"remark {number}") for number in range(9))
    text = to_markdown(report(account("a", change("+", "a/label:x")), diagnostics=found))
    assert "<details><summary>4 more diagnostics</summary>" in text
    assert text.index("remark 4") < text.index("<details>") < text.index("remark 5") < text.index("### `a`")
