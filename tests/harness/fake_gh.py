"""A `gh api` that knows what the JSON file in FAKE_GH says, and changes it: comments, issues, pulls, artifacts, zips.

`refuse` lists beginnings of paths that are answered as GitHub answers a token without the permission.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

FILE = Path(os.environ["FAKE_GH"])
BOT = {"login": "github-actions[bot]", "type": "Bot"}


def main(words: list[str]) -> int:
    assert os.environ["GH_TOKEN"] == "workflow-token"
    assert words.pop(0) == "api"
    path = words.pop(0).removeprefix("repos/acme/crm/")
    method = words[words.index("--method") + 1] if "--method" in words else "GET"
    known: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    if any(f"{method} {path}".startswith(start) for start in known.get("refuse", ())):
        sys.stderr.write("gh: Resource not accessible by integration (HTTP 403)\n")
        return 1
    if path.endswith("/zip"):
        sys.stdout.buffer.write(Path(known["zips"][path.split("/")[-2]]).read_bytes())
        return 0
    answer = change(known, path, method) if method != "GET" else listed(known, path)
    FILE.write_text(json.dumps(known))
    sys.stdout.write(json.dumps([answer] if "--slurp" in words else answer))
    return 0


def listed(known: dict[str, Any], path: str) -> Any:
    place = path.partition("?")[0]
    if place.startswith("commits/"):
        return known.get("pulls", [])
    if place == "actions/artifacts":
        name = path.partition("name=")[2].partition("&")[0]
        return {"artifacts": [artifact for artifact in known.get("artifacts", []) if artifact["name"] == name]}
    if place == "issues":
        return [issue for issue in known.get("issues", []) if issue["state"] == "open"]
    assert place.endswith("/comments"), path
    return known.get("comments", [])


def change(known: dict[str, Any], path: str, method: str) -> Any:
    given = json.load(sys.stdin)
    things = known.setdefault("comments" if "comments" in path else "issues", [])
    if method == "POST":
        things.append({"id": len(things) + 1, "number": len(things) + 1, "state": "open", "user": BOT, **given})
        return things[-1]
    found = next(thing for thing in things if str(thing["id"]) == path.rsplit("/", 1)[-1])
    found.update(given)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
