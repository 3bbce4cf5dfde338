"""A repository on a fake GitHub: a bare repository, a developer's clone of it, and a runner with its own checkouts."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.workflow_runner import REPOSITORY, Done, Runner

ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
WHO = ("-c", "user.name=ann", "-c", "user.email=ann@acme.test", "-c", "init.defaultBranch=main")
LOCK, EMPTY = "leadstate.lock.json", '{\n  "version": 1,\n  "accounts": {}\n}\n'


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, and return what it says."""
    done = subprocess.run(
        ["git", *WHO, *words], cwd=folder, env={**os.environ, **ALONE}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Hub:
    """A repository with pull requests, and the workflow that its events run.

    Attributes:
        runner: runs the workflow; its workspace is checked out anew each time.
        workflow: the file of the workflow.
        runs: how many runs there were.
    """

    runner: Runner
    workflow: Path
    runs: int = 0

    @property
    def origin(self) -> Path:
        """Return the bare repository."""
        return self.runner.home / "origin.git"

    @property
    def desk(self) -> Path:
        """Return the clone that a person works in."""
        return self.runner.home / "desk"

    def begin(self, **files: str) -> None:
        """Make the repository, with a first commit of some files; `__` in a name is its dot."""
        self.desk.mkdir()
        git(self.desk, "init", "--quiet")
        for name, text in files.items():
            (self.desk / name.replace("__", ".")).write_text(text, encoding="utf-8")
        git(self.desk, "add", ".")
        git(self.desk, "commit", "--quiet", "--message", "begin")
        git(self.runner.home, "clone", "--quiet", "--bare", str(self.desk), str(self.origin))
        git(self.desk, "remote", "add", "origin", str(self.origin))
        self.runner.teach(git=str(self.origin))

    def push(self, branch: str, old: str, new: str, file: str = "leadstate.yaml") -> str:
        """Edit a file on a branch, push it, and return the commit."""
        git(self.desk, "fetch", "--quiet", "origin")
        begins = f"origin/{branch}" if branch in self.branches() else "origin/main"
        git(self.desk, "checkout", "--quiet", "-B", branch, begins)
        path = self.desk / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        self.publish(f"edit {file}", branch)
        return git(self.desk, "rev-parse", "HEAD")

    def publish(self, message: str, branch: str = "main") -> None:
        """Commit all that is changed at the desk, and push it to a branch."""
        git(self.desk, "add", ".")
        git(self.desk, "commit", "--quiet", "--message", message)
        git(self.desk, "push", "--quiet", "origin", f"HEAD:{branch}")

    def provide_token(self, script: str) -> None:
        """Let a program give the token to the configuration on main, which does something else before that."""
        self.push("main", "{env: PIPEDRIVE_TOKEN}", "{command: [provide]}")
        self.runner.provide_token(script)

    def lock_meanwhile(self, text: str) -> None:
        """Let another run commit a lock file while leadstate is at work."""
        self.provide_token(f"git -C {self.origin} branch -f main meanwhile")
        self.push("meanwhile", EMPTY, text, LOCK)

    def branches(self) -> list[str]:
        """Return the names of the branches."""
        return git(self.origin, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()

    def pull_request(self, number: int, branch: str, *, fork: bool = False) -> Done:
        """Run the workflow for a pull request: on the trial merge of its branch."""
        event = {"pull_request": self._pull(number, branch, fork=fork)}
        self.check_out("origin/main")
        git(self.runner.workspace, "merge", "--quiet", "--no-ff", "--no-edit", f"origin/{branch}")
        return self._run("pull_request", event=event, ref=f"pull/{number}")

    def merge(self, number: int, branch: str, *, fork: bool = False) -> str:
        """Merge a pull request, and return the commit."""
        pull = self._pull(number, branch, fork=fork)
        git(self.desk, "fetch", "--quiet", "origin")
        git(self.desk, "checkout", "--quiet", "-B", "main", "origin/main")
        git(self.desk, "merge", "--quiet", "--no-ff", "--no-edit", f"origin/{branch}")
        git(self.desk, "push", "--quiet", "origin", "main")
        commit = git(self.desk, "rev-parse", "HEAD")
        done = {**pull, "merged_at": "2026-11-24T10:00:00Z", "merge_commit_sha": commit}
        self.runner.teach(merged={**self.runner.hub.get("merged", {}), commit: [done]})
        return commit

    def merged(self, commit: str) -> Done:
        """Run the workflow for the push of a merge."""
        self.check_out(commit)
        return self._run("push")

    def again(self, commit: str) -> Done:
        """Re-run the jobs of the push of a merge."""
        return self.merged(commit)

    def by_hand(self) -> Done:
        """Run the workflow by hand on the default branch."""
        self.check_out("origin/main")
        return self._run("workflow_dispatch")

    def scheduled(self, workflow: Path) -> Done:
        """Run another workflow on its schedule."""
        self.check_out("origin/main")
        kept, self.workflow = self.workflow, workflow
        try:
            return self._run("schedule")
        finally:
            self.workflow = kept

    def file(self, name: str, branch: str = "main") -> str:
        """Return a file as a branch has it."""
        return git(self.origin, "show", f"{branch}:{name}")

    def artifact(self, beginning: str) -> Path:
        """Return the folder of the latest artifact whose name begins so."""
        stored = [found for found in self.runner.hub["artifacts"] if found["name"].startswith(beginning)]
        return self.runner.home / "artifacts" / str(stored[-1]["name"])

    def _pull(self, number: int, branch: str, *, fork: bool) -> dict[str, Any]:
        repository = "eve/crm" if fork else REPOSITORY
        head = {"sha": git(self.origin, "rev-parse", branch), "repo": {"full_name": repository}}
        return {"number": number, "head": head, "user": {"login": "ann"}}

    def check_out(self, commit: str) -> None:
        """Check a commit out into the workspace, as actions/checkout does."""
        workspace = self.runner.workspace
        shutil.rmtree(workspace)
        git(self.runner.home, "clone", "--quiet", str(self.origin), str(workspace))
        git(workspace, "checkout", "--quiet", "--detach", commit)

    def _run(self, event_name: str, *, event: dict[str, Any] | None = None, ref: str = "main") -> Done:
        self.runs += 1
        self.runner.event_name, self.runner.event, self.runner.ref = event_name, event or {}, ref
        self.runner.sha = git(self.runner.workspace, "rev-parse", "HEAD")
        self.runner.run_id = 100 + self.runs
        return self.runner.job(self.workflow)
