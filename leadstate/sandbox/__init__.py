"""An embedded Pipedrive for tests, demos and dry runs: the Leads API as an ASGI application with its own state.

    sandbox = Sandbox("drifted")
    with running(sandbox.app) as url: ...

It imports nothing of leadstate outside this package: a client's mistake must not be able to prove itself right here.
It never talks to Pipedrive, and is no promise of what Pipedrive answers where its documentation is silent.

Importing it without starlette raises an `ImportError` whose `name` is `starlette`: it comes with `leadstate[sandbox]`.
"""

try:
    import starlette as _starlette  # noqa: F401 (asked for first, so that the error says what to install)
except ImportError as error:
    raise ImportError("the sandbox needs starlette: pip install leadstate[sandbox]", name="starlette") from error

from .breaking import ConnectionLost
from .edits import Edit
from .fault_forms import fault_of
from .fault_plan import Faults, Fired
from .faults import Fault, FaultError, FaultKind
from .limits import TOKEN_COSTS, Meter
from .named_seeds import NAMED, TOKEN, named
from .reading import SeedError
from .routes import create_app
from .sandbox import Sandbox, load_seed
from .server import running, serve
from .state import Company
from .store import StoreError

__all__ = [
    "NAMED",
    "TOKEN",
    "TOKEN_COSTS",
    "Company",
    "ConnectionLost",
    "Edit",
    "Fault",
    "FaultError",
    "FaultKind",
    "Faults",
    "Fired",
    "Meter",
    "Sandbox",
    "SeedError",
    "StoreError",
    "create_app",
    "fault_of",
    "load_seed",
    "named",
    "running",
    "serve",
]
