"""The lead label operations: from path and body to the company's tables and back.

Each function is one operation of the OpenAPI description, and is plain: nothing is awaited between check and write.
"""

from leadstate.sandbox.api import payloads
from leadstate.sandbox.api.wire import Call, Reply, success


def get_lead_labels(call: Call) -> Reply:
    """Operation getLeadLabels: all labels at once, without pagination."""
    return success([label.body() for label in call.company.labels()])


def add_lead_label(call: Call) -> Reply:
    """Operation addLeadLabel: answers 200, not 201 (Pipedrive OpenAPI: addLeadLabel)."""
    values = payloads.add_label(call.body)
    return success(call.company.add_label(values["name"], values["color"]).body())


def update_lead_label(call: Call) -> Reply:
    """Operation updateLeadLabel. A label that does not exist is 404 whatever the body says."""
    label = call.company.label(call.path["id"])
    return success(call.company.update_label(label.id, payloads.update_label(call.body)).body())


def delete_lead_label(call: Call) -> Reply:
    """Operation deleteLeadLabel: its leads lose it."""
    call.company.delete_label(call.path["id"])
    return success({"id": call.path["id"]})
