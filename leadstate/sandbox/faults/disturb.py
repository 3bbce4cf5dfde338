"""What a client gets of a fault: an answer in place of the operation, or one that spoils what the operation answered.

It decides nothing about when; `faults` does.
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response

from leadstate.sandbox.api import wire
from leadstate.sandbox.api.wire import Reply
from leadstate.sandbox.faults.breaking import Breaking
from leadstate.sandbox.faults.fault import Fault, FaultKind

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body>
</html>
"""
SHIELD = _PAGE.format(title="Sorry, you have been blocked", text="You are unable to access pipedrive.com.")
"""Stands for the shield's page; the text of the real one is not documented, only that it is HTML."""
STRAY = _PAGE.format(title="We will be right back", text="This page is not what the client asked for.")
"""Stands for the page of a proxy, or of a login."""


def instead(fault: Fault | None, headers: Mapping[str, str]) -> Response | None:
    """The answer of a fault that keeps the operation from being done; None where it is to be done.

    A page of somebody in between has none of the API's headers.
    """
    match fault:
        case Fault(kind=FaultKind.ERROR_BEFORE):
            return _failure(fault.status).response(headers)
        case Fault(kind=FaultKind.RESET):
            return Breaking(fault.kind)
        case Fault(kind=FaultKind.SHIELD):
            return HTMLResponse(SHIELD, 403)
        case Fault(kind=FaultKind.HTML):
            return HTMLResponse(STRAY)
        case _:
            return None


def afterwards(fault: Fault | None, reply: Reply, headers: Mapping[str, str]) -> Response:
    """The answer to an operation that was done, as a fault leaves it."""
    match fault:
        case Fault(kind=FaultKind.ERROR_AFTER):
            return _failure(fault.status).response(headers)
        case Fault(kind=FaultKind.LOST):
            return Breaking(fault.kind)
        case Fault(kind=FaultKind.CUT):
            return Breaking(fault.kind, reply.response(headers))
        case Fault(kind=FaultKind.SHORT_PAGE):
            return _shortened(reply, fault.missing).response(headers)
        case _:
            return reply.response(headers)


def _failure(status: int) -> Reply:
    try:
        phrase = HTTPStatus(status).phrase.lower()
    except ValueError:
        phrase = "server error"
    return wire.error(status, phrase)


def _shortened(reply: Reply, missing: int) -> Reply:
    """A page without its last rows that says more follow; an error stays as it is."""
    if not reply.body["success"]:
        return reply
    start, limit = (reply.body["additional_data"]["pagination"][key] for key in ("start", "limit"))
    rows = reply.body["data"]
    return replace(reply, body=wire.page(rows[: max(0, len(rows) - missing)], start, limit, more=True).body)
