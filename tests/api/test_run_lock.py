"""One apply at a time for each account on a machine."""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from leadstate.api.run_lock import Locked, NoStateFolder, hold_locks, wait_for_locks
from leadstate.model.account import Account, Policy
from leadstate.pipedrive.connection import Pace
from tests.harness.cli_process import Shell
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_process import Process


def account(name: str, origin: str, company_id: int | None = None) -> Account:
    return Account(name, origin, None, Policy(), (), company_id=company_id)


EMEA, US = account("emea", "https://acme-emea.pipedrive.com"), account("us", "https://acme-us.pipedrive.com")

HOLD = """
import sys
from pathlib import Path
from tests.api.test_run_lock import EMEA, hold_locks
with hold_locks([EMEA], Path(sys.argv[1]), "apply"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_a_second_run_is_refused_and_names_the_holder(tmp_path: Path) -> None:
    with another_process(tmp_path) as other:
        who = rf"`leadstate apply` in .* \(process {other.pid} on .*, since 20.*Z\) is at work on account emea"
        with pytest.raises(Locked, match=who), hold_locks([US, EMEA], tmp_path, "restore"):
            raise AssertionError
        with hold_locks([US], tmp_path, "apply"):
            pass
        other.kill()
        other.wait()
        with hold_locks([EMEA, US], tmp_path, "apply"):
            pass


def test_a_run_waits_for_the_lock_as_long_as_requested(tmp_path: Path) -> None:
    said: list[str] = []

    async def wait() -> None:
        async with wait_for_locks([EMEA], tmp_path, "apply", seconds=20, pace=Pace(), waiting=said.append):
            pass

    with another_process(tmp_path) as other:
        ender = threading.Timer(0.3, other.kill)
        ender.start()
        asyncio.run(wait())
        ender.join()
    assert [line.partition(" in ")[0] for line in said] == ["Waiting up to 20 s: `leadstate apply`"]


def test_accounts_are_distinguished_by_address_and_company(tmp_path: Path) -> None:
    shared = "https://api.pipedrive.com"
    same = [account("a", EMEA.origin, 1), account("b", EMEA.origin)]
    apart = [EMEA, US, account("one", shared, 1), account("two", shared, 2)]
    with hold_locks([*apart, *same], tmp_path, "apply"):
        assert len(list((tmp_path / "locks").glob("*.json"))) == 4
    assert not list((tmp_path / "locks").glob("*.json"))


def test_one_company_is_locked_whatever_its_address(tmp_path: Path) -> None:
    company = account("eu", "https://api.pipedrive.com", 7041)
    same = [account("emea", "https://acme-emea.pipedrive.com", 7041), account("b", "https://proxy.example", 7041)]
    apart = [EMEA, account("us", EMEA.origin, 7042), account("sandbox", "http://127.0.0.1:1", 7041)]
    with hold_locks([company], tmp_path, "apply"):
        for rival in same:
            with pytest.raises(Locked, match="company 7041"), hold_locks([rival], tmp_path, "apply"):
                raise AssertionError
        for other in apart:
            with hold_locks([other], tmp_path, "apply"):
                pass


def test_a_run_without_company_id_is_kept_apart_from_one_with_it(tmp_path: Path) -> None:
    known, unknown = account("a", EMEA.origin, 7041), account("b", EMEA.origin)
    for first, second in ((known, unknown), (unknown, known)):
        with (
            hold_locks([first], tmp_path, "apply"),
            pytest.raises(Locked),
            hold_locks([second], tmp_path, "apply"),
        ):
            raise AssertionError


def test_a_refusal_names_the_address_that_several_accounts_share(tmp_path: Path) -> None:
    at = "http://127.0.0.1:9311"
    mine = [account(f"co{number}", at, number) for number in range(30)]
    others = [account("other", at, 99)]
    with hold_locks(others, tmp_path, "apply"):
        for accounts, named in ((mine, r"co0, co1, .*, co19 and 10 more"), (mine[:1], "co0")):
            said = rf"is at work at {at}, the address of {named}$"
            with pytest.raises(Locked, match=said), hold_locks(accounts, tmp_path, "apply"):
                raise AssertionError


def test_names_of_this_machine_are_one_address(tmp_path: Path) -> None:
    local = [account("a", "http://localhost:1"), account("b", "http://127.0.0.1:1"), account("c", "http://[::1]:1")]
    with hold_locks(
        [*local, account("d", "http://localhost:2"), account("e", "https://localhost:1")], tmp_path, "apply"
    ):
        assert len(list((tmp_path / "locks").glob("*.json"))) == 3


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": 1}', "[" * 100_000, "null"])
def test_an_unknown_holder_is_called_another_run(tmp_path: Path, text: str) -> None:
    with another_process(tmp_path):
        (holder,) = (tmp_path / "locks").glob("*.json")
        holder.write_text(text)
        with pytest.raises(Locked, match="another run is at work"), hold_locks([EMEA], tmp_path, "apply"):
            raise AssertionError


def test_a_state_folder_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with hold_locks([EMEA], Path(), "apply"), pytest.raises(Locked), hold_locks([EMEA], tmp_path, "apply"):
        raise AssertionError


def test_without_a_place_for_locks_nothing_is_applied(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("~", ".local", "state")):
        with pytest.raises(NoStateFolder) as told, hold_locks([EMEA], folder, "apply"):
            raise AssertionError
        assert "XDG_STATE_HOME" in told.value.hint


def test_an_error_under_the_lock_is_not_an_error_of_the_lock(tmp_path: Path) -> None:
    for failure in (OSError(28, "full"), click.Abort(), KeyboardInterrupt()):
        with pytest.raises(type(failure)), hold_locks([EMEA], tmp_path, "apply"):
            raise failure


def test_more_accounts_than_open_files_are_locked(tmp_path: Path) -> None:
    fleet = [account(f"a{n}", f"https://a{n}.pipedrive.com") for n in range(1200)]
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
        for _ in range(3):
            with hold_locks(fleet, tmp_path, "apply"):
                limits.append(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len({*limits}) == 1, "each attempt to get the locks raises the limit"


CONFIG = """\
version: 1
namespace: ns
accounts: {{emea: {{url: "{url}", token: {{env: TOKEN}}}}}}
labels: [{labels}]
leads: [{leads}]
"""


def test_a_refusal_is_a_report(tmp_path: Path, url: str) -> None:
    shell = Shell(tmp_path, {"TOKEN": "sandbox-token"})
    shell.write(CONFIG.format(url=url, labels="", leads=""))
    with hold_locks([account("emea", url)], Path(os.environ["XDG_STATE_HOME"], "leadstate"), "restore"):
        done = shell("apply", "--auto-approve", "--format", "json")
    assert done.returncode == 3
    (found,) = json.loads(done.stdout)["diagnostics"]
    assert found["code"] == "locked"
    assert "`leadstate restore`" in found["summary"]


def test_a_refusal_is_no_error_of_the_configuration(tmp_path: Path, url: str) -> None:
    shell = Shell(tmp_path, {"TOKEN": "sandbox-token"})
    shell.write(CONFIG.format(url=url, labels="", leads=""))
    with hold_locks([account("emea", url)], Path(os.environ["XDG_STATE_HOME"], "leadstate"), "restore"):
        done = shell("apply", "--auto-approve")
    assert done.stdout.splitlines()[-1] == "1 error; no account was asked."


def test_an_interrupt_ends_the_wait_for_another_run(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / "leadstate.yaml").write_text(CONFIG.format(url=NOWHERE, labels="", leads=""))
    with hold_locks([account("emea", NOWHERE)], Path(os.environ["XDG_STATE_HOME"], "leadstate"), "restore"):
        process.start("apply", "--auto-approve", "--lock-timeout", "60")
        process.heard("Waiting up to 60 s")
        process.signal(signal.SIGINT)
        assert process.end() == (130, "", "Interrupted. Nothing was changed.\n")
