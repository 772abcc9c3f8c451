#!/usr/bin/env bash
# test.sh [--unit] [PYTEST OPTION...]: the whole suite, or only the tests that need neither engine nor
# network and start no program; two at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
# Containers often forbid byte code. Without it pytest rewrites every test's assertions in each of its
# processes, and each command that a test starts compiles Freezer anew.
unset PYTHONDONTWRITEBYTECODE
read -r -a runner <<<"${FREEZER_TEST_RUNNER:-.venv/bin/pytest}" # coverage.sh measures what it runs

# Whoever is done first takes over half of what the other still has.
unit=("${runner[@]}" tests/unit --quiet --numprocesses 2 --dist worksteal)
if [ "${1-}" = --unit ]; then
    shift
    exec "${unit[@]}" -m "not process and not index and not archive" "$@"
fi
"${unit[@]}" "$@"
# Each worker of those that need an engine has environments of its own names; a file's tests stay
# together, because they share what they built.
"${runner[@]}" tests --ignore tests/unit --quiet --numprocesses 2 --dist loadfile --durations 10 "$@"
