#!/usr/bin/env bash
# test.sh: the whole suite. Unit tests side by side; engine tests one after another, because they
# share an engine, an archive's patience and this machine's disk.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/pytest tests --quiet --durations 10 "$@"
