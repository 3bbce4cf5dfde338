"""The picture of a plan on the first page: what `leadstate demo` plans, drawn as its terminal shows it."""

import contextlib
import io
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click.testing
import httpx
from rich.console import Console
from rich.text import Text

from leadstate.api.session import Runtime
from leadstate.cli.main import cli
from leadstate.cli.starter import starter
from leadstate.sandbox import Sandbox

ADDRESS = "http://127.0.0.1:8765"
_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def picture() -> str:
    """The picture as SVG; it names no font or file of elsewhere."""
    text = Text.from_ansi(f"$ leadstate plan\n{_plan().rstrip()}")
    width = max(line.cell_len for line in text.split())
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False)
    console.print(text)
    drawn = _FONTS.sub("", console.export_svg(title="leadstate plan", unique_id="plan")).replace("Fira Code, ", "")
    return "".join(f"{line.rstrip()}\n" for line in drawn.splitlines() if line.strip() and "<!--" not in line)


def _plan() -> str:
    sandbox = Sandbox("drifted", clock=lambda: datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
    runtime = Runtime(
        environ={"LEADSTATE_DEMO_TOKEN": sandbox.companies[0].token}, transport=httpx.ASGITransport(sandbox.app)
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("leadstate.yaml").write_text(starter("demo.yaml").replace("${URL}", ADDRESS), encoding="utf-8")
        words = ["plan", "--color", "always"]
        return click.testing.CliRunner().invoke(cli, words, obj=runtime, standalone_mode=False).stdout
