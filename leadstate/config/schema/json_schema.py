"""The JSON Schema of the configuration, for editors: `# yaml-language-server: $schema=schemas/leadstate.schema.json`.

Draft 7: the YAML language server knows it whole, and later drafts in part. Made from the models, never by hand.
"""

import json
from typing import Any, Final

from leadstate.config.schema.document import Document

DRAFT: Final = "http://json-schema.org/draft-07/schema#"


def document_schema() -> dict[str, Any]:
    """Return the schema of one file of a configuration (spec section 2)."""
    raw = Document.model_json_schema(ref_template="#/definitions/{model}")
    raw["definitions"] = raw.pop("$defs")
    made: dict[str, Any] = _convert(raw)
    about = {"title": "leadstate configuration", "description": "Lead labels and seeded leads of Pipedrive accounts."}
    return {"$schema": DRAFT, **made, **about}


def schema_text() -> str:
    """Return the schema as it is kept in schemas/leadstate.schema.json."""
    return json.dumps(document_schema(), indent=2, ensure_ascii=False) + "\n"


def _convert(value: Any) -> Any:
    """Convert draft 2020-12, as pydantic writes it, to draft 7."""
    if isinstance(value, list):
        return [_convert(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _convert(field) for key, field in value.items() if not _is_noise(key, field)}
    if "patternProperties" in made:
        made["additionalProperties"] = False
    if len(made) > 1 and isinstance(made.get("$ref"), str):
        # Draft 7 reads nothing beside a $ref.
        made["allOf"] = [{"$ref": made.pop("$ref")}]
    return made


def _is_noise(key: str, value: Any) -> bool:
    """Return whether a title only repeats the key, or a default stands for `not written`."""
    if key == "default":
        return value in ("", None) or isinstance(value, list | dict)
    return key == "title" and isinstance(value, str)
