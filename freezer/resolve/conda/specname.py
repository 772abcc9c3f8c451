"""The package name of a match spec. Imports nothing, so that the worker starts quickly."""

from __future__ import annotations

import re

_NAME = re.compile(r"(?:[^\s\[]*::)?\s*(?P<name>[A-Za-z0-9_.-]+)")


def spec_name(text: str) -> str:
    """Return the package name of a match spec, in lower case as in conda."""
    match = _NAME.match(text.strip())
    return match["name"].lower() if match else text
