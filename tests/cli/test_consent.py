"""The prompt of `apply`: what is accepted, how it is left, and what an answer that came late is worth."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from leadstate.cli.consent import confirm
from leadstate.cli.interrupts import SIGNALS, Interrupted, install, wait_for
from leadstate.sandbox import Sandbox
from tests.harness.cli_in_process import leadstate
from tests.harness.terminal import Person, terminal

CONFIG = """\
version: 1
accounts: {{emea: {{url: "{url}", token: {{env: TOKEN}}}}}}
labels: [{{name: Hot, color: red}}]
"""
ENVIRON = {"TOKEN": "sandbox-token"}


@pytest.fixture
def apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leadstate.yaml").write_text(CONFIG.format(url="http://127.0.0.1:1"))

    def run(person: Person, *words: str) -> tuple[int, str, str]:
        with person.at_stdin():
            return leadstate(sandbox, ENVIRON, tmp_path / "receipts", ("apply", *words), clock=lambda: person.now)

    return run


def color(sandbox: Sandbox) -> str:
    return next(label.color for label in sandbox.companies[0].labels() if label.name == "Hot")


def recolor(sandbox: Sandbox, color: str) -> None:
    company = sandbox.companies[0]
    company.update_label(next(label.id for label in company.labels() if label.name == "Hot"), {"color": color})


Apply = Callable[..., tuple[int, str, str]]


def test_yes_applies_the_plan(apply: Apply, sandbox: Sandbox) -> None:
    code, out, err = apply(Person("yes"))
    assert code == 0
    assert color(sandbox) == "red"
    assert "Apply these changes? Only 'yes' will be accepted: " in err
    assert "will be accepted" not in out


@pytest.mark.parametrize("answer", ["no", " ", "", "y", "YES", "yes please"])
def test_any_other_answer_cancels(apply: Apply, sandbox: Sandbox, answer: str) -> None:
    code, out, err = apply(Person(answer), "--format", "json")
    assert (code, out) == (3, "")
    assert err.count("label:Hot") == 1
    assert err.endswith("Apply cancelled. Nothing was changed.\n")
    assert color(sandbox) == "orange"


def reads(sandbox: Sandbox) -> int:
    (usage,) = sandbox.meter.report()["companies"].values()
    return int(usage["operations"]["getLeadLabels"]["requests"])


def test_after_a_late_answer_the_plan_is_made_again(apply: Apply, sandbox: Sandbox) -> None:
    code, _, err = apply(Person("yes", seconds=31))
    assert code == 0
    assert err.count("will be accepted") == 1
    assert "planning again" in err
    late = reads(sandbox)
    recolor(sandbox, "orange")
    sandbox.meter.reset()
    assert apply(Person("yes", seconds=30))[0] == 0
    assert reads(sandbox) == late - 1


def test_a_plan_that_changed_while_waiting_is_confirmed_again(apply: Apply, sandbox: Sandbox) -> None:
    code, _, err = apply(Person("yes", "no", seconds=31, meanwhile=lambda: recolor(sandbox, "pink")))
    assert code == 3
    assert err.count("will be accepted") == 2
    assert "emea/label:Hot: update has changed" in err
    assert color(sandbox) == "pink"


def test_a_change_that_was_made_while_waiting_is_not_written(apply: Apply, sandbox: Sandbox) -> None:
    code, out, _ = apply(Person("yes", seconds=31, meanwhile=lambda: recolor(sandbox, "red")))
    assert code == 0
    assert "No changes" in out


def test_a_signal_just_before_the_prompt_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop has not come to end the task yet when the question is asked, and a terminal may wait for ever."""
    monkeypatch.setattr(sys, "stdin", Person("yes"))
    before = {number: signal.getsignal(number) for number in SIGNALS}
    install()

    async def work() -> bool:
        signal.raise_signal(signal.SIGTERM)
        return confirm("Apply these changes?", deed="apply")

    try:
        with pytest.raises(Interrupted):
            wait_for(work())
    finally:
        install()  # forgets the signal
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("leave", [b"\x03", signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_at_the_prompt_ends_it_at_once(
    tmp_path: Path, sandbox: Sandbox, url: str, leave: bytes | signal.Signals
) -> None:
    (tmp_path / "leadstate.yaml").write_text(CONFIG.format(url=url))
    with terminal(tmp_path, ENVIRON, "apply") as shown:
        shown.read_until(b"will be accepted")
        if isinstance(leave, bytes):
            shown.type(leave)
        else:
            shown.send(leave)
        shown.read_until(b"Nothing was changed.")
        assert shown.end() == (130, b"")
    assert b"Traceback" not in shown.shown
    assert color(sandbox) == "orange"


LIMITS = {"account": "emea", "target": "label:Hot", "shard": "1/1"}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leadstate.yaml").write_text(CONFIG.format(url="http://127.0.0.1:1"))
    return lambda *words: leadstate(sandbox, ENVIRON, tmp_path / "receipts", words)


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_limit_that_a_stored_plan_has_too_may_be_given_again(
    shell: Apply, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, *, by_variable: bool
) -> None:
    """A CI system sets `LEADSTATE_ACCOUNT` for all jobs alike, those that apply a stored plan included."""
    words = [] if by_variable else [f"--{name}={value}" for name, value in LIMITS.items()]
    if by_variable:
        for name, value in LIMITS.items():
            monkeypatch.setenv(f"LEADSTATE_{name.upper()}", value)
    assert shell("plan", *words, "--out", "plan.json")[0] == 0
    code, _, err = shell("apply", *words, "plan.json", "--auto-approve")
    assert code == 0, err
    assert color(sandbox) == "red"


@pytest.mark.parametrize(
    ("planned", "option", "made"),
    [
        (LIMITS, "--account tag:prod", "with --account emea"),
        (LIMITS, "--target label:VIP", "with --target label:Hot"),
        (LIMITS, "--shard 1/2", "with --shard 1/1"),
        ({}, "--target label:Hot", "without --target"),
    ],
)
def test_a_limit_that_a_stored_plan_does_not_have_is_a_usage_error(
    shell: Apply, sandbox: Sandbox, planned: dict[str, str], option: str, made: str
) -> None:
    before = color(sandbox)
    assert shell("plan", *(f"--{limit}={text}" for limit, text in planned.items()), "--out", "plan.json")[0] == 0
    name, value = option.split()
    code, _, err = shell("apply", name, value, "plan.json", "--auto-approve")
    assert code == 64
    assert f"plan.json was made {made}, not with {option}. Leave out {name} and LEADSTATE_" in " ".join(err.split())
    assert color(sandbox) == before
