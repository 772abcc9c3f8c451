#!/usr/bin/env bash
# test.sh: the whole suite, two at a time. Each worker of those that need an engine has environments of
# its own names; a file's tests stay together, because they share what they built.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/pytest tests/unit --quiet --numprocesses 2 "$@"
.venv/bin/pytest tests --ignore tests/unit --quiet --numprocesses 2 --dist loadfile --durations 10 "$@"
