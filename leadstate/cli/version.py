"""What `--version` says: the version, and for a development build the commit of the checkout that it runs from."""

import re
from pathlib import Path

from leadstate import __version__


def version(checkout: Path = Path(__file__).parents[2]) -> str:
    """Such as `0.1.0`, or `0.2.0.dev0 (9f84031)`; a release does not look for a checkout.

    Changes that are not committed do not show: telling them takes git, which takes longer than all else here.
    """
    commit = _commit(checkout) if ".dev" in __version__ else None
    return f"{__version__} ({commit[:7]})" if commit else __version__


def _commit(checkout: Path) -> str | None:
    """The commit that is checked out, from git's files (gitrepository-layout(5)); None where they do not say."""
    git = checkout / ".git"
    try:
        if git.is_file():  # a linked work tree
            git = checkout / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        found = _resolve(git, head.removeprefix("ref: ")) if head.startswith("ref: ") else head
    except (OSError, UnicodeDecodeError):
        return None
    return found if re.fullmatch("[0-9a-f]{40,64}", found) else None


def _resolve(git: Path, branch: str) -> str:
    shared = git / "commondir"
    home = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
    if (home / branch).is_file():
        return (home / branch).read_text(encoding="utf-8").strip()
    packed = (home / "packed-refs").read_text(encoding="utf-8").splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {branch}")), "")
