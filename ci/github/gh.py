"""The door to GitHub: `gh api`, which takes its token from GH_TOKEN and puts it in no argument."""

import json
import subprocess
from typing import Any


class Refused(Exception):
    """GitHub, or gh, did not do what was asked; the message says what that was and why."""


def api(path: str, *, method: str = "GET", body: dict[str, Any] | None = None, needs: str) -> bytes:
    """The answer to a request. `needs` names the permission to give where it is refused. Raises `Refused`."""
    words = ["gh", "api", path, "--method", method, *(["--input", "-"] if body is not None else [])]
    return _ask(words, None if body is None else json.dumps(body).encode(), needs)


def pages(path: str, *, needs: str) -> list[dict[str, Any]]:
    """All objects of a listing. Raises `Refused`."""
    answer = _ask(["gh", "api", path, "--paginate", "--slurp"], None, needs)
    return [one for page in json.loads(answer) for one in page]


def _ask(words: list[str], body: bytes | None, needs: str) -> bytes:
    try:
        done = subprocess.run(words, input=body, capture_output=True, check=False)
    except FileNotFoundError:
        raise Refused("The command line of GitHub (gh) is not installed on this runner.") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise Refused(f"{words[2]}: {reason} (does the job have the permission `{needs}`?)")
    return done.stdout
