#!/usr/bin/env bash
# demo.sh: a real environment from its lock to a verdict. Uses the shipped lock while it can still be
# fetched whole; archives rotate, and on a day when it cannot, says so and makes a lock of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
freeze=$PWD/.venv/bin/freeze
env=sklearn-cpu
started=$SECONDS

run() {
    printf '\n$ freeze %s\n' "$*"
    "$freeze" -C "$project" "$@"
}

project=$PWD
printf '\n$ freeze fetch %s\n' "$env"
status=0
"$freeze" -C "$project" fetch "$env" || status=$?
if [ "$status" -eq 1 ]; then
    project=$PWD/.freezer/demo
    echo
    echo "The shipped lock can no longer be fetched whole: what it names has left its archive, as"
    echo "listed above. Nothing is replaced silently, so the demo makes a lock of its own in"
    echo "$project and goes on with that."
    mkdir -p "$project/images"
    rm -rf "${project:?}/images/$env"
    cp -R "images/$env" "$project/images/"
    run lock "$env" --upgrade --as-of "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
elif [ "$status" -ne 0 ]; then
    exit "$status"
fi
run build "$env"
run check "$env"
run build "$env"
echo
echo "Done in $((SECONDS - started)) s. Next: docs/tutorial/first-environment.md"
