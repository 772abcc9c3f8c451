#!/usr/bin/env bash
# test.sh: the whole suite. Unit tests side by side; the others one after another, because they share
# an engine, an index's and an archive's patience, and this machine's disk.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/pytest tests/unit --quiet --numprocesses 2 "$@"
.venv/bin/pytest tests --ignore tests/unit --quiet --durations 10 "$@"
