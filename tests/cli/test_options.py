"""What options take."""

import click
import pytest
from click.testing import CliRunner

from leadstate.cli import options


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


@pytest.mark.parametrize("word", ["in-use,everything", "in-use,", ""])
def test_an_unknown_guard_in_a_list_is_refused(word: str) -> None:
    code, said = allowed("--allow", word)
    assert code == 2
    assert "is not one of 'max-deletes'" in said
