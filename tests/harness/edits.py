"""A person's edit in the web app, made between two requests: one of the six writing operations, charged to nobody.

It goes through the same checks as a request, so that no edit can leave a state that the API would not have allowed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadstate.sandbox import Company
from leadstate.sandbox.api import leads
from leadstate.sandbox.api.payloads import BadRequestError
from leadstate.sandbox.api.wire import Call, Reply
from leadstate.sandbox.state.company import MissingError, RefusedError

WRITES: Mapping[str, Callable[[Call], Reply]] = {
    "addLead": leads.add_lead,
    "updateLead": leads.update_lead,
    "deleteLead": leads.delete_lead,
    "addLeadLabel": leads.add_lead_label,
    "updateLeadLabel": leads.update_lead_label,
    "deleteLeadLabel": leads.delete_lead_label,
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One operation with its body, and the id of what is updated or deleted."""

    operation: str
    body: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None

    def __post_init__(self) -> None:
        assert self.operation in WRITES, self.operation
        assert (self.id is None) == self.operation.startswith("add"), "an id for all but what is new"

    def make(self, company: Company) -> str:
        """Make the change; return why it could not be made, or nothing if it was."""
        path = {} if self.id is None else {"id": self.id}
        try:
            WRITES[self.operation](Call(company, path, {}, json.dumps(self.body).encode()))
        except MissingError as missing:
            return f"{self.operation}: requested {missing} not found"
        except (BadRequestError, RefusedError) as refused:
            return f"{self.operation}: {refused}"
        return ""
