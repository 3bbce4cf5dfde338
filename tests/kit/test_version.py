"""`leadstate --version` of releases, checkouts, work trees, and of folders that are none."""

import subprocess
from pathlib import Path

import pytest

from leadstate.cli import version as said
from tests.cli.live import Shell


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said, "__version__", "1.2.0.dev0")


def git(folder: Path, *words: str) -> str:
    calm = ["-c", "user.name=x", "-c", "user.email=x@y.test", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *calm, *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    return folder


def test_a_checkout_tells_its_commit(checkout: Path, tmp_path: Path) -> None:
    first = f"1.2.0.dev0 ({git(checkout, 'rev-parse', 'HEAD')[:7]})"
    assert said.version(checkout) == first
    git(checkout, "pack-refs", "--all")
    assert said.version(checkout) == first
    git(checkout, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    git(tmp_path / "tree", "commit", "--quiet", "--allow-empty", "--message", "second")
    second = git(tmp_path / "tree", "rev-parse", "HEAD")[:7]
    assert said.version(tmp_path / "tree") == f"1.2.0.dev0 ({second})"
    git(tmp_path / "tree", "checkout", "--quiet", "--detach", "main")
    assert said.version(tmp_path / "tree") == first


def test_a_release_and_what_is_no_checkout_tell_the_version_alone(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said.version(tmp_path) == "1.2.0.dev0"
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/nowhere")
    assert said.version(tmp_path) == "1.2.0.dev0"
    (tmp_path / ".git" / "HEAD").write_bytes(b"\xff\xfe")
    assert said.version(tmp_path) == "1.2.0.dev0"
    monkeypatch.setattr(said, "__version__", "1.2.0")
    assert said.version(checkout) == "1.2.0"


def test_the_command_says_it(tmp_path: Path) -> None:
    from leadstate import __version__

    assert Shell(tmp_path, {})("--version").stdout.startswith(f"leadstate {__version__}")
