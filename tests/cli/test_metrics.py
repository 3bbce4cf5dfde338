"""`plan --metrics`: read by Prometheus' own parsers, of the format of OpenMetrics and of the older one."""

import stat
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

from leadstate import __version__
from leadstate.cli.metrics import MEANINGS, to_text
from leadstate.model.plan import Action
from leadstate.sandbox import Sandbox
from tests.harness.commands import Folder
from tests.harness.connections import NOWHERE
from tests.harness.disturbed_company import TOKEN
from tests.harness.faults import Fault, FaultKind, Faults

Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]
SEED = {
    "token": TOKEN,
    "company": {"id": 1, "name": "Acme", "domain": "acme"},
    "labels": [{"id": "aaaaaaaa-0000-4000-8000-000000000001", "name": "Hot", "color": "blue"}],
}
LABELS = [{"name": "Hot", "color": "red"}, {"name": "Warm", "color": "red"}, {"name": "Cold", "color": "red"}]


def document(**more: Any) -> dict[str, Any]:
    accounts = {"emea": {"url": NOWHERE, "token": {"env": "TOKEN"}}}
    return {"version": 1, "accounts": accounts, "labels": LABELS, **more}


def read(path: Path) -> Values:
    """Return the samples, as both parsers have them."""
    text = path.read_text(encoding="utf-8")
    found: list[Values] = []
    judges: list[Any] = [openmetrics.text_string_to_metric_families, parser.text_string_to_metric_families]
    for judge in judges:
        values: Values = {}
        for family in judge(text):
            assert family.type == "gauge"
            assert family.documentation == MEANINGS[family.name]
            for sample in family.samples:
                assert sample.timestamp is None
                values[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
        found.append(values)
    assert found[0] == found[1]
    return found[0]


def of(values: Values, name: str, **labels: str) -> float | None:
    return values.get((name, tuple(sorted(labels.items()))))


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.configure(document())
    return made


def test_metrics_tell_drift_tokens_and_time(folder: Folder) -> None:
    path = folder.path / "leadstate.prom"
    done = folder.run(Sandbox(SEED), "plan", "--metrics", "./leadstate.prom")
    assert done.code == 0, done.said
    values = read(path)
    pending = {
        (kind, action.value): of(values, "leadstate_pending_changes", account="emea", kind=kind, action=action.value)
        for kind in ("label", "lead")
        for action in Action
    }
    assert pending == {
        ("label", "add"): 2,
        ("label", "update"): 1,
        ("label", "delete"): 0,
        ("lead", "add"): 0,
        ("lead", "update"): 0,
        ("lead", "delete"): 0,
    }
    assert of(values, "leadstate_build_info", version=__version__) == 1
    assert of(values, "leadstate_account_read", account="emea") == 1
    assert of(values, "leadstate_read_tokens", account="emea") == 10
    assert of(values, "leadstate_read_requests", account="emea") == 1
    assert "apply will take 4 requests, 40 tokens" in done.out
    assert of(values, "leadstate_apply_requests", account="emea") == 4
    assert of(values, "leadstate_apply_tokens", account="emea") == 40
    left, limit = (of(values, f"leadstate_daily_tokens_{name}", account="emea") for name in ("remaining", "limit"))
    assert limit is not None
    assert left == limit - 10
    assert of(values, "leadstate_plan_timestamp_seconds") == pytest.approx(path.stat().st_mtime, abs=60)
    assert not any(name == "leadstate_drift_changes" for name, _ in values), "there is no base to compare with"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644, "the collector is another user"
    assert [file.name for file in folder.path.iterdir() if "prom" in file.name] == ["leadstate.prom"]


def test_an_account_that_cannot_be_read_has_no_changes_that_would_look_like_none(folder: Folder) -> None:
    sandbox = Sandbox(SEED, intercept=Faults(Fault(FaultKind.SHIELD, operation="getLeadLabels", times=None)))
    assert folder.run(sandbox, "plan", "--metrics", "./leadstate.prom").code == 1
    values = read(folder.path / "leadstate.prom")
    assert of(values, "leadstate_account_read", account="emea") == 0
    assert of(values, "leadstate_diagnostics", account="emea", severity="error") == 1
    assert not any(name in ("leadstate_pending_changes", "leadstate_apply_tokens") for name, _ in values)


def test_a_wrong_configuration_leaves_the_metrics_to_grow_old(folder: Folder) -> None:
    path = folder.path / "leadstate.prom"
    path.write_text("old")
    folder.configure(document(labels=[{"name": "Hot"}]))
    assert folder.run(Sandbox(SEED), "plan", "--metrics", "./leadstate.prom").code == 1
    assert path.read_text() == "old"


def test_a_reader_never_sees_half_a_file(folder: Folder) -> None:
    path = folder.path / "leadstate.prom"
    path.write_text("old")
    with path.open() as reader:
        assert folder.run(Sandbox(SEED), "plan", "--metrics", "./leadstate.prom").code == 0
        assert reader.read() == "old", "the file that is open was not written to"
    read(path)


def test_no_link_is_followed(folder: Folder) -> None:
    (folder.path / "elsewhere").write_text("kept")
    (folder.path / "leadstate.prom").symlink_to(folder.path / "elsewhere")
    done = folder.run(Sandbox(SEED), "plan", "--metrics", "./leadstate.prom")
    assert done.code == 1
    assert "is a link" in done.err
    assert (folder.path / "elsewhere").read_text() == "kept"


def test_label_values_are_escaped(tmp_path: Path) -> None:
    name = 'a"b\\n\\\nc'
    (tmp_path / "x.prom").write_text(to_text([("leadstate_account_read", 1, {"account": name})]), encoding="utf-8")
    assert read(tmp_path / "x.prom") == {("leadstate_account_read", (("account", name),)): 1}
