"""`leadstate init` keeps out of git whatever our pages and examples have leadstate write about people."""

import re
import subprocess
from pathlib import Path

from tests.harness.cli_process import Shell

ROOT = Path(__file__).parents[2]
WRITTEN = re.compile(r"(?:--out|--output|-o|--events|--metrics|save_to:) [\"']?([\w.$*/-]+)")
PUBLIC = {"leadstate.schema.json"}


def written_files() -> set[str]:
    """Return the names of files that commands in pages, examples and `--help` write, without their folders."""
    texts = [
        path.read_text(encoding="utf-8")
        for folder in ("docs/how-to", "docs/reference", "docs/tutorial", "examples", "leadstate/cli/commands")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".md", ".yml", ".yaml", ".tf", ".py"} and "decisions" not in path.parts
    ]
    found = {name for text in texts for name in WRITTEN.findall(text)}
    shards = {re.sub(r"\$\w+", "1", name) for name in found if not name.startswith("$")}
    return {name for name in shards if re.search(r"[a-z]", name) and ("." in name or name == "refresh-token")} - PUBLIC


def test_git_ignores_each_file_that_can_hold_personal_data(tmp_path: Path) -> None:
    assert Shell(tmp_path, {})("init").returncode == 0
    files = {Path(name).name if name.startswith("/") else name for name in written_files()}
    assert {
        "plan.json",
        "plan.html",
        "plan.md",
        "drift.json",
        "shard-1.json",
        "refresh-token",
        "events.jsonl",
        "leadstate.prom",
    } <= files
    names = [*files, ".leadstate/receipts/20261124T090000Z-1f2e3d4c-812.json", ".env"]
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    told = subprocess.run(
        ["git", "check-ignore", "--no-index", *names], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert set(names) - set(told.stdout.splitlines()) == set()
    kept = ["leadstate.yaml", "leadstate.lock.json", "leadstate.schema.json", "seeds.csv", "report/labels.yaml"]
    assert subprocess.run(["git", "check-ignore", "--no-index", *kept], cwd=tmp_path, check=False).returncode == 1
