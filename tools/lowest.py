"""Prints the lowest versions of direct dependencies that pyproject.toml takes, as constraints for pip."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def lowest() -> list[str]:
    """One `name==version` for each dependency and each of the extras; every one of them has a lower bound."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(live for extra in project["optional-dependencies"].values() for live in extra),
    ]
    return [f"{requirement.name}=={_bound(requirement)}" for requirement in map(Requirement, wanted)]


def _bound(requirement: Requirement) -> str:
    (bound,) = (specifier.version for specifier in requirement.specifier if specifier.operator == ">=")
    return bound


if __name__ == "__main__":
    print(*lowest(), sep="\n")
