"""leadstate beside other tools, where they are installed (`make bench` does it). These rows tell, and have no limit."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.configurations import account, leads
from benchmarks.row import Figure, Row, SkippedError
from benchmarks.rows.reading import LATENCY, LEADS, PLAN
from benchmarks.server import serving, set_latency
from benchmarks.timing import LEADSTATE, by_turns, run

FOLDER = Path(__file__).resolve().parents[1] / "peers"
OCTODNS = FOLDER / ".venv" / "bin" / "octodns-sync"
LABEL_SYNC = FOLDER / "node_modules" / ".bin" / "github-label-sync"
CLIENT = FOLDER / "node_modules" / "pipedrive"

OBJECTS, DIFFER = 2_000, 20
RUNS = 7

OCTODNS_CONFIG = """\
providers:
  source: {class: octodns.provider.yaml.YamlProvider, directory: source}
  target: {class: octodns.provider.yaml.YamlProvider, directory: target}
zones:
  example.com.: {sources: [source], targets: [target]}
"""


def _there(path: Path) -> str:
    if not path.exists():
        raise SkippedError(f"{path.name} is not installed: make bench installs it where there is a registry for it")
    return str(path)


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        raise SkippedError("node is not installed")
    return found


def _beside(peer: Sequence[str], ours: Sequence[str], folder: Path, runs: int = RUNS) -> Figure:
    taken = by_turns({"leadstate": ours, "peer": peer}, folder, runs)
    return Figure(taken["leadstate"] / taken["peer"], {f"{name}_seconds": value for name, value in taken.items()})


def _expect(words: str, said: str) -> None:
    """A tool that does not do what it is measured at would be fast."""
    if words not in said:
        raise RuntimeError(f"{words!r} was expected in: {said[-300:]}")


def _octodns_start(folder: Path) -> Figure:
    return _beside([_there(OCTODNS), "--help"], [*LEADSTATE, "--help"], folder)


def _label_sync_start(folder: Path) -> Figure:
    return _beside([_node(), _there(LABEL_SYNC), "--help"], [*LEADSTATE, "--help"], folder)


def _octodns_plan(folder: Path) -> Figure:
    peer = [_there(OCTODNS), "--config-file", "octodns.yaml", "--quiet"]
    (folder / "octodns.yaml").write_text(OCTODNS_CONFIG, encoding="utf-8")
    for side, differ in (("source", DIFFER), ("target", 0)):
        records = [
            f"host-{n:04d}:\n  ttl: 300\n  type: A\n  value: 10.{int(n < differ)}.{n // 250}.{n % 250 + 1}\n"
            for n in range(OBJECTS)
        ]
        (folder / side).mkdir()
        (folder / side / "example.com.yaml").write_text("---\n" + "".join(records), encoding="utf-8")
    _expect(f"Updates={DIFFER},", run(peer, folder).stderr)
    with serving(OBJECTS, 1) as url:
        text = account(url) + leads(OBJECTS, differ=DIFFER)
        (folder / "leadstate.yaml").write_text(text, encoding="utf-8")
        _expect(f"{DIFFER} to update", run(PLAN, folder).stdout)
        return _beside(peer, PLAN, folder)


def _vendor(folder: Path) -> Figure:
    _there(CLIENT)
    return _reading([_node(), str(FOLDER / "read_leads.mjs")], folder)


def _loop(folder: Path) -> Figure:
    return _reading([sys.executable, str(FOLDER / "read_leads.py")], folder)


def _reading(peer: Sequence[str], folder: Path) -> Figure:
    with serving(LEADS) as url:
        text = account(url) + leads(LEADS // 100, every=100)
        (folder / "leadstate.yaml").write_text(text, encoding="utf-8")
        reading = [*peer, url]
        _expect(str(LEADS), run(reading, folder).stdout)
        set_latency(url, LATENCY)
        return _beside(reading, PLAN, folder, runs=3)


ROWS = (
    Row("start-octodns", "`leadstate --help` ÷ `octodns-sync --help`; whole processes", "×", _octodns_start),
    Row("start-label-sync", "`leadstate --help` ÷ `github-label-sync --help`", "×", _label_sync_start),
    Row(
        "plan-octodns",
        f"plan of {OBJECTS:,} objects of which {DIFFER} differ: leadstate, over HTTP, ÷ octoDNS, from YAML to YAML",
        "×",
        _octodns_plan,
    ),
    Row(
        "read-vendor",
        f"`leadstate plan` of {LEADS:,} leads, {LATENCY} ms latency ÷ reading them in a loop with the vendor's client",
        "×",
        _vendor,
    ),
    Row("read-loop", "the same ÷ reading them in a plain loop of httpx, a page after the other", "×", _loop),
)
