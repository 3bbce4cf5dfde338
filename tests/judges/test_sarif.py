"""The SARIF form against the standard's own JSON Schema, as Microsoft's package ships it."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

GOLDEN = Path(__file__).parents[1] / "golden" / "cases"
SCHEMA = Path(__file__).parent / "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"

pytestmark = pytest.mark.skipif(not SCHEMA.exists(), reason="npm install in tests/judges brings the SARIF schema")


def test_every_golden_report_is_valid_sarif() -> None:
    judge = Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    files = sorted(GOLDEN.glob("*/plan.sarif"))
    assert len(files) > 20
    for file in files:
        log = json.loads(file.read_text(encoding="utf-8"))
        assert not [error.message for error in judge.iter_errors(log)], file
        if log["runs"][0]["results"]:
            log["runs"][0]["results"][0]["level"] = "bad"
            assert list(judge.iter_errors(log)), "the judge takes anything"
