"""Reading what `freezer.model.canonical.yaml_text` wrote, five times faster than a YAML parser.

This is not a general YAML parser. Its caller writes the value out again and compares the bytes; a
text that is not canonical goes to a YAML parser, whose errors have a line.
"""

from __future__ import annotations

import json
import re
from typing import Any

_QUOTED_KEY = re.compile(r'("(?:[^"\\]|\\.)*"):(?: (.+))?')
_WORDS: dict[str, Any] = {"true": True, "false": False}
_MARKED = frozenset('"-[{0123456789')
"""What a scalar begins with that is more than its text."""
_json_value = json.JSONDecoder().raw_decode
_EMPTY = {"[]": list, "{}": dict}
_DEEPEST = 64
"""Columns of indentation: each level of a line that starts many lists holds a copy of that line."""


def read_yaml_text(text: str) -> dict[str, Any]:
    """Return the value of a canonical text; comment lines are for its head only.

    Raises ``ValueError`` for a text that cannot be canonical. A text that is not canonical may
    also give a value: one that is written down differently.
    """
    lines = [line for line in text.split("\n") if line[:1] not in ("#", "")]
    try:
        value, end = _block(lines, 0, 0)
    except IndexError as error:
        msg = "no canonical text"
        raise ValueError(msg) from error
    if end < len(lines) or not isinstance(value, dict):
        msg = f"no canonical text from line {end + 1}"
        raise ValueError(msg)
    return value


def _block(lines: list[str], at: int, indent: int) -> tuple[Any, int]:
    """Return the value that starts at a line, and the number of the line after it."""
    if indent > _DEEPEST:
        msg = f"no canonical text: over {_DEEPEST} columns deep"
        raise ValueError(msg)
    if lines[at].startswith("- ", indent):
        return _items(lines, at, indent)
    return _mapping(lines, at, indent)


def _mapping(lines: list[str], at: int, indent: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    pad = " " * indent
    end = len(lines)
    while at < end:
        line = lines[at]
        if not line.startswith(pad) or line[indent] in " -":
            break
        key, value = _entry(line, indent)
        at += 1
        if value is None:
            found[key], at = _block(lines, at, indent + 2)
        else:  # as `_scalar` reads it; a call for each line would take as long as the rest
            found[key] = _scalar(value) if value[0] in _MARKED else _WORDS.get(value, value)
    return found, at


def _items(lines: list[str], at: int, indent: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    head = " " * indent + "- "
    while at < len(lines) and lines[at].startswith(head):
        rest = lines[at][indent + 2 :]
        if _is_block(rest):
            lines[at] = f"{' ' * indent}  {rest}"
            value, at = _block(lines, at, indent + 2)
            found.append(value)
        else:
            found.append(_scalar(rest))
            at += 1
    return found, at


def _entry(line: str, indent: int) -> tuple[str, str | None]:
    """Return a line's key, and its value unless that is on the lines below."""
    if line[indent] == '"':
        quoted = _QUOTED_KEY.fullmatch(line, indent)
        if quoted is None:
            msg = f"no key: {line}"
            raise ValueError(msg)
        return json.loads(quoted[1]), quoted[2]
    key, mark, value = line.partition(": ")
    return (key[indent:], value) if mark else (line[indent:-1], None)


def _is_block(text: str) -> bool:
    if text[0] == '"':
        return _QUOTED_KEY.fullmatch(text) is not None
    return text.startswith("- ") or ": " in text or text.endswith(":")


def _scalar(text: str) -> Any:
    first = text[0]
    if first == '"':
        value, end = _json_value(text)
        if end != len(text):
            msg = f"no text: {text}"
            raise ValueError(msg)
        return value
    if first.isdigit() or first == "-":
        return int(text)
    if text in _EMPTY:
        return _EMPTY[text]()
    return _WORDS.get(text, text)
