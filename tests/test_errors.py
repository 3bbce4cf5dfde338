"""The errors of the Python API, in another process: a worker of a pool raises them, and its parent reads them."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import leadstate
from leadstate import Runtime, errors
from leadstate.model.address import Span
from leadstate.model.diagnostics import Diagnostic, Severity
from leadstate.pipedrive.errors import Unreachable

AT = Span("leadstate.yaml", 1, 2)
YAML = """\
version: 1
accounts:
  emea:
    url: {url}
    token: {{env: TOKEN}}
labels:
  - {{name: Hot, color: red}}
"""


@pytest.fixture
def plan(tmp_path: Path, url: str) -> leadstate.Plan:
    (tmp_path / "leadstate.yaml").write_text(YAML.format(url=url))
    around = Runtime(environ={"TOKEN": "sandbox-token"}, cache=tmp_path / "cache")
    return leadstate.plan(leadstate.load(tmp_path), runtime=around)


def make(name: str, plan: leadstate.Plan) -> errors.LeadstateError:
    """Return an error of a class, with all that it can hold."""
    match name:
        case "ConfigurationError":
            return errors.ConfigurationError([Diagnostic("a", Severity.ERROR, "wrong", span=AT)] * 28)
        case "StalePlan":
            return errors.StalePlan(["emea/label:Hot: update is new"], plan)
        case "Refused":
            return errors.Refused(plan)
        case "Unreachable":
            return Unreachable("getLeads", "no answer", sent=True, seconds=2.5)
        case "ApiError":
            return errors.ApiError("getLeads", "no", status=429, retry_after=1.5, hint="wait", span=AT)
        case _:
            found: type[errors.LeadstateError] = getattr(errors, name)
            return found("a sentence", hint="a fix", span=AT)


def parts(failure: BaseException) -> dict[str, Any]:
    """Return what an error holds; of a plan its report, since plans are equal only if they are the same."""
    found = {
        name: value.report if isinstance(value, leadstate.Plan) else value for name, value in vars(failure).items()
    }
    return {**found, "class": type(failure), "sentence": str(failure), "arguments": failure.args}


def through_pickle(failure: errors.LeadstateError) -> Any:
    return pickle.loads(pickle.dumps(failure))  # noqa: S301  written above


@pytest.mark.parametrize("carry", [through_pickle, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("name", [*errors.__all__, "Unreachable"])
def test_an_error_is_the_same_in_another_process(
    name: str, carry: Callable[[errors.LeadstateError], Any], plan: leadstate.Plan
) -> None:
    failure = make(name, plan)
    assert parts(carry(failure)) == parts(failure)
