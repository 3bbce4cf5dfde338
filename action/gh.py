"""Requests to GitHub: `gh api`, which takes its token from GH_TOKEN and puts it in no argument."""

import json
import re
import subprocess
from typing import Any


class Failed(Exception):
    """GitHub, or gh, did not do what was asked; the message says what that was and why.

    Attributes:
        status: of the HTTP answer; None where there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def request(
    path: str, *, method: str = "GET", body: dict[str, Any] | None = None, needs: str, accept: str = ""
) -> bytes:
    """Return the answer to a request. Raise `Failed`.

    Args:
        path: without the leading slash.
        method: of HTTP.
        body: sent as JSON.
        needs: the permission that the message names where the request is refused.
        accept: media type, where it is not JSON.
    """
    words = ["gh", "api", path, "--method", method, *(["--input", "-"] if body is not None else [])]
    words += ["--header", f"Accept: {accept}"] if accept else []
    return _run(words, None if body is None else json.dumps(body).encode(), needs)


def pages(path: str, *, needs: str) -> list[dict[str, Any]]:
    """Return all objects of a listing. Raise `Failed`."""
    answer = _run(["gh", "api", path, "--paginate", "--slurp"], None, needs)
    return [row for page in json.loads(answer) for row in page]


def _run(words: list[str], body: bytes | None, needs: str) -> bytes:
    try:
        done = subprocess.run(words, input=body, capture_output=True, check=False)
    except FileNotFoundError:
        raise Failed("The command line of GitHub (gh) is not installed on this runner.") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        found = re.search(r"\(HTTP (\d{3})\)", reason)
        raise Failed(
            f"{words[2]}: {reason} (does the job have the permission `{needs}`?)", int(found[1]) if found else None
        )
    return done.stdout
