"""Schemathesis, a generator of requests out of the description in tests/contract, and a judge of their answers.

It runs in an environment of its own, as a user would run it. `explore` returns every answer with what Schemathesis has
against it, and `objections` leaves what tests/contract/deviations.yaml does not allow.
"""

import base64
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from leadstate.sandbox import TOKEN, Company
from tests.harness import contract, judge_environments

GENERAL = (400, 401)
"""What Pipedrive documents once for all operations: it does not understand a request, or knows no such token."""

TOKENS = {
    "components": {"securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "x-api-token"}}},
    "security": [{"token": []}],
}
"""How Schemathesis learns that every operation wants a token; it tries each without one, and with another."""

MOST_IDS = 6
"""Ids of a table that requests draw from; Schemathesis tries each of them in each place."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and its answer.

    Attributes:
        operations: those that the path has, the first one being that of the method if it is described.
        request: the line of the request, for people.
        valid: whether the request is as described.
        status: 0 where the connection broke.
        headers: of the answer, in lower case.
        message: of an error, in the envelope.
        failures: what Schemathesis says, by the name of its check.

    """

    operations: Sequence[str]
    request: str
    valid: bool
    status: int
    headers: Mapping[str, str]
    message: str
    failures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Deviation:
    """An entry of tests/contract/deviations.yaml, which says what its parts mean."""

    operations: Sequence[str]
    fields: Sequence[str]
    answer: str
    takes: Any
    reason: str
    required: Sequence[str] = ()
    status: int = 400

    def allows(self, answer: Answer) -> bool:
        """Return whether this is the answer that may be."""
        return (
            not set(self.operations).isdisjoint(answer.operations)
            and answer.status == self.status
            and re.fullmatch(self.answer, answer.message) is not None
            # An answer of a form that is not described is never allowed.
            and answer.failures.keys() <= {"positive_data_acceptance", "status_code_conformance", "unsupported_method"}
        )


@cache
def deviations() -> Sequence[Deviation]:
    """Read what the sandbox may do that is not described."""
    rows = YAML(typ="safe").load((contract.CONTRACT / "deviations.yaml").read_text(encoding="utf-8"))
    return [Deviation(**row) for row in rows]


def objections(answers: Iterable[Answer]) -> list[str]:
    """Return what Schemathesis says that no deviation allows."""
    return sorted(
        {
            f"{answer.request}: {answer.status} {answer.message}: {check}: {text}"
            for answer in answers
            for check, text in answer.failures.items()
            if not _may_be(answer)
        }
    )


def _may_be(answer: Answer) -> bool:
    if not answer.valid and answer.status in GENERAL and answer.failures.keys() == {"status_code_conformance"}:
        return True
    return any(deviation.allows(answer) for deviation in deviations())


def narrowed(document: Mapping[str, Any], company: Company) -> dict[str, Any]:
    """Return the description with what the sandbox takes of it, so that requests get past its checks.

    Deletes are given ids of their own, as what they delete is refused from then on. One lead is an archived one.
    """
    result: dict[str, Any] = deepcopy(dict(document))
    tables = company.tables()
    leads = [lead.id for lead in tables.leads if not lead.is_archived]
    archived = [lead.id for lead in tables.leads if lead.is_archived][:1]
    ids: dict[str, Sequence[Any]] = {
        "users": [user.id for user in tables.users],
        "persons": [person.id for person in tables.persons],
        "organizations": [organization.id for organization in tables.organizations],
        "labels": [label.id for label in tables.labels][:-2],
    }
    paths = {
        "getLead": leads, "updateLead": [*archived, *leads], "deleteLead": leads[::-1],
        "updateLeadLabel": ids["labels"], "deleteLeadLabel": [label.id for label in tables.labels][-2:],
    }  # fmt: skip
    operations = {body["operationId"]: body for methods in result["paths"].values() for body in methods.values()}
    for name, body in operations.items():
        for parameter in body.get("parameters", ()):
            if parameter["in"] == "path" and name in paths:
                parameter["schema"] = {"enum": list(paths[name][:MOST_IDS])}
    for deviation in deviations():
        for name in deviation.operations:
            _narrow(operations[name], deviation, _with_ids(deviation.takes, ids))
    return result


def _with_ids(takes: Any, ids: Mapping[str, Sequence[Any]]) -> Any:
    if not isinstance(takes, dict):
        return takes
    return {
        key: list(ids[value][:MOST_IDS]) if key == "enum" and isinstance(value, str) else _with_ids(value, ids)
        for key, value in takes.items()
    }


def _narrow(operation: dict[str, Any], deviation: Deviation, takes: Any) -> None:
    name, parameters = operation["operationId"], operation.get("parameters", [])
    request = operation.get("requestBody", {"content": {"application/json": {"schema": {"properties": {}}}}})
    body = request["content"]["application/json"]["schema"]
    for field in deviation.fields:
        if field == "*":
            request["required"], body["additionalProperties"] = True, False
        for parameter in [parameter for parameter in parameters if parameter["name"] == field]:
            parameter["schema"] = {**parameter["schema"], **(takes or {})}
            if takes is False:
                parameters.remove(parameter)
        if field in body["properties"]:
            body["properties"][field] = {**body["properties"][field], **takes}
        if name in deviation.required:
            body["required"] = [*body["required"], field]


def explore(
    url: str,
    document: Mapping[str, Any],
    *,
    examples: int,
    mode: str = "all",
    phases: str = "coverage,fuzzing,stateful",
) -> list[Answer]:
    """Let Schemathesis send requests, the same ones each time, and judge the answers.

    Args:
        url: of the server, without path.
        document: the description.
        examples: random requests for each operation, beside those that it derives from the description.
        mode: `positive` for requests as described, `all` for others too.
        phases: of Schemathesis.

    """
    # Now and then it takes a request within the description for a mistake: "Invalid component: positive test case".
    checks = ("--checks", "all", *(("--exclude-checks", "negative_data_rejection") if mode == "positive" else ()))
    program = judge_environments.program("validators", "schemathesis")
    with tempfile.TemporaryDirectory() as folder:
        described, report = Path(folder) / "description.json", Path(folder) / "report.ndjson"
        described.write_text(json.dumps({**document, **TOKENS}), encoding="utf-8")
        done = judge_environments.run(
            program, "run", described, "--url", url, "--header", f"x-api-token: {TOKEN}", *checks, "--phases", phases,
            "--mode", mode, "--max-examples", examples, "--seed", 1, "--generation-database", "none",
            "--continue-on-failure", "--no-shrink", "--no-color", "--output-sanitize", "false",
            "--report", "ndjson", "--report-ndjson-path", report,
        )  # fmt: skip
        # 1 is for failed checks, which are read from the report.
        assert done.returncode in (0, 1), done.stdout + done.stderr
        events = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    finished = next(event["EngineFinished"] for event in events if "EngineFinished" in event)
    assert finished["stop_reason"] == "completed", done.stdout
    errors = [event for event in events if "NonFatalError" in event or "FatalError" in event]
    assert not errors, errors
    return list(_answers(events))


def _answers(events: Iterable[Mapping[str, Any]]) -> Iterator[Answer]:
    by_path: dict[str, dict[str, str]] = {}
    for operation in contract.operations().values():
        methods = by_path.setdefault(f"/api/{operation.version}{operation.path}", {})
        methods[operation.method] = operation.body["operationId"]
    found = []
    for event in events:
        recorder = event.get("ScenarioFinished", {}).get("recorder", {})
        for case_id, interaction in recorder.get("interactions", {}).items():
            case = recorder["cases"][case_id]["value"]
            checks = recorder.get("checks", {}).get(case_id, [])
            found.append((interaction["timestamp"], _answer(case, interaction, checks, by_path[case["path"]])))
    for _, answer in sorted(found, key=lambda row: row[0]):
        yield answer


def _answer(
    case: Mapping[str, Any], interaction: Mapping[str, Any], checks: Iterable[Any], methods: Mapping[str, str]
) -> Answer:
    response = interaction["response"] or {"status_code": 0, "headers": {}, "content": None}
    sent = interaction["request"]
    return Answer(
        [methods[case["method"]]] if case["method"] in methods else list(methods.values()),
        f"{sent['method']} {sent['uri']} {_text(sent.get('body'))}".strip(),
        case["meta"]["generation"]["mode"] == "positive",
        response["status_code"],
        {name.lower(): values[0] for name, values in response["headers"].items()},
        _message(_text(response["content"])),
        {
            check["name"]: check["failure_info"]["failure"]["message"]
            for check in checks
            if check["status"] != "success"
        },
    )


def _text(content: Mapping[str, str] | None) -> str:
    return base64.b64decode(content["$base64"]).decode("utf-8", "replace") if content else ""


def _message(text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return text
    return str(body.get("error", "")) if isinstance(body, dict) else text
