"""`plan --base REF` over a real repository: what a pull request changes, and what had drifted before it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from leadstate.sandbox import Sandbox
from tests.harness.cli_process import Shell
from tests.harness.hub import git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

HEAD = """\
version: 1
namespace: ns
accounts:
  emea:
    url: {url}
    token: {{env: TOKEN}}
    vars: {{word: Hot}}
"""
DRIFTED = """\
labels:
  - {name: "${word}", color: red}
  - {name: Warm, color: pink}
"""
NEW = "  - {name: Partner, color: green}\n"
LEAD = "leads:\n  - {key: seed, title: Seed, person: {name: Jane Doe}}\n"


@pytest.fixture
def head(url: str) -> str:
    return HEAD.format(url=url)


@pytest.fixture
def shell(tmp_path: Path, head: str) -> Shell:
    """A repository with one commit; its working tree adds a label."""
    repository = tmp_path / "repository"
    repository.mkdir()
    made = Shell(repository, {"TOKEN": "sandbox-token"})
    made.write(head + DRIFTED)
    git(repository, "init")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "base")
    made.write(head + DRIFTED + NEW)
    return made


def report(shell: Shell, *words: str) -> dict[str, Any]:
    done = shell("plan", "--format", "json", *words)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def origins(found: dict[str, Any]) -> dict[str, str | None]:
    return {change["address"]: change["origin"] for account in found["accounts"] for change in account["changes"]}


EXPECTED = {"emea/label:Hot": "drift", "emea/label:Partner": "change", "emea/label:Warm": "drift"}


def test_new_and_drifted_changes_are_distinguished(shell: Shell, sandbox: Sandbox) -> None:
    plain, found = report(shell), report(shell, "--base", "main")
    assert origins(plain) == dict.fromkeys(EXPECTED)
    assert origins(found) == EXPECTED
    assert sandbox.meter.report()["companies"].popitem()[1]["operations"]["getLeadLabels"]["requests"] == 2
    assert found["cost"] == plain["cost"]
    assert found["fingerprint"] == plain["fingerprint"]
    assert found["base"]["revision"] == "main"
    assert found["base"]["read"] == {"requests": 0, "tokens": 0}


def test_metrics_count_what_has_drifted(shell: Shell) -> None:
    assert shell("plan", "--base", "HEAD", "--metrics", "leadstate.prom").returncode == 0
    assert 'leadstate_drift_changes{account="emea"} 2\n' in (shell.folder / "leadstate.prom").read_text()


def test_the_text_names_origins_only_with_a_base(shell: Shell) -> None:
    plain, compared = shell("plan").stdout, shell("plan", "--base", "HEAD").stdout
    assert "drift" not in plain
    assert "Since HEAD: 1 from this change, 2 drift." in compared
    assert [line.split()[-1] for line in compared.splitlines() if "label:" in line] == ["drift", "change", "drift"]


def test_a_plan_with_a_base_is_applied(shell: Shell) -> None:
    assert shell("plan", "--base", "main", "--out", "plan.json").returncode == 0
    assert "drift" in shell("show", "plan.json").stdout
    done = shell("apply", "plan.json", "--auto-approve")
    assert done.returncode == 0, done.stderr


def test_a_folder_with_odd_names_is_compared(shell: Shell, head: str) -> None:
    folder = shell.folder / "crm état\n$(x)" / "-c"
    folder.mkdir(parents=True)
    (folder / ".hidden.yaml").write_text("{", encoding="utf-8")
    (folder / "-a b\tc.yaml").write_text(head, encoding="utf-8")
    (folder / "é'\"labels.yml").write_text(DRIFTED, encoding="utf-8")
    git(shell.folder, "add", ".")
    git(shell.folder, "commit", "-m", "folder")
    (folder / "é'\"labels.yml").write_text(DRIFTED + NEW, encoding="utf-8")
    assert origins(report(shell, "-c", str(folder), "--base", "HEAD")) == EXPECTED
    assert origins(report(Shell(folder, shell.environ), "-c", ".", "--base", "HEAD")) == EXPECTED


def test_a_shallow_clone_is_an_error_that_names_the_fetch(shell: Shell, tmp_path: Path) -> None:
    git(shell.folder, "checkout", "-b", "topic")
    git(shell.folder, "commit", "-a", "-m", "topic")
    git(tmp_path, "clone", "--depth=1", "--branch=topic", f"file://{shell.folder}", "clone")
    clone = Shell(tmp_path / "clone", shell.environ)
    done = clone("plan", "--base", "origin/main")
    assert (done.returncode, done.stdout) == (1, "")
    assert "fetch-depth: 0" in done.stderr
    fix = done.stderr.rpartition("before the plan: git ")[2].split()
    assert fix == ["fetch", "--depth=1", "origin", "main:refs/remotes/origin/main"]
    git(clone.folder, *fix)
    assert origins(report(clone, "--base", "origin/main")) == EXPECTED
    assert "did you mean `origin/main`" in clone("plan", "--base", "main").stderr


@pytest.mark.parametrize("revision", ["nope", "--oops", "-", "--since=now", "HEAD:leadstate.yaml", "main --x", ""])
def test_an_unknown_revision_is_an_error(shell: Shell, sandbox: Sandbox, revision: str) -> None:
    done = shell("plan", f"--base={revision}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[base] unknown git revision" in done.stderr
    assert not sandbox.meter.report()["companies"], "an account was asked"


def test_a_missing_repository_or_git_is_an_error(shell: Shell, tmp_path: Path) -> None:
    outside = Shell(tmp_path, shell.environ)
    outside.write((shell.folder / "leadstate.yaml").read_text(encoding="utf-8"))
    assert "is not in a git repository" in outside("plan", "--base", "main").stderr
    empty = Shell(shell.folder, {**shell.environ, "PATH": str(tmp_path / "nowhere")})
    assert "`--base` needs git, which is not installed" in empty("plan", "--base", "main").stderr


def test_a_path_outside_the_repository_is_an_error(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "leads.yaml").write_text(LEAD.replace("{name: Jane Doe}", "1"), encoding="utf-8")
    done = shell("plan", "-c", "leadstate.yaml", "-c", "../leads.yaml", "--base", "main")
    assert done.returncode == 1
    assert "../leads.yaml is outside of the git repository" in done.stderr


def test_every_change_of_a_new_configuration_is_new(shell: Shell, head: str) -> None:
    shell.write(head + DRIFTED, "other.yaml")
    found = report(shell, "-c", "other.yaml", "--base", "main")
    assert set(origins(found).values()) == {"change"}
    assert [diagnostic["code"] for diagnostic in found["diagnostics"]] == ["base-empty"]


def test_a_malformed_base_does_not_stop_its_fix(shell: Shell, head: str) -> None:
    shell.write(head + DRIFTED.replace("pink", "pnik"))
    git(shell.folder, "commit", "-a", "-m", "broken")
    shell.write(head + DRIFTED)
    found = report(shell, "--base", "main")
    assert set(origins(found).values()) == {None}
    (diagnostic,) = found["diagnostics"]
    assert (diagnostic["code"], diagnostic["severity"]) == ("base-invalid", "warning")
    assert "leadstate.yaml:10:25 at main: " in diagnostic["detail"]


def test_every_change_of_a_new_or_moved_account_is_new(shell: Shell, head: str) -> None:
    shell.write(head.replace("emea:", "europe:") + DRIFTED)
    assert set(origins(report(shell, "--base", "main")).values()) == {"change"}
    shell.write(head.replace("127.0.0.1", "localhost") + DRIFTED)
    assert set(origins(report(shell, "--base", "main")).values()) == {"change"}


def test_the_base_has_its_own_variables_and_policy(shell: Shell, head: str) -> None:
    shell.write(head.replace("{word: Hot}", "{word: Boiling}") + DRIFTED)
    found = origins(report(shell, "--base", "main"))
    assert found == {"emea/label:Boiling": "change", "emea/label:Warm": "drift"}
    pruned = head + "    policy: {prune: {labels: all}, guards: {max_deletes: null}, in_use: allow}\n"
    shell.write(pruned + DRIFTED)
    assert origins(report(shell, "--base", "main"))["emea/label:VIP"] == "change"
    git(shell.folder, "commit", "-a", "-m", "prune")
    assert origins(report(shell, "--base", "main"))["emea/label:VIP"] == "drift"


def test_the_token_of_the_base_is_never_read(shell: Shell, head: str) -> None:
    secret = head.replace("{env: TOKEN}", f"{{command: [touch, {shell.folder / 'asked'}]}}")
    shell.write(secret + DRIFTED)
    git(shell.folder, "commit", "-a", "-m", "command")
    shell.write(head + DRIFTED + NEW)
    assert origins(report(shell, "--base", "main")) == EXPECTED
    assert not (shell.folder / "asked").exists()


def test_leads_that_only_the_base_declares_are_not_read(shell: Shell, head: str) -> None:
    shell.write(head + DRIFTED + LEAD)
    git(shell.folder, "commit", "-a", "-m", "leads")
    shell.write(head + DRIFTED + NEW)
    found = report(shell, "--base", "main")
    assert origins(found) == EXPECTED
    assert found["cost"]["read"] == {"requests": 1, "tokens": 10}


def test_a_lead_of_another_namespace_is_another_lead(shell: Shell, head: str) -> None:
    lead = LEAD.replace("{name: Jane Doe}", "1")
    shell.write(head + DRIFTED + lead)
    assert shell("apply", "--auto-approve").returncode == 0
    git(shell.folder, "commit", "-a", "-m", "leads")
    shell.write(head.replace("namespace: ns", "namespace: other") + DRIFTED + lead)
    assert origins(report(shell, "--base", "main", "--allow", "namespace-changed")) == {"emea/lead:seed": "change"}


@pytest.fixture
def persons(shell: Shell, sandbox: Sandbox, head: str) -> tuple[str, str]:
    """The names of two persons; the base has a lead that is linked to the first, and so it is."""
    old, new = (str(person["name"]) for person in sandbox.dump()["companies"][0]["persons"][:2])
    shell.write(head + DRIFTED + LEAD.replace("Jane Doe", old))
    assert shell("apply", "--auto-approve").returncode == 0
    git(shell.folder, "commit", "-a", "-m", "leads")
    return old, new


def test_a_replaced_person_is_looked_up(shell: Shell, head: str, persons: tuple[str, str]) -> None:
    shell.write(head + DRIFTED + LEAD.replace("Jane Doe", persons[1]))
    plain, found = report(shell), report(shell, "--base", "main")
    assert origins(found) == {"emea/lead:seed": "change"}
    besides = found["base"]["read"]
    assert besides["requests"] > 0
    read, compared = plain["cost"]["read"], found["cost"]["read"]
    assert compared == {name: read[name] + besides[name] for name in read}
    assert "comparing took" in shell("plan", "--base", "main").stdout
