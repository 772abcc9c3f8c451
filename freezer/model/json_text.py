"""JSON that someone else wrote: parsed with one way to fail."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: bytes | str) -> Any:
    """Return the value of a JSON text. Raises ``ValueError`` for whatever cannot be parsed.

    ``json.loads`` ends in ``RecursionError`` on deep nesting, which callers that expect only
    ``ValueError`` would let through.
    """
    try:
        return json.loads(text)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
