"""The paths that Pipedrive does not have: what this server is, what was used, and its state and faults to set.

They ask for no token and cost nothing; the server listens on loopback only.
"""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import fault_forms, wire
from .faults import FaultError
from .payloads import BadRequestError, decoded
from .reading import SeedError

if TYPE_CHECKING:
    from .sandbox import Sandbox

ABOUT = {
    "what": "leadstate sandbox: an imitation of Pipedrive's Leads API for tests and demos",
    "is_pipedrive": False,
    "api": ["/api/v1", "/v1", "/api/v2"],
    "oauth": "/oauth/token",
    "control": ["/_sandbox/meter", "/_sandbox/state", "/_sandbox/faults"],
}


def routes(sandbox: "Sandbox") -> list[BaseRoute]:
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
                fault_forms.put(sandbox, decoded(body))
            except (BadRequestError, FaultError) as error:
                return wire.error(400, str(error), "Nothing was changed.").response()
        return JSONResponse(fault_forms.report(sandbox))

    return [
        Route("/", about),
        Route("/_sandbox/meter", meter),
        Route("/_sandbox/state", state, methods=["GET", "PUT"]),
        Route("/_sandbox/faults", faults, methods=["GET", "PUT", "DELETE"]),
    ]
