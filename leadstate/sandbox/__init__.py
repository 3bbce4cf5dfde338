"""An embedded Pipedrive for tests, demos and dry runs: the Leads API as an ASGI application with its own state.

    sandbox = Sandbox("drifted")
    with running(sandbox.app) as url: ...

It imports nothing of leadstate outside this package: a client's mistake must not be able to prove itself right here.
It never talks to Pipedrive, and does not promise what Pipedrive answers where its documentation is silent.

Importing it without starlette raises an `ImportError` whose `name` is `starlette`: it comes with `leadstate[sandbox]`.
"""

try:
    import starlette as _starlette  # noqa: F401 (asked for first, so that the error says what to install)
except ImportError as error:
    raise ImportError(
        "the sandbox needs starlette: install leadstate with its extra, leadstate[sandbox]", name="starlette"
    ) from error

from leadstate.sandbox.app import Sandbox, create_app
from leadstate.sandbox.backend import load_seed
from leadstate.sandbox.faults import Fault, Faults, parse_fault
from leadstate.sandbox.seeds.named import NAMED, TOKEN, named
from leadstate.sandbox.seeds.reading import SeedError
from leadstate.sandbox.server import PortError, running, serve
from leadstate.sandbox.state.company import Company
from leadstate.sandbox.state.limits import TOKEN_COSTS, Meter
from leadstate.sandbox.state.store import StoreError

__all__ = [
    "NAMED",
    "TOKEN",
    "TOKEN_COSTS",
    "Company",
    "Fault",
    "Faults",
    "Meter",
    "PortError",
    "Sandbox",
    "SeedError",
    "StoreError",
    "create_app",
    "load_seed",
    "named",
    "parse_fault",
    "running",
    "serve",
]
