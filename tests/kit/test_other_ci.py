"""The Kubernetes job, the pre-commit hook, the container: run as far as one can without them."""

import os
import re
import subprocess
from pathlib import Path

from ruamel.yaml import YAML

from tests.harness.cli_process import Shell, python
from tests.harness.workflow_runner import ROOT, read


def quickstart(folder: Path, url: str) -> None:
    text = (ROOT / "examples" / "quickstart" / "leadstate.yaml").read_text()
    (folder / "leadstate.yaml").write_text(text.replace("http://127.0.0.1:8765", url))


def test_the_cron_job_plans_its_config_map(url: str, tmp_path: Path) -> None:
    config_map, cron = YAML(typ="safe").load_all(ROOT / "examples" / "kubernetes" / "cronjob.yaml")
    (container,) = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    (tmp_path / "leadstate.yaml").write_text(
        config_map["data"]["leadstate.yaml"].replace("domain: your-company", f"url: {url}")
    )
    words = [word.replace(mount["mountPath"], str(tmp_path)) for word in container["args"]]
    (variable,) = container["env"]
    shell = Shell(tmp_path, {variable["name"]: "sandbox-token"})
    found = {path.name for path in tmp_path.iterdir()}
    done = shell(*words)
    assert done.returncode in (0, 2), done.stderr
    assert "Plan:" in done.stdout or "No changes" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == found, "its root file system is read-only"


def test_pre_commit_validates(url: str, tmp_path: Path) -> None:
    quickstart(tmp_path, url)
    (hook,) = (hook for hook in read(ROOT / ".pre-commit-hooks.yaml") if hook["id"] == "leadstate-validate")
    words = hook["entry"].split()[1:]
    assert Shell(tmp_path, {})(*words).returncode == 0
    (tmp_path / "leadstate.yaml").write_text("labels: [{name: Hot, color: rde}]\n")
    assert Shell(tmp_path, {})(*words).returncode == 1


def test_the_container_has_places_for_locks_and_caches_without_a_home() -> None:
    """Its user has no entry in /etc/passwd, and so `/` as home, where it cannot write; `/tmp` is for everybody."""
    text = (ROOT / "Dockerfile").read_text()
    (settings,) = re.findall(r"^ENV ((?:.+\\\n)*.+)$", text, re.MULTILINE)
    environ = dict(setting.split("=", 1) for setting in settings.replace("\\\n", " ").split() if "PATH" not in setting)
    program = "from leadstate import Runtime; print(Runtime().state.parent.parent, Runtime().cache.parent.parent)"
    assert python("-c", program, env={"HOME": "/", **environ}).stdout.split() == 2 * [os.sep + "tmp"]


def test_the_container_copies_only_files_of_its_build_context() -> None:
    text = (ROOT / "Dockerfile").read_text()
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()}
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
    root, user = text.split("\nUSER ")
    assert user.startswith("10001")
    assert "RUN" not in user
    script = re.search(r"^RUN ((?:.+\\\n)*.+)$", root, re.MULTILINE)
    assert script is not None
    assert subprocess.run(["sh", "-n"], input=script[1], text=True, check=False).returncode == 0
