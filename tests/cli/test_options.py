"""What options take."""

import click
import pytest
from click.testing import CliRunner

from leadstate.cli import options
from leadstate.cli.main import COMMANDS, cli


def allowed(*words: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    @click.command
    @options.guards
    def run(allow: tuple[str, ...], **_: object) -> None:
        click.echo(" ".join(allow))

    done = CliRunner().invoke(run, words, env=env)
    return done.exit_code, done.output.strip()


@pytest.mark.parametrize(
    "words",
    [
        ("--allow", "in-use,max-deletes"),
        ("--allow", "in-use", "--allow", "max-deletes"),
        ("--allow", "in-use, max-deletes"),
    ],
)
def test_several_guards_are_lifted_with_commas_or_one_by_one(words: tuple[str, ...]) -> None:
    assert allowed(*words) == (0, "in-use max-deletes")


def test_guards_of_the_environment_may_have_commas_too() -> None:
    assert allowed(env={"LEADSTATE_ALLOW": "in-use,max-deletes"}) == (0, "in-use max-deletes")


@pytest.mark.parametrize("seconds", ["-1", "x"])
def test_a_time_to_wait_that_is_no_number_of_seconds_is_refused(seconds: str) -> None:
    done = CliRunner().invoke(cli, ["apply", "--lock-timeout", seconds], standalone_mode=False)
    assert isinstance(done.exception, click.BadParameter)
    assert seconds in str(done.exception)


@pytest.mark.parametrize("word", ["in-use,everything", "in-use,", ""])
def test_an_unknown_guard_in_a_list_is_refused(word: str) -> None:
    code, said = allowed("--allow", word)
    assert code == 2
    assert "is not one of 'max-deletes'" in said


OFFLINE = {"demo", "init", "sandbox", "schema", "show", "validate"}
"""Commands that read no account of a configuration."""


def leaves(names: set[str]) -> list[click.Command]:
    with cli.make_context("leadstate", [], resilient_parsing=True) as ctx:
        commands = [cli.get_command(ctx, name) for name in sorted(names)]
    plain = [command for command in commands if command is not None]
    groups = [command for command in plain if isinstance(command, click.Group)]
    return [*(c for c in plain if c not in groups), *(inner for group in groups for inner in group.commands.values())]


@pytest.mark.parametrize("command", leaves(set(COMMANDS) - OFFLINE), ids=lambda command: command.name)
def test_commands_that_read_accounts_have_the_same_common_options(command: click.Command) -> None:
    names = {name for param in command.params for name in param.opts}
    assert names >= {"-c", "--config", "-a", "--account", "--log-level", "--no-progress", "--color"}
    assert ("--format" in names) == ("--output" in names)


@pytest.mark.parametrize("command", leaves(set(COMMANDS)), ids=lambda command: command.name)
def test_every_command_has_the_option_that_an_internal_error_advises(command: click.Command) -> None:
    assert "--log-level" in {name for param in command.params for name in param.opts}
