"""A person's edit in the web app, made between two requests: one of the six writing operations, charged to nobody.

It goes through the same checks as a request, so that no edit can leave a state that the API would not have allowed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadstate.sandbox.api import labels, leads, payloads
from leadstate.sandbox.api.payloads import BadRequestError
from leadstate.sandbox.api.wire import Call, Reply
from leadstate.sandbox.state import checks
from leadstate.sandbox.state.checks import InvalidError
from leadstate.sandbox.state.company import Company, MissingError, RefusedError
from leadstate.sandbox.state.records import Body

WRITES: Mapping[str, Callable[[Call], Reply]] = {
    "addLead": leads.add_lead,
    "updateLead": leads.update_lead,
    "deleteLead": leads.delete_lead,
    "addLeadLabel": labels.add_lead_label,
    "updateLeadLabel": labels.update_lead_label,
    "deleteLeadLabel": labels.delete_lead_label,
}
"""What an edit can do: the operations that change something."""

_SHAPES: Mapping[str, Callable[[bytes], object]] = {
    # Which custom fields there are is the company's matter; without them everything else is looked at.
    "addLead": lambda body: payloads.add_lead(body, {}),
    "updateLead": lambda body: payloads.update_lead(body, {}),
    "addLeadLabel": payloads.add_label,
    "updateLeadLabel": payloads.update_label,
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: an operation with its body. What is updated or deleted is told by `id`, or by how it is `named`.

    A label is named by its name, a lead by its title or its `origin_id`; of several the oldest is meant.
    Raises `InvalidError`, whose text starts with the name of the field that is wrong.
    """

    operation: str
    body: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    named: str | None = None

    def __post_init__(self) -> None:
        if self.operation not in WRITES:
            raise InvalidError(f"operation: must be one of {', '.join(WRITES)}")
        for name, value in (("id", self.id), ("named", self.named)):
            _text_or_none(name, value)
        told = (self.id is not None) + (self.named is not None)
        if self.operation.startswith("add") and told:
            raise InvalidError("id: must not be given for what is new, and named neither")
        if not self.operation.startswith("add") and told != 1:
            raise InvalidError("id: must say which one is meant, or named, and only one of them")
        if self.operation in _SHAPES:
            try:
                _SHAPES[self.operation](self._bytes())
            except BadRequestError as error:
                raise InvalidError(f"body: {error}") from None
        elif self.body:
            raise InvalidError("body: must not be given for a delete")

    def document(self) -> Body:
        """The edit as JSON, without what was not given."""
        given: Body = {"operation": self.operation, "id": self.id, "named": self.named, "body": dict(self.body) or None}
        return {key: value for key, value in given.items() if value is not None}

    def make(self, company: Company) -> str:
        """Make the change; return why it could not be made, or nothing if it was."""
        try:
            path = {} if self.operation.startswith("add") else {"id": self._target(company)}
            WRITES[self.operation](Call(company, company, path, {}, self._bytes()))
        except MissingError as missing:
            return f"{self.operation}: requested {missing} not found"
        except (BadRequestError, RefusedError) as refused:
            return f"{self.operation}: {refused}"
        return ""

    def _bytes(self) -> bytes:
        return json.dumps(self.body).encode()

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


def _text_or_none(name: str, value: Any) -> None:
    try:
        if value is not None:
            checks.name(value)
    except InvalidError as error:
        raise InvalidError(f"{name}: {error}") from None
