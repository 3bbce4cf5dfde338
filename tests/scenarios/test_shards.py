"""The jobs of examples/shards, as GitHub, GitLab and Kubernetes would start them: a process each, then `show`."""

import json
import re
import shutil
from pathlib import Path

from leadstate.sandbox import Sandbox, running
from tests.harness.cli_in_process import leadstate
from tests.harness.workflow_runner import ROOT, Runner, read

EXAMPLE = Path(__file__).parents[2] / "examples" / "shards"
ADDRESS = "http://127.0.0.1:8765"
LOOPBACK = {"LEADSTATE_ALLOW_HOSTS": "127.0.0.1"}
SHARDS = 3
NAMES = ["apac", "dach", "emea", "iberia", "nordics", "us"]
SECRETS = {f"PIPEDRIVE_TOKEN_{name.upper()}": f"sandbox-{name}" for name in NAMES}


def check_up_to_date(sandbox: Sandbox, runner: Runner) -> None:
    """Check that a plan of all accounts is empty."""
    words = ("plan", "--detailed-exitcode", "-c", str(runner.configuration))
    code, out, err = leadstate(sandbox, SECRETS, runner.home, words)
    assert code == 0, out + err


def test_a_github_matrix_runs_all_shards(tmp_path: Path) -> None:
    """A pull request whose plan each job makes a part of, and its merge, which applies those parts."""
    runner = Runner(tmp_path, SECRETS, env=LOOPBACK)
    sandbox = Sandbox(str(EXAMPLE / "sandbox.json"))
    with running(sandbox.app) as url:
        runner.copy_example("shards", url)
        runner.opened()
        planned = runner.job(EXAMPLE / "github.yml")
        assert planned.code == 0, planned.log
        assert planned.summary.count("# leadstate plan") == SHARDS + 1
        assert all(name in planned.summary for name in NAMES)
        assert len(runner.hub["comments"]) == SHARDS
        runner.merged()
        applied = runner.job(EXAMPLE / "github.yml")
        assert applied.code == 0, applied.log
    check_up_to_date(sandbox, runner)


def test_gitlab_parallel_runs_all_shards(tmp_path: Path) -> None:
    """The plans of parallel jobs, the report of all, and the applies of those plans."""
    runner = Runner(tmp_path, SECRETS)
    template, pipeline = read(ROOT / "action" / "gitlab.yml"), read(EXAMPLE / "gitlab.yml")

    def job(name: str, shard: int) -> None:
        known = {"CI_NODE_INDEX": str(shard), "CI_NODE_TOTAL": str(SHARDS), "CI_SERVER_URL": "", "CI_JOB_TOKEN": ""}
        given = {key: re.sub(r"\$(\w+)", lambda found: known[found[1]], text) for key, text in variables(name).items()}
        (script,) = pipeline[name].get("script") or template[name]["script"]
        script = script.replace("/opt/venv/bin/", "").replace("/opt/leadstate", str(ROOT))
        done = runner.run(script, {**template["variables"], **SECRETS, **known, **given, **LOOPBACK})
        assert done.code == 0, done.log

    def variables(name: str) -> dict[str, str]:
        return dict(pipeline[name].get("variables", {}))

    sandbox = Sandbox(str(EXAMPLE / "sandbox.json"))
    with running(sandbox.app) as url:
        runner.copy_example("shards", url)
        artifacts = tmp_path / "kept"
        for shard in range(1, SHARDS + 1):
            job("leadstate-plan", shard)
            shutil.copytree(runner.workspace / "leadstate-run", artifacts, dirs_exist_ok=True)
        assert pipeline["leadstate-plan"]["parallel"] == SHARDS
        for name, needs in (("report", "leadstate-plan"), ("leadstate-apply-planned", "leadstate-plan")):
            assert {**template.get(name, {}), **pipeline[name]}["needs"] == [needs]
        for shard in range(1, SHARDS + 1):
            shutil.rmtree(runner.workspace / "leadstate-run")
            shutil.copytree(artifacts, runner.workspace / "leadstate-run")
            if shard == 1:
                job("report", 0)
                assert "nordics" in (runner.workspace / "report.html").read_text()
            job("leadstate-apply-planned", shard)
    check_up_to_date(sandbox, runner)


def test_a_job_of_gitlab_is_in_no_pipeline_without_the_jobs_that_it_needs() -> None:
    """GitLab refuses such a pipeline as a whole: of a schedule, for example."""
    template = read(ROOT / "action" / "gitlab.yml")
    for file in (
        ROOT / "action" / "gitlab.yml",
        EXAMPLE / "gitlab.yml",
        ROOT / "examples" / "gitlab" / ".gitlab-ci.yml",
    ):
        jobs = {
            **template,
            **{name: {**template.get(name, {}), **job} for name, job in read(file).items() if isinstance(job, dict)},
        }
        for name, job in jobs.items():
            for needed in job.get("needs", ()) if isinstance(job, dict) else ():
                assert {rule["if"] for rule in job.get("rules", [{"if": "always"}])} <= {
                    rule["if"] for rule in jobs[needed]["rules"]
                }, name


def test_a_kubernetes_indexed_job_runs_all_shards(tmp_path: Path) -> None:
    spec = read(EXAMPLE / "kubernetes.yml")["spec"]
    assert (spec["completionMode"], spec["completions"]) == ("Indexed", SHARDS)
    (container,) = spec["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    environ = {variable["name"]: variable["value"] for variable in container["env"]} | {"REPORTS": ".", **SECRETS}
    environ["LEADSTATE_CONFIG"] = "leadstate.yaml"
    assert environ["SHARDS"] == str(SHARDS)
    written = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert container["workingDir"] in written, "an apply writes its receipt below the working folder"
    runner = Runner(tmp_path, SECRETS)
    sandbox = Sandbox(str(EXAMPLE / "sandbox.json"))
    with running(sandbox.app) as url:
        runner.copy_example("shards", url)
        for index in range(SHARDS):
            done = runner.run(container["args"][0], {**environ, "JOB_COMPLETION_INDEX": str(index)})
            assert done.code == 0, done.log
    files = sorted(runner.workspace.glob("shard-*.json"))
    assert len(files) == SHARDS
    each = [[account["account"] for account in json.loads(file.read_text())["accounts"]] for file in files]
    assert sorted(name for names in each for name in names) == NAMES
    assert all(each), "a shard has nothing to do"
    shown = runner.run("leadstate show shard-*.json --format json -o all.json", {})
    assert (shown.code, shown.log) == (0, ""), "all shards are there"
    together = json.loads((runner.workspace / "all.json").read_text())
    assert [account["account"] for account in together["accounts"]] == NAMES
    assert together["summary"]["update"] == 3
