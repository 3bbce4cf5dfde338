"""The paths that Pipedrive does not have: what this server is, what was used, and its state and faults to set.

They ask for no token and cost nothing; the server listens on loopback only.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from leadstate.sandbox.api import wire
from leadstate.sandbox.api.payloads import BadRequestError, decoded
from leadstate.sandbox.backend import Backend
from leadstate.sandbox.faults import forms
from leadstate.sandbox.faults.fault import FaultError
from leadstate.sandbox.seeds import reading
from leadstate.sandbox.seeds.reading import SeedError
from leadstate.sandbox.state.records import Body

ABOUT = {
    "what": "leadstate sandbox: an imitation of Pipedrive's Leads API for tests and demos",
    "is_pipedrive": False,
    "api": ["/api/v1", "/v1", "/api/v2"],
    "oauth": "/oauth/token",
    "control": ["/_sandbox/meter", "/_sandbox/state", "/_sandbox/faults"],
}


def routes(sandbox: Backend) -> list[BaseRoute]:
    """`GET /`, `GET /_sandbox/meter`, `/_sandbox/state` to get and put, `/_sandbox/faults` also to delete."""

    async def about(_request: Request) -> Response:
        return JSONResponse(ABOUT)

    async def meter(_request: Request) -> Response:
        return JSONResponse(sandbox.meter.report())

    async def state(request: Request) -> Response:
        if request.method != "PUT":
            return JSONResponse(sandbox.dump())
        body = await request.body()
        try:
            sandbox.replace(decoded(body))
        except (BadRequestError, SeedError) as error:
            return wire.error(400, str(error), "See the seed documents of leadstate sandbox.").response()
        return JSONResponse(
            {"companies": [{"id": company.id, "domain": company.domain} for company in sandbox.companies]}
        )

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            sandbox.undisturbed()
        elif request.method == "PUT":
            body = await request.body()
            try:
                _put_faults(sandbox, decoded(body))
            except (BadRequestError, FaultError) as error:
                return wire.error(400, str(error), "Nothing was changed.").response()
        return JSONResponse(_faults_report(sandbox))

    return [
        Route("/", about),
        Route("/_sandbox/meter", meter),
        Route("/_sandbox/state", state, methods=["GET", "PUT"]),
        Route("/_sandbox/faults", faults, methods=["GET", "PUT", "DELETE"]),
    ]


def _put_faults(sandbox: Backend, document: Any) -> None:
    """Take a document as the whole new plan; latency, jitter and lag stay where it does not name them.

    Raises `FaultError` and then changes nothing.
    """
    try:
        reading.known(document, ("faults", "latency", "jitter", "lag"), "")
        faults = [forms.read_fault(raw, f"faults[{i}]") for i, raw in enumerate(reading.array(document, "faults", ""))]
        checkers = {"latency": forms.seconds, "jitter": forms.seconds, "lag": forms.requests}
        values = {
            key: reading.checked(document[key], checker, key) for key, checker in checkers.items() if key in document
        }
    except SeedError as error:
        raise FaultError(str(error)) from None
    sandbox.faults.replace(faults)
    for key, value in values.items():
        setattr(sandbox, key, value)


def _faults_report(sandbox: Backend) -> Body:
    """The plan as `_put_faults` takes it, and what came of it: `requests` counted, and every fault that has `fired`."""
    return {
        "faults": [forms.fault_row(fault) for fault in sandbox.faults.plan],
        "latency": sandbox.latency,
        "jitter": sandbox.jitter,
        "lag": sandbox.lag,
        "requests": sandbox.faults.requests,
        "fired": [forms.fired_row(fired) for fired in sandbox.faults.fired],
    }
