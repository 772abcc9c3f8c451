"""Helpers of all outputs: sizes, tables, documents."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from freezer.errors import printable
from freezer.fetch.http.redact import redact
from freezer.output.fold import row_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

__all__ = [
    "as_json",
    "document",
    "plural",
    "printable",
    "redacted",
    "show_rows",
    "shown",
    "size",
    "ulps",
]

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Return bytes as text: ``16.9 MB`` (powers of 1000, as in registries)."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{count} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def plural(count: int, noun: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def ulps(count: int) -> str:
    """Return a number of units in the last place as text; millions only by magnitude."""
    return str(count) if count < 10**6 else f"{count:.1e}"


def shown(text: str) -> str:
    """Return text of others for a terminal: printable, without passwords."""
    return "\n".join(printable(line) for line in redact(text).split("\n"))


def redacted(value: Any) -> Any:
    """Return a part of a document without the credentials of any URL in it."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return (
        {key: redacted(item) for key, item in value.items()} if isinstance(value, dict) else value
    )


def show_rows(rows: Iterable[tuple[str, ...]], console: Console) -> None:
    """Print rows of markup in aligned columns.

    On a terminal they fit its width, and nothing is cut; elsewhere a row is one line.
    """
    listed = [[Text.from_markup(cell, emoji=False) for cell in row] for row in rows]
    width = console.width if console.is_terminal else sys.maxsize
    for line in row_lines(listed, width):
        console.print(line, highlight=False, soft_wrap=True, no_wrap=True)


def document(values: Any) -> str:
    """Return the JSON document of ``--json`` with unprintable characters escaped.

    Fields of dataclasses and models are in kebab-case (``lock-id``), as in all of Freezer's
    documents; keys of mappings are unchanged, since many are data.
    """
    text = json.dumps(as_json(values), indent=2, ensure_ascii=False, allow_nan=False)
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in text)


def _escaped(one: str) -> str:
    return json.dumps(one)[1:-1]


def as_json(value: Any) -> Any:
    """Convert a value to JSON types: mappings, lists, strings, numbers, booleans and None."""
    if (found := _fields(value)) is not None:
        return {key: as_json(one) for key, one in found.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no NaN or infinity
    return _text(str(value)) if isinstance(value, (str, Path)) else value


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Return the fields of an object by key; None for other values."""
    if hasattr(value, "model_dump"):
        from freezer.model.canonical import plain

        return plain(value)
    if isinstance(value, Mapping):
        return {_text(str(key)): one for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {_kebab(one.name): getattr(value, one.name) for one in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {_kebab(name): one for name, one in zip(value._fields, value, strict=True)}
    return None


def _kebab(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _text(text: str) -> str:
    """Return a text that can be encoded, even a file name that cannot."""
    return text.encode("utf-8", "backslashreplace").decode()
