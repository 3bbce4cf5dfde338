"""Plant mistakes in the code, one at a time, and print how many of them the tests notice, package by package.

`make mutate` plants all of them; `make mutate SAMPLE=1500` so many, drawn at random with the seed 0, which is enough to
know the score of the whole to about one percent.
"""

import json
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

RESULTS = Path("mutants")
KILLED = {1, 3, -24, 24, 36, 37, 152, 255}
"""Exit codes that mutmut writes down for a mutant that a test, the types or the time limit stopped."""


def mutants() -> dict[str, int | None]:
    """Return each mutant that mutmut made, with the exit code of its tests, or None before they ran."""
    return {
        mutant: code
        for results in sorted(RESULTS.rglob("*.meta"))
        for mutant, code in json.loads(results.read_text(encoding="utf-8"))["exit_code_by_key"].items()
    }


def run(*arguments: str, errors: int | None = None) -> None:
    """Run mutmut, one mutant at a time: what some tests share, such as ports, is theirs alone then."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *arguments]
    subprocess.run(command, check=False, stderr=errors)


def main(sample: int | None) -> None:
    """Plant the mistakes and print the table.

    Args:
        sample: How many mistakes, or None for all.
    """
    if sample is None:
        run()
    else:
        # Mutants have names once they are made, which mutmut does before it looks for the one to run.
        run("none-has-this-name", errors=subprocess.DEVNULL)
        made = sorted(mutants())
        run(*random.Random(0).sample(made, min(sample, len(made))))  # noqa: S311  a sample, no secret
    tried = {mutant: code for mutant, code in mutants().items() if code is not None}
    packages = defaultdict(list)
    for mutant, code in tried.items():
        packages[mutant.split(".")[1]].append(code in KILLED)
    packages["all"] = [code in KILLED for code in tried.values()]
    for package, noticed in packages.items():
        print(f"{package:<12}{sum(noticed):>6} of {len(noticed):>6} noticed  {sum(noticed) / len(noticed):.1%}")
    print("Not noticed:", *sorted(mutant for mutant, code in tried.items() if code not in KILLED), sep="\n  ")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else None)
