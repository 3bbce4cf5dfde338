"""`import`: what is live and not declared goes into the YAML, and a plan after it has nothing to do."""

import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadstate.api.configuration import load
from leadstate.api.session import Runtime
from leadstate.sandbox import Sandbox, running
from tests.harness.cli_in_process import Commands, leadstate
from tests.harness.cli_process import Shell

COLORS = ["blue", "brown", "dark-gray", "gray", "green", "orange", "pink", "purple", "red", "yellow"]
HOT = "aaaaaaaa-0000-4000-8000-000000000001"
LABELS = [{"id": HOT, "name": "Hot", "color": "red"}] + [
    {"name": f"{number}. Größe: {'#x' if number % 2 else '- y'}", "color": COLORS[number % 10]} for number in range(49)
]


def lead(number: int, marker: str | None, **more: Any) -> dict[str, Any]:
    return {
        "id": f"bbbbbbbb-0000-1000-8000-{number:012d}",
        "title": f"Lead {number}: new",
        "person_id": 1,
        "label_ids": [HOT] if number % 2 else [],
        "origin_id": marker,
        "owner_id": 7 + number % 2,
        "value": {"amount": 10.5 * number, "currency": "EUR"} if number % 3 else None,
        **more,
    }


def company(number: int, labels: list[dict[str, Any]], *leads: dict[str, Any]) -> dict[str, Any]:
    return {
        "token": f"token-{number}",
        "company": {"id": number, "name": f"C{number}", "domain": f"c{number}"},
        "persons": [{"id": 1, "name": "Jane"}, {"id": 2, "name": "Tom"}],
        "users": [{"id": 7, "name": "Sam", "email": "s@acme.test"}, {"id": 8, "name": "Kim", "email": "k@acme.test"}],
        "labels": labels,
        "leads": list(leads),
    }


class World:
    """Accounts a1, a2 … with these companies, and a configuration with the given lists."""

    def __init__(self, shell: Shell, url: str, count: int) -> None:
        self.shell = shell
        accounts = "".join(
            f"  a{n}: {{url: '{url}', token: {{env: T{n}}}, company_id: {n}}}\n" for n in range(1, count + 1)
        )
        self.head = f"version: 1\nnamespace: ns\naccounts:\n{accounts}"

    def write(self, text: str = "") -> None:
        self.shell.write(self.head + text)

    @property
    def text(self) -> str:
        """What stands below the accounts."""
        return (self.shell.folder / "leadstate.yaml").read_text().removeprefix(self.head)

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = self.shell("import", *words)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def assert_nothing_to_do(self, *words: str) -> None:
        planned = self.shell("plan", "--detailed-exitcode", *words)
        assert planned.returncode == 0, planned.stdout + planned.stderr
        assert "No changes" in planned.stdout


@pytest.fixture(name="world")
def _world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    companies = request.param
    sandbox = Sandbox({"companies": companies}, burst=100_000, daily=None)
    with running(sandbox.app) as url:
        tokens = {f"T{number}": f"token-{number}" for number in range(1, len(companies) + 1)}
        made = World(Shell(tmp_path, tokens), url, len(companies))
        made.write()
        yield made


def with_companies(*companies: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", [list(companies)], indirect=True)


@with_companies(company(1, LABELS))
def test_fifty_labels_are_imported_at_once(world: World) -> None:
    done = world.run("-a", "a1", "--auto-approve")
    assert world.text.count("\n  - {name: ") == 50
    assert world.text.startswith("\nlabels:\n  - {name: Hot, color: red}\n")
    assert done.stdout.count("\n+  - {name: ") == 50
    world.assert_nothing_to_do()
    assert "Nothing to import" in world.run("--auto-approve").stderr


@with_companies(company(1, []), company(2, []))
def test_there_is_nothing_to_import_only_where_an_account_was_read(world: World) -> None:
    world.shell = replace(world.shell, environ={**world.shell.environ, "T1": "wrong"})
    assert "Nothing to import" not in world.run("-a", "a1", "--auto-approve", code=1).stderr
    assert "Nothing to import" in world.run("--auto-approve", code=1).stderr


@with_companies(
    company(1, [{"name": "A", "color": "red"}, {"name": "B", "color": "red"}, {"name": "C", "color": "red"}]),
    company(2, [{"name": "A", "color": "red"}, {"name": "B", "color": "blue"}]),
    company(3, [{"name": "A", "color": "red"}, {"name": "B", "color": "red"}, {"name": "A", "color": "pink"}]),
)
def test_labels_of_several_accounts_are_imported(world: World) -> None:
    done = world.run("-a", "a1", "-a", "a2", "--auto-approve")
    assert world.text == (
        "\nlabels:\n  - {name: A, color: red, accounts: [a1, a2]}\n"
        "  - {name: B, color: red, accounts: [a1, a2], overrides: {a2: {color: blue}}}\n"
        "  - {name: C, color: red, accounts: [a1]}\n"
    )
    world.assert_nothing_to_do()
    world.write()
    done = world.run("--auto-approve", code=4)
    assert "error[not-imported] a3: the label 'A' was left out" in done.stderr
    assert "  - {name: B, color: red, overrides: {a2: {color: blue}}}\n" in world.text
    assert "  - {name: A, color: red, accounts: [a1, a2]}\n" in world.text
    world.assert_nothing_to_do()
    assert "Nothing to import" in world.run("--check", code=1).stderr


@with_companies(company(1, LABELS))
def test_check_writes_nothing(world: World) -> None:
    assert "+labels:" in world.run("--check", code=3).stdout
    assert world.text == ""
    world.run("--auto-approve")
    assert world.run("--check").stdout == ""


@with_companies(
    company(
        1,
        LABELS[:2],
        *(lead(number, f"ns:k-{number}") for number in range(1, 7)),
        lead(8, "other:k"),
        lead(9, "ns:archived", is_archived=True, archive_time="2026-02-02T10:00:00.000Z"),
    )
)
def test_leads_with_the_ownership_marker_are_imported(world: World) -> None:
    world.write("leads:\n  - {key: k-1, title: 'Lead 1: new', person: 1}\n")
    done = world.run("--leads", "--auto-approve")
    assert "a1: 1 lead with the marker of somebody else" in done.stderr
    assert not (world.shell.folder / "leadstate.lock.json").exists()
    assert [line.split(",")[0] for line in world.text.split("\nlabels:\n")[0].splitlines()[1:]] == [
        f"  - {{key: k-{number}" for number in range(1, 7)
    ]
    assert (
        'key: k-5, title: "Lead 5: new", person: 1, owner: 8, labels: [Hot], value: {amount: 52.5, currency: EUR}'
        in (world.text)
    )
    world.assert_nothing_to_do()


@with_companies(
    company(1, LABELS[:2], *(lead(number, f"ns:k-{number}") for number in range(1, 5)), lead(5, "ns:Wrong Key"))
)
def test_filters(world: World) -> None:
    for words, keys in (
        (["--owner", "7"], ["k-2", "k-4"]),
        (["--label", "Hot"], ["k-1", "k-3"]),
        (["--source", "API"], ["k-1", "k-2", "k-3", "k-4"]),
        (["--source", "Nowhere"], []),
    ):
        world.write("labels:\n  - {name: Hot, color: red}\n")
        wrong = words[-1] in ("Hot", "API")
        world.run("--no-labels", "--leads", *words, "--auto-approve", code=4 if wrong else 0)
        assert [line.split(",")[0][10:] for line in world.text.splitlines() if "key" in line] == keys
        assert ("owner: 7" in world.text) == ("k-2" in keys)
        world.assert_nothing_to_do()


GROWN = {
    "title": "Müller & Söhne: renewal",
    "origin_id": None,
    "label_ids": [HOT],
    "owner_id": 7,
    "value": None,
}


@with_companies(
    company(1, LABELS[:1], lead(1, None, **GROWN), lead(2, None, **GROWN), lead(3, None, title="!!!"), lead(4, "ns:x")),
    company(2, [{**LABELS[0]}], lead(1, None, **GROWN), lead(2, None, **{**GROWN, "person_id": 2})),
)
def test_unmarked_leads_are_adopted(world: World) -> None:
    done = world.run("--leads", "--names", "--auto-approve")
    assert "leadstate.lock.json remembers the adopted leads: commit it" in done.stderr
    first, second, odd, ours = (line for line in world.text.split("leads:\n")[1].splitlines() if "key" in line)
    assert "{key: muller-sohne-renewal, adopted: true, " in first
    assert "person: {name: Jane}, owner: {email: s@acme.test}, labels: [Hot], " in first
    assert "key: muller-sohne-renewal-2" in second
    assert "overrides: {a2: {person: {name: Tom}}}" in second
    assert "key: lead, adopted: true" in odd
    assert "key: x, title" in ours
    world.assert_nothing_to_do()
    world.run("--leads", "--check")


@with_companies(company(1, LABELS[:1], lead(1, None, **GROWN)))
def test_an_adopted_lead_is_never_created(world: World) -> None:
    world.run("--leads", "--auto-approve")
    lock = world.shell.folder / "leadstate.lock.json"
    known = lock.read_text()
    world.write(world.text.replace("Müller & Söhne: renewal", "renamed"))
    applied = world.shell("apply", "--auto-approve")
    assert applied.returncode == 0, applied.stderr
    assert "~ lead:muller-sohne-renewal" in applied.stdout
    world.assert_nothing_to_do()

    lock.unlink()
    lost = world.shell("apply", "--auto-approve")
    assert lost.returncode == 1
    assert "adopted-unknown" in lost.stdout + lost.stderr
    assert "restore the lock file from git" in lost.stdout + lost.stderr
    lock.write_text(known)
    world.assert_nothing_to_do()
    # What is no longer declared was never ours to delete.
    world.write("policy: {prune: {leads: owned}}\nlabels:\n  - {name: Hot, color: red}\n")
    world.assert_nothing_to_do()


@pytest.fixture
def adopting(tmp_path: Path) -> Commands:
    """Commands in this process, with one unmarked lead to adopt; the lock file lies in another folder than the YAML."""
    sandbox = Sandbox({"companies": [company(1, LABELS[:1], lead(1, None, **GROWN))]})
    runtime = Runtime(environ={"T1": "token-1"}, transport=httpx.ASGITransport(sandbox.app), receipts=tmp_path)
    commands = Commands(tmp_path, runtime)
    account = "accounts:\n  a1: {url: 'http://127.0.0.1:1', token: {env: T1}}\n"
    commands.write(f"version: 1\nnamespace: ns\n{account}", "first/accounts.yaml")
    commands.write("labels:\n  - {name: Hot, color: red}\nleads: []\n", "second/leads.yaml")
    return commands


def import_leads(commands: Commands) -> subprocess.CompletedProcess[str]:
    paths = [str(commands.folder / name) for name in ("first", "second")]
    return commands("import", "-c", paths[0], "-c", paths[1], "--leads", "--auto-approve")


@pytest.mark.parametrize("failing", ["leadstate.api.lockfile.replace_file", "leadstate.cli.patch.replace_file"])
def test_no_lead_is_declared_twice_after_a_file_could_not_be_written(
    adopting: Commands, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    declared = adopting.folder / "second" / "leads.yaml"
    before = declared.read_text()
    with monkeypatch.context() as full:
        full.setattr(failing, fail)
        assert import_leads(adopting).returncode == 1
    assert declared.read_text() == before
    assert import_leads(adopting).returncode == 0
    assert declared.read_text().count("adopted: true") == 1
    assert "Nothing to import" in import_leads(adopting).stderr


@pytest.mark.parametrize("folder", ["first", "second"])
def test_nothing_is_written_where_one_of_the_files_cannot_be_replaced(
    adopting: Commands, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    read_only, declared = adopting.folder / folder, adopting.folder / "second" / "leads.yaml"
    before = declared.read_text()
    # As for a user who is not root, who may write anything.
    monkeypatch.setattr("os.access", lambda path, mode: not (mode & os.W_OK and Path(path) == read_only))
    done = import_leads(adopting)
    assert done.returncode == 1
    name = {"first": "leadstate.lock.json", "second": "leads.yaml"}[folder]
    assert f"{read_only / name} cannot be replaced: its folder is read-only" in done.stderr
    assert f"chmod u+w {read_only}" in done.stderr
    assert declared.read_text() == before
    assert not (adopting.folder / "first" / "leadstate.lock.json").exists()


@with_companies(
    company(1, LABELS, *(lead(n, None, title=f"Deal {n % 1500}") for n in range(1, 2001))),
    company(
        2, [{**label, "color": COLORS[n % 10]} for n, label in enumerate(LABELS)], *(lead(n, None) for n in range(9))
    ),
)
def test_a_large_account_is_imported_at_once(world: World) -> None:
    world.run("--leads", "--auto-approve")
    assert world.text.count("adopted: true") == 2009
    world.assert_nothing_to_do()


@with_companies(company(1, LABELS))
def test_new_items_are_written_to_the_chosen_file(world: World) -> None:
    folder = world.shell.folder
    (folder / "leadstate.yaml").rename(folder / "accounts.yaml")
    world.shell.write("labels: []\n", "b.yaml")
    world.shell.write("# only a policy\npolicy: {in_use: allow}\n", "c.yaml")
    world.run("-c", ".", "--label", "Hot", "--auto-approve")
    assert (folder / "b.yaml").read_text() == "labels:\n  - {name: Hot, color: red}\n"
    world.run("-c", ".", "--label", LABELS[1]["name"], "--into", "c.yaml", "--auto-approve")
    assert (
        (folder / "c.yaml").read_text().startswith("# only a policy\npolicy: {in_use: allow}\n\nlabels:\n  - {name: ")
    )
    world.run("-c", ".", "--into", "d.txt", "--check", code=64)
    world.run("-c", ".", "--into", "../d.yaml", "--check", code=64)
    made = world.run("-c", ".", "--label", LABELS[2]["name"], "--into", "d.yaml", "--auto-approve")
    assert (folder / "d.yaml").read_text().startswith("labels:\n  - {name: ")
    assert "+labels:" in made.stdout
    (folder / "d.yaml").unlink()
    (folder / "b.yaml").unlink()
    (folder / "c.yaml").write_text("policy: {in_use: allow}\n")
    assert "--into" in world.run("-c", ".", "--check", code=64).stderr
    assert {file.name for file in folder.iterdir()} == {"accounts.yaml", "c.yaml"}


@with_companies(company(1, LABELS))
def test_import_refuses_malformed_options_and_files(world: World) -> None:
    world.run("--no-labels", code=64)
    world.run("--owner", "7", code=64)
    world.run("-a", "nowhere", code=1)
    world.run("-c", "missing.yaml", code=1)
    world.shell.write(world.head.replace("namespace: ns\n", ""))
    world.run("--leads", code=64)
    world.write()
    wrong = Shell(world.shell.folder, {"T1": "wrong"})("import", "--auto-approve")
    assert wrong.returncode == 1
    assert "a1: " in wrong.stderr
    assert world.text == ""
    assert "--auto-approve" in world.run(code=3).stderr
    assert world.text == ""


@with_companies(company(1, LABELS))
def test_init_writes_a_configuration_from_an_account(world: World) -> None:
    config = world.shell.folder / "leadstate.yaml"
    url = world.head.split("'")[1]
    config.unlink()
    for words, code in ((["--token-env", "NOWHERE"], 1), (["--token-env", "no name"], 64)):
        done = world.shell("init", "--from", url, *words)
        assert (done.returncode, config.exists()) == (code, False), done.stderr
        assert "Traceback" not in done.stderr
        assert "leadstate.yaml" not in done.stderr, "a file that does not exist is not named"
    wrong = Shell(world.shell.folder, {"T1": "wrong"})("init", "--from", url, "--token-env", "T1")
    assert "  = check the token in the variable T1; an API token is under " in wrong.stderr
    assert not config.exists()
    done = world.shell("init", "--from", url, "--token-env", "T1")
    assert done.returncode == 0, done.stderr
    assert config.read_text().count("name: ") == 50
    workflow = (config.parent / ".github" / "workflows" / "leadstate.yml").read_text()
    assert "T1: ${{ secrets.T1 }}" in workflow
    world.assert_nothing_to_do()
    before = config.read_text()
    again = world.shell("init", "--from", url, "--token-env", "T1")
    assert (again.returncode, config.read_text()) == (64, before)
    assert "leadstate import" in again.stderr


@pytest.mark.parametrize(
    ("account", "domain", "namespace"),
    [
        ("4711", "4711", "4711"),
        ("https://4711.pipedrive.com", "4711", "4711"),
        ("1e5", "1e5", "1e5"),
        ("0x1f", "0x1f", "0x1f"),
        ("true", "true", "true"),
        ("acme", "acme", "acme"),
    ],
)
def test_init_quotes_a_domain_that_yaml_takes_for_something_else(
    account: str, domain: str, namespace: str, tmp_path: Path
) -> None:
    sandbox = Sandbox({"companies": [company(1, LABELS[:1])]}, burst=100_000, daily=None)
    words = ("init", "--from", account, "--token-env", "NULL", str(tmp_path))
    code, _, err = leadstate(sandbox, {"NULL": "token-1"}, tmp_path, words)
    assert code == 0, err
    (declared,) = load([tmp_path / "leadstate.yaml"]).accounts
    assert declared.account.name == declared.account.namespace == namespace
    assert declared.account.origin == f"https://{domain}.pipedrive.com"
