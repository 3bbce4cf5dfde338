#!/usr/bin/env bash
# Installs the wheel in dist/ into a fresh environment of one Python, runs the demo as installed, then the core tests.
# Usage: try.sh PYTHON [OPTION OF PIP ...]
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
shift
wheel=$(realpath dist/*.whl)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

"$python" -m venv "$place/venv"
pip=("$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" --upgrade pip
"${pip[@]}" "$@" "${wheel}[sandbox]" --group test
echo "== $("$place/venv/bin/python" --version), $("$place/venv/bin/leadstate" --version)"
(cd "$place" && venv/bin/leadstate demo >demo.log) || { cat "$place/demo.log" && exit 1; }
"$place/venv/bin/python" -m pytest -q --numprocesses=auto --dist=loadfile -p no:cacheprovider \
  tests/model tests/reconcile tests/kinds tests/config tests/edit tests/pipedrive tests/engine tests/properties tests/golden
