"""Every request of the golden cases against the description, by a second implementation: openapi-core."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.harness import contract, judge_environments

GOLDEN = Path(__file__).parents[1] / "golden" / "cases"
LABEL = "/api/v1/leadLabels"
LEAD = "/api/v1/leads/aecece60-c069-11eb-93bf-b59c4f1731e6"


def _judge(lines: list[str]) -> list[list[str]]:
    """Return what openapi-core says of each line of a record: a method, a path with its query, and a body."""
    document = {
        **contract.document(),
        "servers": [{"url": "http://127.0.0.1"}],
    }
    python = judge_environments.program("validators", "python")
    done = judge_environments.run(
        python,
        judge_environments.JUDGES / "openapi_core_requests.py",
        text=json.dumps({"description": document, "requests": [_request(line) for line in lines]}),
    )
    assert done.returncode == 0, done.stderr
    said: list[list[str]] = json.loads(done.stdout)
    return said


def _request(line: str) -> dict[str, Any]:
    method, target, *body = line.split(" ", 2)
    url = urlsplit(target)
    return {
        "method": method,
        "path": url.path,
        "query": parse_qsl(url.query, keep_blank_values=True),
        "body": body[0] if body else None,
    }


def test_every_recorded_request_is_as_described() -> None:
    files = sorted(GOLDEN.glob("*/requests.txt"))
    lines = sorted({line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line})
    assert len(lines) > 50
    found = [f"{line}: {said}" for line, said in zip(lines, _judge(lines), strict=True) if said]
    assert not found, "\n".join(found)
    methods = {line.partition("?")[0].split(" ")[0] for line in lines}
    assert methods == {"GET", "POST", "PATCH", "DELETE"}


@pytest.mark.parametrize(
    "line",
    [
        f'POST {LABEL} {{"name": "Hot", "color": "teal"}}',
        f'POST {LABEL} {{"name": "Hot"}}',
        f'PATCH {LEAD} {{"label_ids": ["one"]}}',
        f'PATCH {LEAD} {{"visible_to": 3}}',
        f'PATCH {LEAD} {{"value": {{"amount": "12", "currency": "EUR"}}}}',
        "GET /api/v1/leads?limit=many",
        "GET /api/v1/leads?sort=color",
        "GET /api/v2/persons/search?fields=email",
        "GET /api/v1/deals",
        f"PUT {LEAD} {{}}",
    ],
)
def test_a_mistake_is_found(line: str) -> None:
    assert _judge([line]) != [[]]
