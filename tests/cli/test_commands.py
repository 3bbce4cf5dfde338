"""The commands as a user runs them: processes, a real port, exit codes, streams."""

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from leadstate.report.formats.json import parse, to_json
from leadstate.sandbox import Sandbox, running
from tests.harness.cli_process import Shell
from tests.harness.hub import git

SCHEMAS = Path(__file__).parents[2] / "schemas"
HEAD = """\
version: 1
namespace: ns
accounts:
  emea:
    url: {url}
    token: {{env: TOKEN}}
"""
LABELS = "labels:\n  - {name: Hot, color: red}\n  - {name: Partner, color: green}\n"


@pytest.fixture
def shell(tmp_path: Path, url: str) -> Shell:
    made = Shell(tmp_path, {"TOKEN": "sandbox-token"})
    made.write(HEAD.format(url=url) + LABELS)
    return made


def labels(sandbox: Sandbox) -> dict[str, str]:
    return {label["name"]: label["color"] for label in sandbox.dump()["companies"][0]["labels"]}


def operations(sandbox: Sandbox) -> dict[str, int]:
    companies = sandbox.meter.report()["companies"].values()
    return {name: count["requests"] for company in companies for name, count in company["operations"].items()}


def test_a_plan_of_labels_makes_exactly_one_request(shell: Shell, sandbox: Sandbox) -> None:
    done = shell("plan")
    assert (done.returncode, done.stderr) == (0, "")
    assert operations(sandbox) == {"getLeadLabels": 1}


def test_plan_apply_plan(shell: Shell, sandbox: Sandbox) -> None:
    assert shell("plan", "--detailed-exitcode").returncode == 2
    assert labels(sandbox)["Hot"] == "orange"
    done = shell("apply", "--auto-approve")
    assert done.returncode == 0, done.stderr
    assert "Read again: no differences." in done.stdout
    assert labels(sandbox)["Hot"] == "red"
    assert "VIP" in labels(sandbox)
    again = shell("plan", "--detailed-exitcode")
    assert again.returncode == 0
    assert "No changes" in again.stdout


def test_without_a_terminal_apply_requires_auto_approve(shell: Shell, sandbox: Sandbox) -> None:
    done = shell("apply", stdin="yes\n")
    assert done.returncode == 3
    assert "--auto-approve" in done.stderr
    assert labels(sandbox)["Hot"] == "orange"


def test_a_reviewed_plan_is_applied_and_a_stale_one_refused(shell: Shell, sandbox: Sandbox) -> None:
    assert shell("plan", "--out", "plan.json").returncode == 0
    stored = shell.folder / "plan.json"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    company = sandbox.companies[0]
    hot = next(label for label in company.labels() if label.name == "Hot")
    company.update_label(hot.id, {"color": "pink"})

    stale = shell("apply", "plan.json", "--auto-approve")
    assert stale.returncode == 3
    assert "emea/label:Hot" in stale.stderr
    assert labels(sandbox)["Hot"] == "pink"

    assert shell("plan", "--out", "plan.json").returncode == 0
    assert shell("apply", "plan.json", "--auto-approve").returncode == 0
    assert labels(sandbox)["Hot"] == "red"


def test_a_plan_file_is_never_a_source_of_requests(shell: Shell, sandbox: Sandbox) -> None:
    shell("plan", "--out", "plan.json")
    stored = shell.folder / "plan.json"
    report = parse(stored.read_text())
    (account,) = report.accounts
    first, *others = account.changes
    evil = replace(first, calls=tuple(replace(call, path="/leadLabels/evil") for call in first.calls))
    account = replace(account, changes=(evil, *others))
    stored.write_text("".join(to_json(replace(report, accounts=(account,)))))
    assert shell("apply", "plan.json", "--auto-approve").returncode == 0
    assert labels(sandbox)["Hot"] == "red"


def test_a_stored_plan_keeps_its_targets(shell: Shell, sandbox: Sandbox) -> None:
    assert shell("plan", "--target", "label:Hot", "--out", "plan.json").returncode == 0
    assert shell("apply", "plan.json", "--auto-approve").returncode == 0
    assert labels(sandbox)["Hot"] == "red"
    assert "Partner" not in labels(sandbox)


@pytest.mark.parametrize("words", [["plan"], ["validate"], ["apply", "--auto-approve"]])
def test_the_report_satisfies_its_schema(shell: Shell, words: list[str]) -> None:
    schema = json.loads((SCHEMAS / "report.schema.json").read_text())
    done = shell(*words, "--format", "json")
    jsonschema.validate(json.loads(done.stdout), schema)


def test_the_schemas_are_up_to_date(shell: Shell) -> None:
    assert shell("schema", "config").stdout == (SCHEMAS / "leadstate.schema.json").read_text(encoding="utf-8")
    assert shell("schema", "report").stdout == (SCHEMAS / "report.schema.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words", [["--no-such"], ["plan", "--no-such"], ["plann"], ["plan", "--format", "pdf"], ["get"]]
)
def test_usage_errors_are_64(shell: Shell, words: list[str]) -> None:
    done = shell(*words)
    assert done.returncode == 64
    assert "Traceback" not in done.stderr


def test_a_malformed_target_is_a_usage_error(shell: Shell) -> None:
    assert shell("plan", "--target", "label:Nope").returncode == 64
    assert shell("plan", "--target", "Hot").returncode == 64


def test_every_option_reads_the_environment(shell: Shell) -> None:
    named = Shell(shell.folder, {**shell.environ, "LEADSTATE_FORMAT": "json", "LEADSTATE_DETAILED_EXITCODE": "1"})
    done = named("plan")
    assert done.returncode == 2
    assert json.loads(done.stdout)["summary"]["update"] == 1


def test_twenty_accounts_and_one_wrong_token(tmp_path: Path) -> None:
    companies = [{"token": f"t{i}", "company": {"id": i + 1, "name": "C", "domain": f"c{i}"}} for i in range(20)]
    sandbox = Sandbox({"companies": companies}, burst=100_000, daily=None)
    with running(sandbox.app) as url:
        _run_twenty(tmp_path, sandbox, url)


def _run_twenty(folder: Path, sandbox: Sandbox, url: str) -> None:
    accounts = "".join(f"  a{i:02}: {{url: '{url}', company_id: {i + 1}, token: {{env: T{i}}}}}\n" for i in range(20))
    shell = Shell(folder, {f"T{i}": f"t{i}" if i != 7 else "wrong" for i in range(20)})
    shell.write(f"version: 1\naccounts:\n{accounts}{LABELS}")
    done = shell("plan", "--format", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["complete"] is False
    assert [account["account"] for account in report["accounts"] if account["diagnostics"]] == ["a07"]
    assert sum(bool(account["changes"]) for account in report["accounts"]) == 19
    assert "unauthorized" in json.dumps(report["accounts"][7]["diagnostics"])

    applied = shell("apply", "--auto-approve", "-a", "a01", "-a", "a07")
    assert applied.returncode == 4
    there = {
        company["company"]["id"]: [label["name"] for label in company["labels"]]
        for company in sandbox.dump()["companies"]
    }
    assert "Hot" in there[2]
    assert "Hot" not in there[3]


def test_an_unset_token_fails_its_account_only(shell: Shell) -> None:
    done = Shell(shell.folder, {})("plan")
    assert done.returncode == 1
    assert "TOKEN" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_unreachable_server_is_an_error_with_a_fix(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"TOKEN": "x"})
    shell.write(HEAD.format(url="http://127.0.0.1:9") + LABELS)
    done = shell("plan")
    assert done.returncode == 1
    assert "error[unreachable]" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_missing_configuration_is_an_error_with_a_fix(tmp_path: Path) -> None:
    done = Shell(tmp_path, {})("plan")
    assert done.returncode == 1
    assert "leadstate init" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["plan"],
        ["plan", "--format", "json"],
        ["apply", "--auto-approve"],
        ["get", "labels"],
        ["get", "leads", "--format", "json"],
        ["get", "sources", "--format", "yaml"],
        ["doctor"],
    ],
)
def test_no_token_in_any_output(sandbox: Sandbox, url: str, tmp_path: Path, words: list[str]) -> None:
    token = "5ecre7" * 6 + "abcd"
    seed = sandbox.dump()
    seed["companies"][0]["token"] = token
    sandbox.replace(seed)
    shell = Shell(tmp_path, {"TOKEN": token})
    shell.write(HEAD.format(url=url) + LABELS)
    done = shell(*words, "--log-level", "debug")
    assert done.returncode == 0, done.stderr
    assert token not in done.stdout + done.stderr
    assert "leadstate.http" in done.stderr
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or token not in file.read_text(errors="replace")


def test_get_lists_objects_of_each_kind(shell: Shell, sandbox: Sandbox) -> None:
    rows = json.loads(shell("get", "labels", "--format", "json").stdout)
    assert {row["name"] for row in rows} == set(labels(sandbox))
    leads = json.loads(shell("get", "leads", "--format", "json").stdout)
    archived = json.loads(shell("get", "leads", "--archived", "--format", "json").stdout)
    assert (len(leads), len(archived)) == (38, 2)
    found = json.loads(shell("get", "lead", archived[0]["id"], "--format", "json").stdout)
    assert found == [archived[0]]
    assert shell("get", "lead", "00000000-0000-4000-8000-000000000000").returncode == 1
    assert "API" in shell("get", "sources").stdout
    assert "name: Hot" in shell("get", "labels", "--format", "yaml").stdout
    assert "Hot" in shell("get", "labels").stdout


@pytest.mark.parametrize("words", [["get", "labels"], ["matrix"], ["lock"]])
@pytest.mark.parametrize(("environ", "code"), [({"TOKEN": "wrong"}, "unauthorized"), ({}, "token-source")])
def test_a_failed_read_names_its_cause_and_fix(
    shell: Shell, words: list[str], environ: dict[str, str], code: str
) -> None:
    done = Shell(shell.folder, environ)(*words)
    assert done.returncode == 1
    assert f"error[{code}] emea: " in done.stderr
    assert "\n  = " in done.stderr


def test_get_lists_users(shell: Shell) -> None:
    users = json.loads(shell("get", "users", "--format", "json").stdout)
    assert [user["email"] for user in users] == ["sam@acme.test", "kim@acme.test"]


def test_doctor_reports_each_check(shell: Shell) -> None:
    done = shell("doctor")
    assert done.returncode == 0, done.stdout
    for word in ("reachable", "token", "company", "rights", "burst", "today", "clock"):
        assert word in done.stdout
    ill = Shell(shell.folder, {"TOKEN": "wrong"})("doctor", "--format", "json")
    assert ill.returncode == 1
    checks: list[dict[str, Any]] = json.loads(ill.stdout)
    assert [(check["check"], check["good"]) for check in checks] == [("reachable", True), ("token", False)]


def test_init_gives_a_valid_configuration_and_overwrites_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {})
    (tmp_path / ".gitignore").write_text("dist")
    assert shell("init").returncode == 0
    assert shell("validate").returncode == 0
    assert (tmp_path / ".gitignore").read_text().splitlines()[0] == "dist"
    shell.write("mine: yes\n")
    before = (tmp_path / ".gitignore").read_text()
    assert shell("init").returncode == 0
    assert (tmp_path / "leadstate.yaml").read_text() == "mine: yes\n"
    assert (tmp_path / ".gitignore").read_text() == before


def test_init_writes_over_no_link(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "repository", tmp_path / "elsewhere"
    (folder / ".git").mkdir(parents=True)
    elsewhere.mkdir()
    for name in ("leadstate.yaml", "leadstate.schema.json", ".gitignore", ".github"):
        (folder / name).symlink_to(elsewhere / ("" if name == ".github" else name))
    assert Shell(folder, {})("init").returncode == 0
    assert list(elsewhere.iterdir()) == []
    done = Shell(folder, {})("init", "--from", "http://127.0.0.1:1")
    assert done.returncode == 64
    assert "leadstate.yaml already exists" in done.stderr


@pytest.mark.parametrize(("start", "words"), [("", ("conf/eu",)), ("conf", ("eu",)), ("conf/eu", ())])
def test_init_below_the_root_of_a_repository_writes_the_workflow_to_the_root(
    start: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "conf" / "eu"
    (tmp_path / start).mkdir(parents=True, exist_ok=True)
    done = Shell(tmp_path / start, {})("init", *words)
    assert done.returncode == 0
    workflow = tmp_path / ".github" / "workflows" / "leadstate.yml"
    assert f"written        {os.path.relpath(workflow, tmp_path / start)}\n" in done.stdout
    jobs = YAML(typ="safe").load(workflow)["jobs"]
    assert [job["steps"][-1]["with"]["config"] for job in jobs.values()] == ["conf/eu/leadstate.yaml"] * 2
    assert {path.name for path in folder.iterdir()} == {"leadstate.yaml", "leadstate.schema.json", ".gitignore"}
    again = Shell(tmp_path / start, {})("init", *words)
    assert f"left as it is  {os.path.relpath(workflow, tmp_path / start)}\n" in again.stdout
    assert again.stdout.endswith("Next: run `leadstate plan`.\n"), "it would write a domain into a file that has one"


@pytest.mark.parametrize("there", [(), ("other-conf",)])
def test_init_says_that_a_workflow_which_exists_does_not_run_the_configuration(
    there: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    assert Shell(tmp_path, {})("init", *there).returncode == 0
    done = Shell(tmp_path, {})("init", "conf")
    assert "leadstate.yml: it does not run conf/leadstate.yaml; give that a job of its own\n" in done.stdout


def test_init_applies_what_is_pushed_to_the_default_branch(tmp_path: Path) -> None:
    def branches(folder: Path) -> object:
        assert Shell(folder, {})("init").returncode == 0
        return YAML(typ="safe").load(folder / ".github" / "workflows" / "leadstate.yml")["on"]["push"]["branches"]

    origin, clone = tmp_path / "origin", tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "--initial-branch=it's/trunk", str(origin))
    git(origin, "commit", "--quiet", "--allow-empty", "--message=first")
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    git(clone, "checkout", "--quiet", "-b", "a-feature")
    assert branches(clone) == branches(origin) == ["it's/trunk"]
    git(origin, "checkout", "--quiet", "-b", "a-feature")
    (origin / ".github" / "workflows" / "leadstate.yml").unlink()
    assert branches(origin) == ["main"]


def test_init_writes_no_workflow_whose_config_would_be_taken_for_two_paths(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    done = Shell(tmp_path, {})("init", "my conf")
    assert done.returncode == 0
    assert (
        "not written    .github/workflows/leadstate.yml: its `config` takes no path with white space\n" in done.stdout
    )
    assert not (tmp_path / ".github").exists()


def test_init_writes_no_workflow_into_a_repository_that_a_link_leads_to(tmp_path: Path) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    for repository in (here, other):
        (repository / ".git").mkdir(parents=True)
    (other / "conf").mkdir()
    (here / "link").symlink_to(other / "conf")
    assert Shell(here, {})("init", "link").returncode == 0
    assert not (other / ".github").exists()


def test_init_keeps_ignored_lines_that_are_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / ".gitignore"
    path.write_bytes(b"caf\xe9/\r\n.env\r\ndist")
    assert Shell(tmp_path, {})("init").returncode == 0
    lines = path.read_bytes().split(b"\n")
    assert lines[:3] == [b"caf\xe9/\r", b".env\r", b"dist"]
    assert b".leadstate/" in lines
    assert b".env" not in lines
    before = path.read_bytes()
    assert Shell(tmp_path, {})("init").returncode == 0
    assert path.read_bytes() == before


def test_a_file_that_the_system_refuses_is_named_with_a_fix(tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("", encoding="utf-8")
    done = Shell(tmp_path, {})("init")
    assert done.returncode == 1
    what, fix = done.stderr.splitlines()
    assert what.startswith("error[file] .github")
    assert fix == "  = check the path, and who may read and write it"


@pytest.mark.parametrize("name", ["A B}", "", "1A", "A-B", "Ä"])
@pytest.mark.parametrize("words", [(), ("--from", "acme-emea")])
def test_init_refuses_what_is_no_name_of_a_variable(name: str, words: tuple[str, ...], tmp_path: Path) -> None:
    done = Shell(tmp_path, {})("init", *words, "--token-env", name)
    assert done.returncode == 64
    assert "--token-env" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_demo_ignores_the_configuration_and_the_settings_of_the_user(shell: Shell, sandbox: Sandbox) -> None:
    settings = {
        "LEADSTATE_CONFIG": str(shell.folder / "leadstate.yaml"),
        "LEADSTATE_ACCOUNT": "emea",
        "LEADSTATE_FORMAT": "json",
        "LEADSTATE_ALLOW_HOSTS": "pipedrive.com",
        "LEADSTATE_ALLOW_TOKEN_SOURCES": "",
        "LEADSTATE_AUTO_APPROVE": "1",
        "LEADSTATE_TARGET": "label:Hot",
    }
    before = sandbox.dump()
    done = Shell(shell.folder, {**shell.environ, **settings})("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("$ leadstate") == 5
    assert "~ label:Nurture" in done.stdout
    assert operations(sandbox) == {}
    assert sandbox.dump() == before


def test_output_goes_to_a_private_file(shell: Shell) -> None:
    done = shell("plan", "-o", "out.txt")
    assert done.stdout == ""
    file = shell.folder / "out.txt"
    assert "label:Hot" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_output_is_coloured_only_if_requested(shell: Shell) -> None:
    assert "\x1b[" not in shell("plan").stdout
    assert "\x1b[" in shell("plan", "--color", "always").stdout
    quiet = Shell(shell.folder, {**shell.environ, "NO_COLOR": "1"})
    assert "\x1b[" not in quiet("plan", "--color", "auto").stdout


def test_another_file_is_refused_as_a_report(shell: Shell) -> None:
    (shell.folder / "x.json").write_text("{}")
    for words in (["show", "x.json"], ["apply", "x.json"], ["show", "leadstate.yaml"]):
        done = shell(*words)
        assert done.returncode == 1
        assert "error[report]" in done.stderr
    counts = dict.fromkeys(("add", "update", "delete", "unchanged", "untouched"), 0)
    newer = {"format_version": "2.0", "leadstate_version": "9", "command": "plan", "summary": counts}
    (shell.folder / "x.json").write_text(json.dumps(newer))
    assert "format version 2.0" in shell("show", "x.json").stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the working folder cannot be deleted")
@pytest.mark.parametrize("words", ["validate --format sarif", "apply --auto-approve"])
def test_a_working_folder_that_is_gone_is_an_error_that_says_so(shell: Shell, tmp_path: Path, words: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    config = shell.folder / "leadstate.yaml"
    done = subprocess.run(
        ["sh", "-c", f'rmdir "$PWD" && exec "{sys.executable}" -m leadstate {words} -c "{config}"'],
        cwd=gone,
        env={**os.environ, **shell.environ, "PYTHONPATH": str(SCHEMAS.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "error[file] the working folder does not exist any more" in done.stderr
    assert "  = change into another folder and run the command again" in done.stderr
