#!/usr/bin/env bash
# lock-dev.sh VENV: write requirements/dev.txt anew from pyproject.toml; names no index.
set -euo pipefail
cd "$(dirname "$0")/.."
"$1/bin/uv" pip compile --quiet pyproject.toml --group dev --python-version 3.11 --universal \
    --no-emit-index-url --generate-hashes --no-header --upgrade --output-file requirements/dev.txt
echo "requirements/dev.txt: $(grep -c '==' requirements/dev.txt) packages"
