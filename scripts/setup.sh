#!/usr/bin/env bash
# setup.sh PYTHON VENV: make the development environment from requirements/dev.txt, hashes demanded.
set -euo pipefail
python=$1 venv=$2
cd "$(dirname "$0")/.."

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    found=$("$python" --version 2>&1 || true)
    echo "setup: Python 3.11 or later is needed, and '$python' is ${found:-not there}." >&2
    echo "       Name another one: make setup PYTHON=/path/to/python3.11" >&2
    exit 2
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "setup: this Python cannot make virtual environments." >&2
    echo "       On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 2
fi
started=$SECONDS
echo "Setting up $venv with $("$python" --version) ..."
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/pip" install -qq --disable-pip-version-check --require-hashes \
    --requirement requirements/dev.txt
"$venv/bin/pip" install -qq --disable-pip-version-check --no-deps --no-build-isolation \
    --editable .
# Also where PYTHONDONTWRITEBYTECODE is set: without byte code every command takes twice as long.
"$venv/bin/python" -m compileall -q -j 0 "$venv/lib" >/dev/null || true
echo "Set up in $((SECONDS - started)) s. 'freeze' is $venv/bin/freeze."
