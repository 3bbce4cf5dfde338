"""The shape of `terraform show -json PLAN`, so that what reads plans of Terraform reads ours.

The format is HashiCorp's (developer.hashicorp.com/terraform/internals/json-format), version 1.2 with what Terraform 1.8
says besides. A reader takes an unknown key as nothing, so what has no place there is left out: `to_json` has it.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from leadstate.model.escape import visible_json
from leadstate.report.document import Change, Report, Scalar

FORMAT_VERSION: Final = "1.2"

TERRAFORM_VERSION: Final = "1.8.0"
"""The version of Terraform whose shape this is; there are readers that refuse a plan that names none."""

_ACTIONS: Final = {"add": "create", "update": "update", "delete": "delete"}
_CUSTOM: Final = "custom_fields"


def to_terraform_json(report: Report) -> str:
    """Return the plan of the report as Terraform writes plans; of an apply, what was to be done."""
    changes = []
    for account in report.accounts:
        live = {label.address: {"name": label.name, "color": label.color} for label in account.labels}
        changes += [_change(change, live.get(change.address, {})) for change in account.changes]
    planned = [_planned(change) for change in changes if change["change"]["after"] is not None]
    plan = {
        "format_version": FORMAT_VERSION,
        "terraform_version": TERRAFORM_VERSION,
        "planned_values": {"root_module": {"resources": planned} if planned else {}},
        "resource_changes": changes,
        "configuration": {"root_module": {}},
        "applyable": report.applyable and bool(changes),
        "complete": report.complete,
        "errored": _errored(report),
    }
    # On one line, as Terraform writes it: terraform-compliance reads no other.
    return visible_json(json.dumps(plan, ensure_ascii=False, separators=(",", ":"))) + "\n"


def _errored(report: Report) -> bool:
    if any(diagnostic.severity == "error" for diagnostic in report.all_diagnostics()):
        return True
    results = (change.result for account in report.accounts for change in account.changes)
    return any(not result.as_agreed for result in results if result is not None)


def _change(change: Change, live: Mapping[str, Scalar]) -> dict[str, Any]:
    """Return a change; its `index` is the address, as `--target` takes it. `live` is what the report knows besides."""
    before = None if change.action == "add" else _values(live, {field.path: field.before for field in change.fields})
    after = None if change.action == "delete" else _values(live, {field.path: field.after for field in change.fields})
    return {
        "address": f"leadstate_{change.kind}.this[{_quoted(change.address)}]",
        "mode": "managed",
        "type": f"leadstate_{change.kind}",
        "name": "this",
        "index": change.address,
        "provider_name": "leadstate",
        "change": {
            "actions": [_ACTIONS[change.action]],
            "before": before,
            "after": after,
            "after_unknown": {},
            "before_sensitive": False if before is None else {},
            "after_sensitive": False if after is None else {},
        },
    }


def _planned(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return what will be there, as `planned_values` has it."""
    return {
        **{key: change[key] for key in ("address", "mode", "type", "name", "index", "provider_name")},
        "schema_version": 0,
        "values": change["change"]["after"],
        "sensitive_values": {},
    }


def _values(live: Mapping[str, Scalar], fields: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the attributes of an object; custom fields are a map of their own, since their names are anything."""
    custom = {
        path.removeprefix(f"{_CUSTOM}."): value for path, value in fields.items() if path.startswith(f"{_CUSTOM}.")
    }
    own = {path: value for path, value in fields.items() if not path.startswith(f"{_CUSTOM}.")}
    return {**live, **own, **({_CUSTOM: custom} if custom else {})}


def _quoted(key: str) -> str:
    """Return the key of an instance as the language of Terraform quotes it, in which `${` and `%{` begin templates."""
    return json.dumps(key, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
