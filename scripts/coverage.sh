#!/usr/bin/env bash
# coverage.sh [--unit]: how many of Freezer's lines and branches the tests run; the whole suite, or
# only what needs neither engine nor network. Writes .coverage/html; fails below the targets.
set -euo pipefail
cd "$(dirname "$0")/.."
export COVERAGE_FILE=$PWD/.coverage/data FREEZER_COVERAGE_PROCESSES=$PWD/.coverage/processes
coverage=$PWD/.venv/bin/coverage
rm -rf .coverage
mkdir -p "$FREEZER_COVERAGE_PROCESSES"

status=0
FREEZER_TEST_RUNNER="$coverage run -m pytest" scripts/test.sh "$@" || status=$?

# What the tests' own processes ran, apart from the commands and workers that they start.
own=()
for process in "$FREEZER_COVERAGE_PROCESSES"/*; do
    own+=("$COVERAGE_FILE".*.pid"$(basename "$process")".*)
done
"$coverage" combine --quiet --keep --data-file .coverage/own "${own[@]}"
"$coverage" combine --quiet
"$coverage" html --quiet --directory .coverage/html
.venv/bin/python scripts/coverage_report.py .coverage/own "$COVERAGE_FILE" || status=1
exit "$status"
