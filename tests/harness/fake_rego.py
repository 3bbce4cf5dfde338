"""Stands in for the programs `conftest` and `opa`: takes their words, answers in their JSON, evaluates by regopy.

fake_rego.py conftest test --no-color --parser=json --output=json --policy DIR --data DIR PLAN
fake_rego.py opa eval --format=json --data DIR --input PLAN data.main
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.harness.rego import PolicyError, evaluate


def main(program: str, *words: str) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("command", choices=["test" if program == "conftest" else "eval"])
    parser.add_argument("--data", type=Path, required=True)
    if program == "conftest":
        parser.add_argument("--no-color", action="store_true")
        parser.add_argument("--parser", choices=["json"])
        parser.add_argument("--output", choices=["json"], required=True)
        parser.add_argument("--policy", type=Path, required=True)
        parser.add_argument("input", type=Path)
    else:
        parser.add_argument("--format", choices=["json"], required=True)
        parser.add_argument("--input", type=Path, required=True)
        parser.add_argument("query", choices=["data.main"])
    given = parser.parse_args(words)
    plan = json.loads(given.input.read_text(encoding="utf-8"))
    data: dict[str, Any] = {}
    for file in given.data.glob("*.json"):
        data |= json.loads(file.read_text(encoding="utf-8"))
    (given.data / "environment.txt").write_text(" ".join(sorted(os.environ)), encoding="utf-8")
    try:
        main = evaluate(given.data, "data.main", plan, data) or {}
    except PolicyError:
        sys.stderr.write("1 error occurred: policy.rego:3: rego_parse_error: unexpected token\n")
        return 2 if program == "opa" else 1
    if program == "opa":
        location = {"text": "data.main", "location": {"row": 1, "col": 1}}
        found = {"result": [{"expressions": [{"value": main, **location}]}]} if main else {}
        sys.stdout.write(json.dumps(found, indent=2))
        return 0
    said = {"failures": main.get("deny", []), "warnings": main.get("warn", [])}
    result: dict[str, Any] = {"filename": str(given.input), "namespace": "main"}
    result["successes"] = sum(rule in main and not main[rule] for rule in ("deny", "warn"))
    result |= {name: [{"msg": text} for text in texts] for name, texts in said.items() if texts}
    sys.stdout.write(json.dumps([result], indent=2))
    return 1 if main.get("deny") else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
