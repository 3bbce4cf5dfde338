"""A `gh api` that knows what the JSON file in FAKE_GH says, and changes it: comments, issues, pulls, artifacts, zips.

`refuse` lists beginnings of paths that are answered as GitHub answers a token without the permission. `git` is a bare
repository: contents of files, branches and commits are what it holds.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

FILE = Path(os.environ["FAKE_GH"])
BOT = {"login": "github-actions[bot]", "type": "Bot"}


class Status(Exception):
    """An answer of GitHub that is an error."""


def main(words: list[str]) -> int:
    assert os.environ["GH_TOKEN"] == "workflow-token"
    assert words.pop(0) == "api"
    path, _, query = words.pop(0).removeprefix("repos/acme/crm/").partition("?")
    method = words[words.index("--method") + 1] if "--method" in words else "GET"
    known: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    fields = [words[i + 1] for i, word in enumerate(words) if word in {"--raw-field", "--field"}]
    given = dict(field.split("=", 1) for field in fields)
    try:
        answer = ask(known, method, path, query, given)
    except Status as status:
        sys.stderr.write(f"gh: {status}\n")
        return 1
    FILE.write_text(json.dumps(known))
    if isinstance(answer, bytes):
        sys.stdout.buffer.write(answer)
    else:
        sys.stdout.write(json.dumps([answer] if "--slurp" in words else answer))
    return 0


def ask(known: dict[str, Any], method: str, path: str, query: str, given: dict[str, Any]) -> Any:
    if any(f"{method} {path}".startswith(start) for start in known.get("refuse", ())):
        raise Status("Resource not accessible by integration (HTTP 403)")
    if method == "GET":
        return listed(known, unquote(path), {key: found[0] for key, found in parse_qs(query).items()})
    return change(known, unquote(path), method, given or json.load(sys.stdin))


def listed(known: dict[str, Any], path: str, query: dict[str, str]) -> Any:  # noqa: PLR0911  one for each path
    first, _, rest = path.partition("/")
    if path.endswith("/zip"):
        return Path(known["zips"][path.split("/")[-2]]).read_bytes()
    if first == "commits":
        return known.get("merged", {}).get(rest.partition("/")[0], [])
    if path == "actions/artifacts":
        return {"artifacts": [found for found in known.get("artifacts", []) if found["name"] == query["name"]]}
    if path.startswith("actions/runs/"):
        return {"event": known["events"][path.rsplit("/", 1)[-1]]}
    if path == "issues":
        return [issue for issue in known.get("issues", []) if issue["state"] == "open"]
    if path == "pulls":
        head = query["head"].partition(":")[2]
        return [pull for pull in known.get("pulls", []) if pull["state"] == "open" and pull["head"] == head]
    if first == "contents":
        return content(known, query["ref"], rest)
    if path.startswith("git/ref/heads/"):
        return {"object": {"sha": git(known, "rev-parse", path.removeprefix("git/ref/")).decode().strip()}}
    assert path.endswith("/comments"), path
    return known.get("comments", [])


def change(known: dict[str, Any], path: str, method: str, given: dict[str, Any]) -> Any:
    if path.startswith("contents/"):
        return commit(known, path.removeprefix("contents/"), given)
    if path.startswith("git/refs"):
        ref = given.get("ref", path.replace("git/", ""))
        verify = ["git", "-C", known["git"], "rev-parse", "--quiet", "--verify", ref]
        exists = subprocess.run(verify, check=False, capture_output=True).returncode == 0
        if exists is (method == "POST"):
            raise Status(f"Reference {'already exists' if exists else 'does not exist'} (HTTP 422)")
        git(known, "update-ref", ref, given["sha"])
        return {}
    name = "comments" if "comments" in path else path.partition("/")[0]
    things = known.setdefault(name, [])
    if method == "POST":
        things.append({"id": len(things) + 1, "number": len(things) + 1, "state": "open", "user": BOT, **given})
        return things[-1]
    found = next(thing for thing in things if str(thing["id"]) == path.rsplit("/", 1)[-1])
    found.update(given)
    return found


def content(known: dict[str, Any], ref: str, path: str) -> bytes:
    try:
        return git(known, "cat-file", "blob", f"{ref}:{path}")
    except subprocess.CalledProcessError:
        raise Status("Not Found (HTTP 404)") from None


def commit(known: dict[str, Any], path: str, given: dict[str, Any]) -> Any:
    """Commit a file to a branch, if it still is what the request says."""
    branch = f"refs/heads/{given['branch']}"
    if git(known, "rev-parse", f"{branch}:{path}").decode().strip() != given["sha"]:
        raise Status(f"{path} does not match {given['sha']} (HTTP 409)")
    environ = {**os.environ, "GIT_INDEX_FILE": f"{FILE}.index"}
    blob = git(known, "hash-object", "-w", "--stdin", stdin=base64.b64decode(given["content"])).decode().strip()
    git(known, "read-tree", branch, environ=environ)
    git(known, "update-index", "--cacheinfo", f"100644,{blob},{path}", environ=environ)
    tree = git(known, "write-tree", environ=environ).decode().strip()
    who = ("-c", "user.name=bot", "-c", "user.email=bot@acme.test")
    made = git(known, *who, "commit-tree", tree, "-p", branch, "-m", given["message"]).decode().strip()
    git(known, "update-ref", branch, made)
    return {"commit": {"sha": made}}


def git(known: dict[str, Any], *words: str, stdin: bytes = b"", environ: dict[str, str] | None = None) -> bytes:
    done = subprocess.run(
        ["git", "-C", known["git"], *words], input=stdin, env=environ, capture_output=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
