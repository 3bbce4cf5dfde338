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
    """One operation with its body. What is updated or deleted is given by `id`, or by how it is `named`.

    A label is named by its name, a lead by its title or its `origin_id`; of several the oldest is meant.
    """

    operation: str
    body: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    named: str | None = None

    def __post_init__(self) -> None:
        assert self.operation in WRITES, self.operation
        given = (self.id is not None) + (self.named is not None)
        assert given == (not self.operation.startswith("add")), "id or named, and neither for what is new"

    def make(self, company: Company) -> str:
        """Make the change; return why it could not be made, or nothing if it was."""
        try:
            path = {} if self.operation.startswith("add") else {"id": self._target(company)}
            WRITES[self.operation](Call(company, path, {}, json.dumps(self.body).encode()))
        except MissingError as missing:
            return f"{self.operation}: requested {missing} not found"
        except (BadRequestError, RefusedError) as refused:
            return f"{self.operation}: {refused}"
        return ""

    def _target(self, company: Company) -> str:
        if self.id is not None:
            return self.id
        if self.operation.endswith("Label"):
            found = [label.id for label in company.labels() if label.name == self.named]
        else:
            found = [lead.id for lead in company.tables().leads if self.named in (lead.title, lead.origin_id)]
        if not found:
            raise MissingError("lead label" if self.operation.endswith("Label") else "lead")
        return found[0]
