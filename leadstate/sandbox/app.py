"""The ASGI application: which operation answers which request, and what happens around each of them.

Around an operation stand the token, the limits, the interceptor, the latency and the reading of the body, and some of
them wait; the operation itself is a plain function, so that no other request can come between its check and its write.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadstate.sandbox.api import account, contacts, field_lists, leads, oauth, wire
from leadstate.sandbox.api.payloads import BadRequestError, decode
from leadstate.sandbox.api.wire import Call, Reply
from leadstate.sandbox.backend import Backend
from leadstate.sandbox.seeds.reading import SeedError
from leadstate.sandbox.state.company import MissingError, RefusedError
from leadstate.sandbox.state.store import StoreError

_log = logging.getLogger(__name__)

PREFIXES: Mapping[int, Sequence[str]] = {1: ("/api/v1", "/v1"), 2: ("/api/v2",)}
"""Where each version of the API answers (Pipedrive docs: base URLs)."""

MARK = ("x-leadstate-sandbox", "1")
"""The header on every answer, so that nobody mistakes this for Pipedrive."""
ABOUT = {
    "what": "leadstate sandbox: an imitation of Pipedrive's Leads API for tests and demos",
    "is_pipedrive": False,
    "api": ["/api/v1", "/v1", "/api/v2"],
    "oauth": "/oauth/token",
    "control": ["/_sandbox/meter", "/_sandbox/state"],
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the OpenAPI description of a version, by its id there."""

    id: str
    method: str
    path: str
    handle: Callable[[Call], Reply]
    version: int = 1


OPERATIONS = (
    Operation("getLeads", "GET", "/leads", leads.get_leads),
    Operation("addLead", "POST", "/leads", leads.add_lead),
    Operation("getArchivedLeads", "GET", "/leads/archived", leads.get_archived_leads),
    Operation("getLead", "GET", "/leads/{id}", leads.get_lead),
    Operation("updateLead", "PATCH", "/leads/{id}", leads.update_lead),
    Operation("deleteLead", "DELETE", "/leads/{id}", leads.delete_lead),
    Operation("getLeadLabels", "GET", "/leadLabels", leads.get_lead_labels),
    Operation("addLeadLabel", "POST", "/leadLabels", leads.add_lead_label),
    Operation("updateLeadLabel", "PATCH", "/leadLabels/{id}", leads.update_lead_label),
    Operation("deleteLeadLabel", "DELETE", "/leadLabels/{id}", leads.delete_lead_label),
    Operation("getLeadSources", "GET", "/leadSources", account.get_lead_sources),
    Operation("getFilters", "GET", "/filters", leads.get_filters),
    Operation("getFilter", "GET", "/filters/{id}", leads.get_filter),
    Operation("getLeadFields", "GET", "/leadFields", field_lists.get_lead_fields),
    Operation("getUsers", "GET", "/users", account.get_users),
    Operation("getCurrentUser", "GET", "/users/me", account.get_current_user),
    Operation("getDealFields", "GET", "/dealFields", field_lists.get_deal_fields, version=2),
    Operation("getPersons", "GET", "/persons", contacts.get_persons, version=2),
    Operation("searchPersons", "GET", "/persons/search", contacts.search_persons, version=2),
    Operation("getPerson", "GET", "/persons/{id}", contacts.get_person, version=2),
    Operation("searchOrganization", "GET", "/organizations/search", contacts.search_organizations, version=2),
    Operation("getOrganization", "GET", "/organizations/{id}", contacts.get_organization, version=2),
)
"""Everything that is served. A fixed path stands before one with an id in its place, as the first match wins."""


class Sandbox(Backend):
    """An embedded Pipedrive with an application that serves it; see `Backend` for its arguments."""

    @cached_property
    def app(self) -> Starlette:
        """The ASGI application; always the same one."""
        return create_app(self)


def create_app(sandbox: Backend) -> Starlette:
    """Return the application that serves this sandbox: the API under its prefixes, and `/_sandbox/` to steer it."""
    paths: dict[tuple[int, str], dict[str, Operation]] = {}
    for operation in OPERATIONS:
        paths.setdefault((operation.version, operation.path), {})[operation.method] = operation
    api = [
        Route(prefix + path, partial(_answer, sandbox, methods), methods=list(methods))
        for (version, path), methods in paths.items()
        for prefix in PREFIXES[version]
    ]
    handlers = {HTTPException: _http_error, ClientDisconnect: _disconnected, StoreError: _crash, Exception: _crash}
    app = Starlette(
        routes=[
            *_control_routes(sandbox),
            Route("/oauth/token", partial(_token, sandbox), methods=["POST"]),
            *api,
        ],
        middleware=[Middleware(_Mark)],
        exception_handlers=handlers,
    )
    # A redirect to the path without its slash would hide a client's mistake.
    app.router.redirect_slashes = False
    return app


async def _answer(sandbox: Backend, methods: dict[str, Operation], request: Request) -> Response:
    """Answer one request, from its token on."""
    correlation = {"x-correlation-id": sandbox.new_id("correlation")}
    bearer = oauth.bearer(request.headers.get("authorization", ""))
    by_oauth = bearer is not None
    # Starlette lets HEAD in wherever GET is.
    operation = methods["GET" if request.method == "HEAD" else request.method]
    company = sandbox.company(_api_token(operation, request)) if bearer is None else sandbox.tokens.company(bearer)
    if company is None:
        return wire.unauthorized(oauth=by_oauth).response(correlation)
    refused = sandbox.limits.refusal(company, operation.id, oauth=by_oauth)
    interception = None if refused or sandbox.intercept is None else sandbox.intercept(operation.id, company)
    if interception and interception.limited:
        refused = "burst"
    admission = sandbox.limits.admit(company, operation.id, refused, oauth=by_oauth)
    headers = {**correlation, **admission.headers}
    if admission.refused:
        return wire.too_many(admission).response(headers)
    body = await request.body()
    await sandbox.pause()
    # From here on nothing waits until the answer is made.
    call, handle = Call(company, request.path_params, request.query_params, body), partial(_handled, operation)
    return interception.respond(call, handle, headers) if interception else handle(call).response(headers)


def _api_token(operation: Operation, request: Request) -> str:
    """Return the API token of a request: in version 1 it may stand in the query (Pipedrive docs: adding a lead).

    Whether version 2 takes it there is not documented.
    """
    query = request.query_params.get("api_token", "") if operation.version == 1 else ""
    return request.headers.get("x-api-token", query)


async def _token(sandbox: Backend, request: Request) -> Response:
    """Answer a request for an access token. No limit counts it and no interceptor hears of it."""
    body = await request.body()
    await sandbox.pause()
    authorization, form = request.headers.get("authorization", ""), request.headers.get("content-type", "")
    return sandbox.tokens.answer(authorization, form, body).response()


def _handled(operation: Operation, call: Call) -> Reply:
    try:
        return operation.handle(call)
    except MissingError as missing:
        return wire.not_found(str(missing))
    except (BadRequestError, RefusedError) as refused:
        return wire.error(400, str(refused)) if operation.version == 1 else wire.invalid(str(refused))


def _control_routes(sandbox: Backend) -> list[BaseRoute]:
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
            sandbox.replace(decode(body))
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


async def _http_error(_request: Request, error: Exception) -> Response:
    """Answer a path that is not there, or a method that it does not know."""
    if not isinstance(error, HTTPException):
        raise error
    return wire.error(error.status_code, error.detail.lower()).response(error.headers)


async def _crash(_request: Request, error: Exception) -> Response:
    """Answer where the file takes no change or the sandbox has a bug, which the server logs: no mistake of a client."""
    message = str(error) if isinstance(error, StoreError) else "internal server error"
    return wire.error(500, message).response(dict((MARK,)))


async def _disconnected(_request: Request, _error: Exception) -> Response:
    """Answer a client that has closed the connection before the end of its body; nobody reads the answer."""
    return wire.error(400, "the request ended early").response()


class _Mark:
    """Puts `MARK` on every answer, and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[MARK[0]] = MARK[1]
                # Without the query, which may hold a token; the path is whatever a client sends.
                _log.debug("%s %a -> %s", scope["method"], scope["path"], message["status"])
            await send(message)

        await self._app(scope, receive, marked)
