"""The structural description of the API in tests/contract, with its references resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from ruamel.yaml import YAML

CONTRACT = Path(__file__).resolve().parents[1] / "contract"
VERSIONS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class Operation:
    """One described operation.

    Attributes:
        version: of the API.
        path: below `/api/<version>`.
        method: of HTTP, in capitals.
        body: what OpenAPI calls the operation object.
    """

    version: str
    path: str
    method: str
    body: Mapping[str, Any]

    def schema(self, status: int = 200) -> Any:
        """Return the schema of an answer with this status."""
        return self.body["responses"][str(status)]["content"]["application/json"]["schema"]


@cache
def operations() -> Mapping[str, Operation]:
    """Return every described operation by its id."""
    return {
        found.body["operationId"]: found
        for version in VERSIONS
        for found in read_operations(CONTRACT / f"pipedrive-{version}.yaml", version)
    }


def read_operations(file: Path, version: str) -> list[Operation]:
    """Read an OpenAPI description; every `$ref` is replaced by what it refers to."""
    description = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    return [
        Operation(version, path, method.upper(), _resolve(body, description))
        for path, methods in description["paths"].items()
        for method, body in methods.items()
    ]


def check_answer(operation: str, body: object, status: int = 200) -> None:
    """Raise `jsonschema.ValidationError` if an answer's body is not as described."""
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(operations()[operation].schema(status), format_checker=checker).validate(body)


def document() -> dict[str, Any]:
    """Return both versions as one OpenAPI document whose paths begin with `/api/<version>`."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations().values():
        methods = paths.setdefault(f"/api/{operation.version}{operation.path}", {})
        methods[operation.method.lower()] = operation.body
    return {"openapi": "3.1.0", "info": {"title": "Pipedrive", "version": "1"}, "paths": paths}


def _resolve(node: Any, description: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, description) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {key: _resolve(value, description) for key, value in node.items()}
    target: Any = description
    for name in node["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    return _resolve(target, description)
