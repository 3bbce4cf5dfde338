"""Errors that a caller of the Python API can meet; all of them are a `LeadstateError` with a code and a hint."""

from leadstate.api.configuration import UnknownAccount
from leadstate.api.plain import EventLoopRunning
from leadstate.api.receipts import ReceiptError
from leadstate.api.results import Refused, StalePlan
from leadstate.api.run_lock import Locked, NoStateFolder
from leadstate.api.session import SessionClosed, UnknownTarget
from leadstate.config import LockError
from leadstate.model.diagnostics import ConfigurationError, LeadstateError, ReportError, SecretError
from leadstate.pipedrive.errors import ApiError

__all__ = [
    "ApiError",
    "ConfigurationError",
    "EventLoopRunning",
    "LeadstateError",
    "LockError",
    "Locked",
    "NoStateFolder",
    "ReceiptError",
    "Refused",
    "ReportError",
    "SecretError",
    "SessionClosed",
    "StalePlan",
    "UnknownAccount",
    "UnknownTarget",
]
