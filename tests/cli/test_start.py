"""What `--version` and `--help` may import: nothing that takes longer than they do."""

import subprocess
import sys

import pytest

HEAVY = {"httpx", "pydantic", "deepdiff", "ruamel", "rich", "starlette", "uvicorn", "asyncio", "jinja2"}


@pytest.mark.parametrize("words", ["--version", "--help"])
def test_start_up_is_light(words: str) -> None:
    script = (
        "import sys\nfrom leadstate.cli.main import run\nsys.argv = ['leadstate', *sys.argv[1:]]\n"
        "try:\n    run()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, words], capture_output=True, text=True, check=True)
    loaded = set(eval(done.stderr))  # noqa: S307  the list that the script above printed
    assert not loaded & HEAVY
    assert done.stdout


def test_every_command_has_the_same_line_in_both_helps() -> None:
    from leadstate.cli.main import COMMANDS, cli

    with cli.make_context("leadstate", ["--help"], resilient_parsing=True) as ctx:
        for name, line in COMMANDS.items():
            command = cli.get_command(ctx, name)
            assert command is not None
            assert command.short_help == line
            assert command.help
