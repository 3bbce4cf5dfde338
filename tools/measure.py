"""Measure the structure of the package: its size, and how much of it one changed label runs through.

`make measure` prints a table. The walk is `leadstate apply --auto-approve` of one label whose colour differs, one
PATCH, against the embedded sandbox. Modules are imported before counting starts; comprehensions and lambdas do not
count.
"""

import ast
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
import threading
import tokenize
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "leadstate"
CONFIGURATION = """\
version: 1
accounts:
  demo: {url: "${URL}", token: {env: TOKEN}}
labels:
  - {name: Hot, color: red}
"""
TOKEN = "a-token-that-only-the-embedded-sandbox-knows"  # noqa: S105  it opens nothing else
SEED = {
    "token": TOKEN,
    "company": {"id": 1, "name": "Acme", "domain": "acme"},
    "labels": [{"name": "Hot", "color": "orange"}],
}

NAMES_A_KIND = re.compile(r"(?<![A-Z])(?:LABEL|LEAD)S?(?![A-Z])|[\"'](?:label|lead)[\"']")
"""A constant that names labels or leads (LEAD, GET_LEADS, ADD_LABEL), or the name of one of these kinds as a string."""


def lines_of(*paths: Path) -> int:
    """Count the non-blank lines of Python files."""
    return sum(bool(line.strip()) for path in paths for line in path.read_text(encoding="utf-8").splitlines())


def repeated_names(paths: list[Path]) -> int:
    """Count the public functions and classes of one name that stand at the top of several modules."""
    names = Counter(
        node.name
        for path in paths
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    )
    return sum(count > 1 for count in names.values())


def lines_naming_a_kind(paths: list[Path]) -> int:
    """Count the lines of code that name a label or a lead, comments, docstrings and sentences in strings aside."""
    found = set()
    for path in paths:
        with path.open("rb") as source:
            for token in tokenize.tokenize(source.readline):
                # A string counts only as a whole: a message may speak of LABEL, or of a "lead".
                names = NAMES_A_KIND.fullmatch if token.type == tokenize.STRING else NAMES_A_KIND.search
                if token.type in {tokenize.NAME, tokenize.STRING} and names(token.string):
                    found.add((path, token.start[0]))
    return len(found)


def walk() -> dict[str, int]:
    """Run the command in a process of its own, under a profiler, and return what it counted."""
    from leadstate import sandbox  # noqa: PLC0415  the child does not serve one

    made = sandbox.Sandbox(SEED)
    # Nothing of the user's settings: LEADSTATE_CONFIG would have another configuration applied.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTATE_")}
    with sandbox.running(made.app) as url, tempfile.TemporaryDirectory() as folder:
        Path(folder, "leadstate.yaml").write_text(CONFIGURATION.replace("${URL}", url), encoding="utf-8")
        done = subprocess.run(
            [
                sys.executable,
                str(Path(__file__).resolve()),
                "--walk",
                "apply",
                "--auto-approve",
                "--no-progress",
                "-o",
                "report.txt",
            ],
            cwd=folder,
            env={**clean, "TOKEN": TOKEN, "XDG_STATE_HOME": folder, "XDG_CACHE_HOME": folder},
            check=True,
            capture_output=True,
            text=True,
        )
    counted: dict[str, int] = json.loads(done.stdout)
    return counted


def profile(arguments: list[str]) -> None:
    """Run leadstate with these arguments and print the files, functions and switches between files that it took."""
    for module in pkgutil.walk_packages([str(PACKAGE)], "leadstate."):
        if ".sandbox" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    root, functions, files = f"{PACKAGE}{os.sep}", set(), set()
    switches, last = 0, ""

    def count(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal switches, last
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(root) or code.co_name.startswith("<"):
            return
        functions.add((code.co_filename, code.co_firstlineno))
        files.add(code.co_filename)
        switches, last = switches + (code.co_filename != last), code.co_filename

    from leadstate.cli.main import run  # noqa: PLC0415  imported before counting starts

    sys.argv = ["leadstate", *arguments]
    threading.setprofile(count)
    sys.setprofile(count)
    code = run()
    sys.setprofile(None)
    if code:
        sys.exit(f"leadstate ended with {code}")
    print(json.dumps({"files": len(files), "functions": len(functions), "switches": switches}))


def main() -> None:
    """Print the table."""
    modules = sorted(PACKAGE.rglob("*.py"))
    embedded = [path for path in modules if "sandbox" in path.relative_to(PACKAGE).parts]
    product = [path for path in modules if path not in embedded]
    elsewhere = [path for path in product if "kinds" not in path.relative_to(PACKAGE).parts]
    tests = [path for path in (ROOT / "tests").rglob("*.py") if not {"node_modules", "environments"} & set(path.parts)]
    walked = walk()
    rows = {
        "files that one label's apply executes": walked["files"],
        "functions that it executes": walked["functions"],
        "switches from file to file": walked["switches"],
        "non-blank lines, sandbox aside": lines_of(*product),
        "modules": len(modules),
        "sandbox, non-blank lines": lines_of(*embedded),
        "tests, non-blank lines (golden data aside)": lines_of(*tests),
        "public names that several modules define": repeated_names(product),
        "lines outside kinds that name a label or a lead": lines_naming_a_kind(elsewhere),
    }
    width = max(map(len, rows))
    for title, figure in rows.items():
        print(f"{title:<{width}}  {figure:>7,}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--walk"]:
        profile(sys.argv[2:])
    else:
        main()
