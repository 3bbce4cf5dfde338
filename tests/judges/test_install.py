"""A judge that cannot be installed is no error: why is kept for the skips, and it is tried again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

INSTALL = Path(__file__).with_name("install.py")


def _install(folder: Path, requirements: str) -> str:
    """Install what stands in one requirements file, where no registry is; return what is said."""
    (folder / "requirements").mkdir(exist_ok=True)
    (folder / "requirements" / "judge.txt").write_text(requirements, encoding="utf-8")
    shutil.copy(INSTALL, folder)
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        [sys.executable, folder / INSTALL.name], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_what_cannot_be_had_says_why_and_is_tried_again(tmp_path: Path) -> None:
    environment = tmp_path / "environments" / "judge"
    why = "judge cannot be installed: ERROR: No matching distribution found for attrs==26.1.0"
    assert _install(tmp_path, "attrs==26.1.0\n") == f"{why}\n"
    assert (environment / "failed").read_text(encoding="utf-8") == why
    assert not (environment / "installed").exists()
    assert _install(tmp_path, "# nothing but a Python\n") == ""
    assert (environment / "installed").exists()
    assert not (environment / "failed").exists()


def test_a_python_that_is_not_here_is_named(tmp_path: Path) -> None:
    assert _install(tmp_path, "# python 2.0 2.1\n") == "judge needs Python 2.0 or 2.1, which is not here\n"
