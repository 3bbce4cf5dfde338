"""The paths that Pipedrive does not have: what this server is, what was used, and its state.

They ask for no token and cost nothing; the server listens on loopback only.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from leadstate.sandbox.api import wire
from leadstate.sandbox.api.payloads import BadRequestError, decoded
from leadstate.sandbox.backend import Backend
from leadstate.sandbox.seeds.reading import SeedError

ABOUT = {
    "what": "leadstate sandbox: an imitation of Pipedrive's Leads API for tests and demos",
    "is_pipedrive": False,
    "api": ["/api/v1", "/v1", "/api/v2"],
    "oauth": "/oauth/token",
    "control": ["/_sandbox/meter", "/_sandbox/state"],
}


def routes(sandbox: Backend) -> list[BaseRoute]:
    """Return `GET /`, `GET /_sandbox/meter`, and `/_sandbox/state` to get and put."""

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

    return [
        Route("/", about),
        Route("/_sandbox/meter", meter),
        Route("/_sandbox/state", state, methods=["GET", "PUT"]),
    ]
