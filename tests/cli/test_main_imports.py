"""What `--version` and `--help` may import: nothing that takes longer than they do."""

import subprocess
import sys
from pathlib import Path

import pytest

from leadstate.report.formats.json import to_json
from tests.harness.reports import many

HEAVY = {"httpx", "pydantic", "deepdiff", "ruamel", "rich", "starlette", "uvicorn", "asyncio", "jinja2"}
NEVER_FOR_HELP = {"deepdiff", "ruamel", "starlette", "uvicorn"}
"""What only the work of a command takes; a command's own help knows the rest through its types."""


@pytest.mark.parametrize("words", ["--version", "--help"])
def test_start_up_is_light(words: str) -> None:
    script = (
        "import sys\nfrom leadstate.cli.main import run\nsys.argv = ['leadstate', *sys.argv[1:]]\n"
        "assert run() == 0\n"
        "print(sorted({name.partition('.')[0] for name, module in sys.modules.items() if module}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, words], capture_output=True, text=True, check=True)
    loaded = set(eval(done.stderr))  # noqa: S307  the list that the script above printed
    assert not loaded & HEAVY
    assert done.stdout


def test_the_help_of_a_command_does_not_load_what_its_work_takes() -> None:
    from leadstate.cli.main import COMMANDS

    script = (
        "import sys\nfrom leadstate.cli.main import COMMANDS, cli\n"
        "for name in COMMANDS:\n    cli.main([name, '--help'], standalone_mode=False)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(eval(done.stderr))  # noqa: S307  the list that the script above printed
    assert not loaded & NEVER_FOR_HELP
    assert done.stdout.count("Usage: ") == len(COMMANDS)


@pytest.mark.parametrize("words", ["validate", "schema config", "show report.json"])
def test_offline_commands_import_no_http_client(words: str, tmp_path: Path) -> None:
    configuration = "version: 1\n\naccounts:\n  emea: {domain: acme, token: {env: TOKEN}}\n"
    (tmp_path / "leadstate.yaml").write_text(configuration, encoding="utf-8")
    (tmp_path / "report.json").write_text("".join(to_json(many(4))), encoding="utf-8")
    script = (
        "import sys\nfrom leadstate.cli.main import cli\n"
        "assert cli.main(sys.argv[1:], standalone_mode=False) == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words.split()], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    loaded = set(eval(done.stderr))  # noqa: S307  the list that the script above printed
    assert not loaded & {"httpx", "asyncio", "deepdiff"}


def test_every_command_has_the_same_line_in_both_helps() -> None:
    from leadstate.cli.main import COMMANDS, cli

    with cli.make_context("leadstate", ["--help"], resilient_parsing=True) as ctx:
        for name, line in COMMANDS.items():
            command = cli.get_command(ctx, name)
            assert command is not None
            assert command.short_help == line
            assert command.help
