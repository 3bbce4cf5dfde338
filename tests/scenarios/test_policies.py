"""examples/policy: each policy refuses the plan that it is about, and no other, as plans come out of leadstate."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadstate.report.formats.json import report_schema
from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import leadstate
from tests.harness.commands import Folder, folder
from tests.harness.disturbed_company import Body, company
from tests.harness.hub import git
from tests.harness.plan_cases import live_label, live_lead
from tests.harness.rego import evaluate

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "examples" / "policy" / "policy"
GUIDE = ROOT / "docs" / "how-to" / "policy.md"
MONDAY = {"today": "Monday"}
LABELS = [live_label(1, "Hot", "red"), live_label(2, "Cold", "blue")]
COLD_IS_DELETED: Body = {"labels": [{"name": "Hot", "color": "red"}, {"name": "Cold", "state": "absent"}]}
COLD_IS_MERGED: Body = {"labels": [{"name": "Hot", "color": "red", "merge_from": ["Cold"]}]}
BADLY_WRITTEN = (
    "live/label:{0}: '{0}' does not begin with a capital letter or a digit, or has more than one space between words."
    " Correct `name`."
)


@pytest.fixture
def here() -> Iterator[Folder]:
    with folder() as made:
        yield made


def carriers(count: int) -> list[Body]:
    """Return leads of others that carry `Cold`."""
    return [live_lead(number, None, 2) for number in range(1, count + 1)]


def configuration(name: str = "live", url: str = "http://127.0.0.1:8765", **more: Any) -> Body:
    """Return a configuration of one account; its requests never leave this process."""
    return {"version": 1, "namespace": "ns", "accounts": {name: {"url": url, "token": {"env": "TOKEN"}}}, **more}


def plan(here: Folder, document: Body, labels: Sequence[Body] = LABELS, leads: Sequence[Body] = (), *words: str) -> Any:
    """Return the report of a plan of this configuration over an account with these labels and leads."""
    here.configure(document)
    done = here.run(Sandbox(company(labels, leads), burst=None, daily=None), "plan", "--format", "json", *words)
    assert done.out, done.err
    return json.loads(done.out)


def judged(report: Any, data: Mapping[str, Any] = MONDAY) -> tuple[list[str], list[str]]:
    """Return what all policies together refuse, and what they warn of."""
    main = evaluate(POLICIES, "data.main", report, data)
    return sorted(main["deny"]), sorted(main["warn"])


def test_a_plan_without_changes_passes_every_policy(here: Folder) -> None:
    report = plan(here, configuration(labels=[{"name": "Hot", "color": "red"}]))
    assert report["summary"]["untouched"] == 1
    assert judged(report, {"today": "Friday"}) == ([], [])


def test_a_label_of_twenty_leads_may_be_deleted_and_one_of_more_may_not(here: Folder) -> None:
    allowed = configuration(policy={"in_use": "allow"}, **COLD_IS_DELETED)
    assert judged(plan(here, allowed, leads=carriers(20))) == ([], [])
    (refusal,), warnings = judged(plan(here, allowed, leads=carriers(21)))
    assert refusal == (
        "live/label:Cold: 21 leads carry this label, and a delete may take it from at most 20."
        " Move them: write `replace_with`, or `merge_from` at another label."
    )
    assert warnings == []


def test_a_delete_whose_leads_were_not_counted_is_refused(here: Folder) -> None:
    report = plan(here, configuration(**COLD_IS_DELETED), LABELS, (), "--impact", "none")
    assert judged(report)[0] == [
        "live/label:Cold: the leads of this label were not counted. Plan with `--impact live`."
    ]


@pytest.mark.parametrize("impact", ["live", "none"])
def test_a_merge_of_more_than_a_thousand_leads_is_refused(here: Folder, impact: str) -> None:
    report = plan(here, configuration(**COLD_IS_MERGED), LABELS, carriers(1001), "--impact", impact)
    assert (
        "live/label:Cold: 1001 leads move to label:Hot, and a merge may move at most 1000."
        " Apply it by hand, with `--target`."
    ) in judged(report)[0]


@pytest.mark.parametrize(("day", "refused"), [("Thursday", 0), ("Friday", 1), ("Saturday", 0)])
def test_nothing_is_deleted_on_a_friday(here: Folder, day: str, refused: int) -> None:
    refusals, _ = judged(plan(here, configuration(**COLD_IS_DELETED)), {"today": day})
    assert refusals == [f"live/label:Cold: nothing is deleted on a {day}. Apply it on another day."] * refused


def test_labels_may_be_added_on_a_friday(here: Folder) -> None:
    report = plan(here, configuration(labels=[{"name": "New", "color": "green"}]))
    assert judged(report, {"today": "Friday"}) == ([], [])


def test_without_data_the_day_is_that_of_the_clock() -> None:
    before = datetime.now(UTC)
    day = evaluate(POLICIES, "data.main.today", {})
    assert day in {f"{time:%A}" for time in (before, before + timedelta(minutes=5))}


@pytest.mark.parametrize(
    ("label", "refused"),
    [
        ({"name": "Hot", "color": "red"}, ""),
        ({"name": "Hot lead", "color": "red"}, ""),
        ({"name": "Partner", "color": "green"}, ""),
        (
            {"name": "Partner", "color": "red"},
            "Partner: red is for labels named Hot* or Urgent*. Choose another colour.",
        ),
        ({"name": "Cold", "color": "red"}, "Cold: red is for labels named Hot* or Urgent*. Choose another colour."),
        ({"name": "Cold", "color": "gray"}, "Cold: gray is for labels named Lost* or Old *. Choose another colour."),
        ({"name": "Lost to a rival", "color": "gray", "previously": ["Cold"]}, ""),
    ],
)
def test_a_reserved_colour_is_for_labels_of_some_names(here: Folder, label: Body, refused: str) -> None:
    report = plan(here, configuration(labels=[label]))
    assert judged(report)[0] == [f"live/label:{refused}" for _ in [refused] if refused]


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("Partner", []),
        ("Überfällig", []),
        ("2027 renewals", []),
        ("R&D (EMEA)", []),
        ("A" * 30, []),
        (
            "A" * 31,
            [f"live/label:{'A' * 31}: the name has 31 characters; the longest that we use has 30. Shorten `name`."],
        ),
        ("partner", [BADLY_WRITTEN.format("partner")]),
        ("#partner", [BADLY_WRITTEN.format("#partner")]),
        ("_Partner", [BADLY_WRITTEN.format("_Partner")]),
        ("Two  spaces", [BADLY_WRITTEN.format("Two  spaces")]),
    ],
)
def test_new_labels_keep_to_the_naming_rule(here: Folder, name: str, refused: list[str]) -> None:
    report = plan(here, configuration(labels=[{"name": name, "color": "green"}]))
    assert judged(report)[0] == refused


def test_a_label_that_has_a_wrong_name_already_may_change(here: Folder) -> None:
    document = configuration(labels=[{"name": "cold_leads", "color": "green"}])
    report = plan(here, document, [live_label(2, "cold_leads", "blue")])
    assert report["summary"]["update"] == 1
    assert judged(report)[0] == []


def test_half_of_the_budget_of_an_account_is_a_warning_and_more_than_all_of_it_is_refused(here: Folder) -> None:
    document = configuration(**COLD_IS_MERGED)
    assert judged(plan(here, document, leads=carriers(150))) == ([], [])
    half = plan(here, document, leads=carriers(300))
    tokens = half["cost"]["apply"]["tokens"]
    assert judged(half) == ([], [f"live: the changes cost {tokens} rate-limit tokens; one apply may spend 5000."])
    more = plan(here, document, leads=carriers(500))
    tokens = more["cost"]["apply"]["tokens"]
    (refusal,), warnings = judged(more)
    assert refusal == (
        f"live: the changes cost {tokens} rate-limit tokens, and one apply may spend 5000."
        " Apply them in parts, with `--target`."
    )
    assert warnings == []


@pytest.mark.parametrize(("account", "refused"), [("live", True), ("prod-emea", True), ("sandbox", False)])
def test_production_is_not_pruned(here: Folder, account: str, *, refused: bool) -> None:
    document = configuration(account, policy={"prune": {"labels": "all"}}, labels=[{"name": "Hot", "color": "red"}])
    assert judged(plan(here, document))[0] == [
        f"{account}/label:Cold: prune would delete it in a production account."
        " Set `prune: {labels: none, leads: none}` there."
        for _ in [account]
        if refused
    ]


def test_what_is_declared_absent_may_be_deleted_in_production(here: Folder) -> None:
    report = plan(here, configuration("prod", **COLD_IS_DELETED))
    assert report["summary"]["delete"] == 1
    assert judged(report)[0] == []


def test_changes_go_to_approved_accounts_only(here: Folder) -> None:
    document = configuration(url="http://127.0.0.1:9999", labels=[{"name": "New", "color": "green"}])
    assert judged(plan(here, document))[0] == [
        "live: 127.0.0.1:9999 is not an approved account. Add it to approved_hosts, or correct `domain`."
    ]


def test_more_than_ten_unmanaged_labels_are_a_warning(here: Folder) -> None:
    document = configuration(labels=[{"name": "Hot", "color": "red"}])
    many = [live_label(number, f"Label {number}", "blue") for number in range(1, 12)]
    assert judged(plan(here, document, many[:10])) == ([], [])
    assert judged(plan(here, document, many)) == (
        [],
        ["live: 11 labels are unmanaged. `leadstate import` declares them."],
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_pull_request_that_takes_back_what_people_did_is_a_warning(here: Folder) -> None:
    cold = {"name": "Cold", "color": "green"}
    here.configure(configuration(labels=[cold]))
    git(here.path, "init")
    git(here.path, "add", ".")
    git(here.path, "commit", "--message", "base")
    document = configuration(labels=[cold, {"name": "New", "color": "green"}])
    assert judged(plan(here, document, LABELS, (), "--base", "main")) == (
        [],
        ["live/label:Cold: this takes back what somebody did in the account. `leadstate pull` accepts it instead."],
    )


def test_the_example_passes_until_a_label_gets_a_reserved_colour(tmp_path: Path) -> None:
    text = (POLICIES.parent / "leadstate.yaml").read_text(encoding="utf-8")
    file = tmp_path / "leadstate.yaml"

    def refused(edited: str) -> list[str]:
        file.write_text(edited, encoding="utf-8")
        words = ("plan", "--config", str(file), "--format", "json")
        _, out, _ = leadstate(Sandbox("fresh"), {"PIPEDRIVE_TOKEN": "sandbox-token"}, tmp_path, words)
        return judged(json.loads(out))[0]

    assert refused(text) == []
    assert refused(text.replace("name: Partner, color: green", "name: Partner, color: red")) == [
        "live/label:Partner: red is for labels named Hot* or Urgent*. Choose another colour."
    ]


def test_the_policy_of_the_guide_refuses_what_it_is_about(here: Folder, tmp_path: Path) -> None:
    (text,) = re.findall(r"```rego\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "guide.rego"
    file.write_text(text, encoding="utf-8")
    assert evaluate(file, "data.main.deny", plan(here, configuration(**COLD_IS_DELETED))) == []
    pruned = configuration(policy={"prune": {"leads": "owned"}}, labels=[{"name": "Hot", "color": "red"}])
    assert evaluate(file, "data.main.deny", plan(here, pruned, LABELS, [live_lead(1, "ns:old")])) == [
        "live/lead:old: seeded leads are archived by people, and not deleted."
    ]


def test_the_guide_names_fields_that_the_report_has() -> None:
    heads = re.findall(r"^- (`.*?):", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    names = {
        word for head in heads for path in re.findall(r"`([\w.\[\]]+)`", head) for word in re.findall(r"\w+", path)
    }
    schema: Any = report_schema()
    known = {name for part in [schema, *schema["$defs"].values()] for name in part.get("properties", {})}
    assert len(names) > 10
    assert names - {"input"} <= known


@pytest.mark.parametrize("path", sorted(POLICIES.iterdir()), ids=lambda path: path.name)
def test_each_policy_works_alone(path: Path) -> None:
    cases = ROOT / "tests" / "golden" / "cases"
    report = json.loads((cases / "001-labels-add-update-unchanged" / "plan.json").read_text(encoding="utf-8"))
    main = evaluate(path, "data.main", report, MONDAY)
    assert [*main.get("deny", []), *main.get("warn", [])] == []


def test_the_readme_names_every_policy() -> None:
    readme = (POLICIES.parent / "README.md").read_text(encoding="utf-8")
    files = sorted(path.name for path in POLICIES.iterdir())
    assert len(files) == 10
    assert [name for name in files if f"| [{name}](policy/{name}) |" not in readme] == []
