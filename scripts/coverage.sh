#!/usr/bin/env bash
# coverage.sh [--local]: how many of Freezer's lines and branches the tests run; the whole suite, or
# only what needs neither engine nor network. Writes .coverage/html; fails below the targets.
set -euo pipefail
cd "$(dirname "$0")/.."
export COVERAGE_FILE=$PWD/.coverage/data
coverage=$PWD/.venv/bin/coverage
rm -rf .coverage
mkdir .coverage

status=0
FREEZER_TEST_RUNNER="$coverage run -m pytest" scripts/test.sh "$@" || status=$?

"$coverage" combine --quiet
"$coverage" html --quiet --directory .coverage/html
.venv/bin/python scripts/coverage_report.py || status=1
exit "$status"
