"""Make the Python environments of the outside judges: environments/NAME for each requirements/NAME.txt.

What cannot be had is no error: environments/NAME/failed says why, and the tests with that judge are skipped with it.
A requirements file may say `# python 3.10 3.11` in its first line: the versions that its judge takes.
"""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIMEOUT_SECONDS = 600


def main() -> None:
    """Make every environment, or those that are named, if it is missing or was made from other requirements."""
    chosen = sys.argv[1:]
    files = [file for file in sorted((HERE / "requirements").glob("*.txt")) if not chosen or file.stem in chosen]
    with ThreadPoolExecutor(2) as pool:
        for problem in pool.map(_environment, files):
            if problem:
                sys.stdout.write(f"{problem}\n")


def _environment(requirements: Path) -> str | None:
    """Make one environment; return why it could not be made."""
    folder, text = HERE / "environments" / requirements.stem, requirements.read_text(encoding="utf-8")
    installed, failed = folder / "installed", folder / "failed"
    if installed.exists() and installed.read_text(encoding="utf-8") == text:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    problem = _install(folder, requirements, text)
    folder.mkdir(parents=True, exist_ok=True)
    (failed if problem else installed).write_text(problem or text, encoding="utf-8")
    return problem


def _install(folder: Path, requirements: Path, text: str) -> str | None:
    first = text.partition("\n")[0]
    versions = first.removeprefix("# python ").split() if first.startswith("# python ") else []
    python = sys.executable if not versions else next(filter(None, map(_python, versions)), None)
    if python is None:
        return f"{requirements.stem} needs Python {' or '.join(versions)}, which is not here"
    steps = (
        [python, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--retries", "1", "--requirement", str(requirements)],
    )  # fmt: skip
    for command in steps:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"{requirements.stem} could not be installed within {TIMEOUT_SECONDS} seconds"
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stdout]
            return f"{requirements.stem} cannot be installed: {lines[-1].strip()}"
    return None


def _python(version: str) -> str | None:
    """Return a Python of this version, on PATH or of pyenv, if there is one that starts."""
    pyenv = sorted(map(str, (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")))
    for found in (shutil.which(f"python{version}"), *pyenv):
        if found and not subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:
            return found
    return None


if __name__ == "__main__":
    main()
