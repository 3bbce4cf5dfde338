"""What a pull request is compared with: the first parent of the trial merge that GitHub has checked out."""

import subprocess


def revision() -> str | None:
    """The commit for `plan --base`; None where HEAD is no merge, or its parents were not fetched."""
    found = subprocess.run(
        ["git", "rev-list", "--parents", "--max-count=1", "HEAD"], capture_output=True, text=True, check=False
    )
    match found.stdout.split():
        case [_, first, _]:
            return first
        case _:
            return None
