"""Reads leads and labels with Airbyte's source of Pipedrive, and prints the records of each stream as JSON.

Usage: python airbyte_source.py BASE_URL   (the token is read from PIPEDRIVE_TOKEN; the environment is `airbyte`)

The source's manifest names the vendor's host and has no option for another. airbyte-cdk prefers a manifest in the
working folder to the one of the package, so a copy with another `url_base`, and no other change, lies there. Everything
else is the source as it is released: its program, started as Airbyte starts it.
"""

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema

VENDOR = 'url_base: "https://api.pipedrive.com/v1"'
STREAMS = ("leads", "lead_labels")


def main(url: str) -> None:
    """Read both streams."""
    package = files("source_pipedrive")
    manifest = package.joinpath("manifest.yaml").read_text(encoding="utf-8")
    if manifest.count(VENDOR) != 1:
        sys.exit("the manifest names the vendor's host in another way")
    Path("manifest.yaml").write_text(manifest.replace(VENDOR, f'url_base: "{url}/v1"'), encoding="utf-8")
    schemas = {
        stream: json.loads(package.joinpath(f"schemas/{stream}.json").read_text(encoding="utf-8")) for stream in STREAMS
    }
    catalog = {
        "streams": [
            {
                "stream": {"name": name, "json_schema": schema, "supported_sync_modes": ["full_refresh"]},
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            }
            for name, schema in schemas.items()
        ]
    }
    config = {"api_token": os.environ["PIPEDRIVE_TOKEN"], "replication_start_date": "2017-01-25T00:00:00Z"}
    Path("catalog.json").write_text(json.dumps(catalog), encoding="utf-8")
    Path("config.json").write_text(json.dumps(config), encoding="utf-8")
    source = Path(sys.executable).with_name("source-pipedrive")
    done = subprocess.run(
        [source, "read", "--config", "config.json", "--catalog", "catalog.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:
        errors = [message["trace"]["error"] for message in messages if "error" in message.get("trace", {})]
        sys.exit("\n".join(error["internal_message"] or error["message"] for error in errors) or done.stderr)
    records: dict[str, list[object]] = {stream: [] for stream in STREAMS}
    for message in messages:
        if message["type"] == "RECORD":
            records[message["record"]["stream"]].append(message["record"]["data"])
    for stream, schema in schemas.items():
        for record in records[stream]:
            jsonschema.validate(record, schema)
    json.dump(records, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
