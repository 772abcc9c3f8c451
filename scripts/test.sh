#!/usr/bin/env bash
# test.sh [--unit | --local] [PYTEST OPTION...]: the whole suite. --local: only the tests that need
# neither engine nor network; --unit: of those only the ones that start no program, which are quick,
# with fewer examples of each property.
set -euo pipefail
cd "$(dirname "$0")/.."
# Containers often forbid byte code. Without it pytest rewrites every test's assertions in each of its
# processes, and each command that a test starts compiles Freezer anew.
unset PYTHONDONTWRITEBYTECODE
read -r -a runner <<<"${FREEZER_TEST_RUNNER:-.venv/bin/pytest}" # coverage.sh measures what it runs

# Unit tests write thousands of small files, which no disk has to hold.
in_memory=()
if [ -w /dev/shm ] && [ "$(df --output=avail -B1M /dev/shm | tail -n 1)" -gt 2000 ]; then
    in_memory=(env TMPDIR=/dev/shm)
fi
# Whoever is done first takes over half of what the other still has.
unit=("${in_memory[@]}" "${runner[@]}" tests/unit --quiet --numprocesses 2 --dist worksteal)
case "${1-}" in
--unit)
    shift
    exec "${unit[@]}" -m "not process and not index and not archive" --hypothesis-profile quick "$@"
    ;;
--local)
    shift
    exec "${unit[@]}" -m "not index and not archive" "$@"
    ;;
esac

# Those that need an engine wait for it or for the network more than half of their time, so three workers
# share two cores (FREEZER_TEST_WORKERS: another number). The unit tests fill the pauses, and no more than
# that, because the others take longer. What the others say comes after it.
# Each worker of theirs has environments of its own names; a file's tests stay together, because they
# share what they built. The longest files come first (tests/conftest.py).
said=$(mktemp)
"${runner[@]}" tests --ignore tests/unit --quiet --numprocesses "${FREEZER_TEST_WORKERS:-3}" \
    --dist loadfile --no-loadscope-reorder --durations 10 "$@" >"$said" 2>&1 &
engine=$!
trap 'kill "$engine" 2>/dev/null || true; rm -f "$said"' EXIT
status=0
nice -n 5 "${unit[@]}" "$@" || status=$?
tail --lines +1 --follow --sleep-interval 0.2 --pid "$engine" "$said"
wait "$engine" || status=$?
exit "$status"
