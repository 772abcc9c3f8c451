"""JSON and TOML that someone else wrote: parsed with one way to fail."""

from __future__ import annotations

import json
import tomllib
from typing import Any


class TomlError(ValueError):
    """A text is not TOML that can be parsed."""


def parse_json(text: bytes | str) -> Any:
    """Return the value of a JSON text. Raises ``ValueError`` if it cannot be parsed.

    ``json.loads`` ends in ``RecursionError`` on deep nesting, which callers that expect only
    ``ValueError`` would let through.
    """
    try:
        return json.loads(text)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None


def parse_json_strictly(text: bytes | str) -> Any:
    """Return the value of a JSON text that every parser reads in the same way.

    Raises ``ValueError`` also for a key that an object has twice, of which some parsers take the
    first and others the last, and for ``NaN`` and ``Infinity``, which are not JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            msg = f"the key {key[:80]!r} is there twice"
            raise ValueError(msg)
        found[key] = value
    return found


def _no_constant(text: str) -> Any:
    msg = f"{text} is no JSON"
    raise ValueError(msg)


def parse_toml(text: str) -> dict[str, Any]:
    """Return a TOML document. Raises ``TomlError`` if it cannot be parsed.

    ``tomllib`` also ends in ``RecursionError`` on deep nesting, and in a plain ``ValueError`` on
    numbers of thousands of digits and on times that no clock has.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        msg = "nested too deeply"
        raise TomlError(msg) from None
    except ValueError as error:
        raise TomlError(str(error)) from None
