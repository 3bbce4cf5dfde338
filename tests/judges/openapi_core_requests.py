"""Validates requests against an OpenAPI description with openapi-core, and prints what is wrong as a JSON array.

Usage: python openapi_core_requests.py < JSON   (`description` and `requests`, each a `method`, `path`, `query` and
`body`; the environment is `validators`). Each request gets an array of its own, empty where it is as described.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import ImmutableMultiDict


class Request:
    """A request in the form that openapi-core reads."""

    host_url = "http://127.0.0.1"
    content_type = "application/json"

    def __init__(self, method: str, path: str, query: list[list[str]], body: str | None) -> None:
        self.method, self.path = method.lower(), path
        self.body = None if body is None else body.encode()
        self.parameters = RequestParameters(query=ImmutableMultiDict([(name, value) for name, value in query]))


def main() -> None:
    """Validate every request."""
    given = json.load(sys.stdin)
    # The description has structure and no prose, and so lacks what a complete one must have.
    api = OpenAPI.from_dict(given["description"], config=Config(spec_validator_cls=None))
    json.dump([list(_problems(api, Request(**request))) for request in given["requests"]], sys.stdout)


def _problems(api: Any, request: Request) -> Iterator[str]:
    described = api.unmarshal_request(request)
    for error in described.errors:
        cause = error.__cause__
        details = [detail.message for detail in getattr(cause, "schema_errors", ())]
        yield ": ".join([type(error).__name__, str(error), *([str(cause)] if cause else ()), *details])


if __name__ == "__main__":
    main()
