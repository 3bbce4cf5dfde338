"""No view is wider than the terminal, whatever people call their labels, leads and accounts."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.cells import cell_len

from leadstate.api.session import Runtime
from leadstate.cli.main import cli
from leadstate.sandbox import Sandbox

LONG = "Campaign for the renewal of contracts that end in the second half of next year"
SUBSIDIARY = "subsidiary-with-a-long-name-that-people-gave-it-years-ago-and-never-changed"
CONFIGURATION = f"""\
version: 1
namespace: acme-seeds
accounts:
  emea: {{url: "http://127.0.0.1:8765", token: {{env: EMEA}}}}
  {SUBSIDIARY}: {{url: "http://127.0.0.1:8766", token: {{env: OTHER}}}}
policy: {{guards: {{max_deletes: 1}}}}
labels:
  - {{name: Hot, color: red}}
  - {{name: "{LONG}", color: red}}
  - {{name: "Old {LONG}", state: absent, replace_with: Hot}}
leads:
  - {{key: renewal, title: "{LONG}", person: {{email: jane@acme.test}}, labels: ["{LONG}"]}}
"""


def company(number: int, token: str) -> dict[str, Any]:
    def id_(kind: int) -> str:
        return f"{number:04}{kind:04}-0000-4000-8000-000000000000"

    return {
        "token": token,
        "company": {"id": number, "name": LONG, "domain": f"acme{number}"},
        "users": [{"id": 101, "name": f"Sam {LONG}", "email": "sam@acme.test"}],
        "persons": [{"id": 1, "name": f"Jane {LONG}", "emails": ["jane@acme.test"]}],
        "labels": [
            {"id": id_(1), "name": "Hot", "color": "orange"},
            {"id": id_(2), "name": LONG, "color": "blue"},
            {"id": id_(3), "name": f"Old {LONG}", "color": "gray"},
        ],
        "leads": [
            {"id": id_(4), "title": f"Deal of {LONG}", "person_id": 1, "owner_id": 101, "label_ids": [id_(3)]},
        ],
    }


class Terminal(io.StringIO):
    """A stdout that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


Show = Callable[..., str]


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Show:
    """Return what runs a command on a terminal, against two companies, and returns its stdout."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    Path("leadstate.yaml").write_text(CONFIGURATION, encoding="utf-8")
    sandbox = Sandbox({"companies": [company(1, "token-1"), company(2, "token-2")]})

    def run(*words: str) -> str:
        out = Terminal()
        runtime = Runtime(
            environ={"EMEA": "token-1", "OTHER": "token-2"},
            transport=httpx.ASGITransport(sandbox.app),
            receipts=Path("receipts"),
        )
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            cli.main(list(words), prog_name="leadstate", obj=runtime, standalone_mode=False)
        return out.getvalue()

    return run


def receipt() -> str:
    (path,) = Path("receipts").glob("*.json")
    return str(path)


VIEWS: dict[str, Callable[[Show], str]] = {
    "plan": lambda show: show("plan"),
    "plan verbose": lambda show: show("plan", "--verbose"),
    "plan of one account": lambda show: show("plan", "-a", "emea"),
    "apply": lambda show: show("apply", "--auto-approve"),
    "apply refused": lambda show: show("apply", "--auto-approve", "--max-tokens", "1"),
    "show": lambda show: (show("apply", "--auto-approve"), show("show", receipt()))[1],
    "restore": lambda show: (show("apply", "--auto-approve"), show("restore", receipt(), "--out", "back.json"))[1],
    "restore list": lambda show: (show("apply", "--auto-approve"), show("restore", "--list"))[1],
    "validate": lambda show: (Path("leadstate.yaml").write_text(CONFIGURATION * 2), show("validate"))[1],
    "explain label": lambda show: show("explain", f"label:{LONG}"),
    "explain lead": lambda show: show("explain", "lead:renewal"),
    "get labels": lambda show: show("get", "labels"),
    "get leads": lambda show: show("get", "leads"),
    "get users": lambda show: show("get", "users"),
    "get sources": lambda show: show("get", "sources"),
    "get fields": lambda show: show("get", "fields"),
    "matrix": lambda show: show("matrix"),
    "usage": lambda show: show("usage"),
    "doctor": lambda show: show("doctor"),
}


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("view", VIEWS)
def test_no_view_is_wider_than_the_terminal(view: str, width: int, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = VIEWS[view](show).splitlines()
    assert lines, "there is something to see"
    assert not [line for line in lines if cell_len(line) > width]


@pytest.mark.parametrize(
    "words",
    [
        ("plan",), ("validate",), ("usage",), ("matrix",), ("doctor",), ("get", "labels"), ("get", "leads"),
        ("explain", f"label:{LONG}"), ("explain", "lead:renewal"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_file_depends_on_no_terminal(words: tuple[str, ...], show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    if words == ("validate",):
        Path("leadstate.yaml").write_text(CONFIGURATION * 2)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    assert show(*words, "-o", "out.txt") == ""
    text = Path("out.txt").read_text(encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "10000")
    monkeypatch.setenv("NO_COLOR", "1")
    assert len(text.splitlines()) == len(show(*words).splitlines())
    assert "\x1b[" not in text
    monkeypatch.delenv("NO_COLOR")
    colored = show(*words)
    show(*words, "-o", "out.txt", "--color", "always")
    assert ("\x1b[" in Path("out.txt").read_text(encoding="utf-8")) == ("\x1b[" in colored)
