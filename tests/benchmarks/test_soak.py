"""The soak in small: accounts converge while requests go wrong, and cases are counted for each law."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.laws import all_laws
from benchmarks.soak import soak

ROOT = Path(__file__).parents[2]


def test_every_account_converges_despite_faults(tmp_path: Path) -> None:
    figures = soak(tmp_path, accounts=20, labels=50)
    assert figures["accounts_wrong"] == 0
    assert figures["faults_struck"] >= 10
    assert figures["requests"] >= 20 * 52


def test_the_cases_of_a_law_are_counted() -> None:
    command = [sys.executable, "-m", "benchmarks.soak", "--minutes", "0", "--law", "the same input"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    *name, cases, _seconds = done.stdout.splitlines()[-1].split()
    assert " ".join(name) == "the same input gives the same plan"
    assert int(cases) >= 50


WRONG = """
from hypothesis import given, strategies as st

@given(st.integers())
def test_wrong(number: int) -> None:
    print("drawn", number)
    assert number < 100
"""


def test_a_law_that_fails_or_has_no_case_fails_the_soak_and_says_how_to_try_it_again(tmp_path: Path) -> None:
    (tmp_path / "test_wrong.py").write_text(WRONG)
    program = (
        "from benchmarks.laws import Law, run_laws\n"
        "laws = [Law('wrong', 'test_wrong.py::test_wrong'), Law('none', 'test_wrong.py::test_none')]\n"
        "import benchmarks.laws, os, pathlib\n"
        "benchmarks.laws.ROOT = pathlib.Path(os.getcwd())\n"
        "run_laws(laws, 0)\n"
        "print([law.failed for law in laws])\n"
        "print(laws[0].again)\n"
    )
    environ = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path)}

    def run(*words: str) -> tuple[list[str], list[str]]:
        """Return the lines of stdout, and what was drawn."""
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        shutil.rmtree(tmp_path / ".hypothesis", ignore_errors=True)  # which would begin with the case that failed
        return done.stdout.splitlines(), re.findall(r"^drawn .*", done.stdout, re.MULTILINE)

    (*_, failed, again), drawn = run("-c", program)
    assert failed == "[True, True]"
    assert len(drawn) > 1
    assert run(*shlex.split(again)[1:])[1] == drawn


def test_every_law_names_tests_that_exist() -> None:
    for law in all_laws():
        file, _, test = law.test.partition("::")
        assert f"def {test}" in (ROOT / file).read_text(), law
