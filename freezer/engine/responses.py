"""Validates values in an engine's responses: null is empty, other types are errors.

Each function raises ``TypeError`` for a value of another type; ``Link.doing`` converts that to an
``EngineError``.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

T = TypeVar("T")


def mapping(value: Any) -> dict[str, Any]:
    """Return a JSON object; an empty one for null."""
    return {} if value is None else _of(value, dict)


def items(value: Any) -> list[Any]:
    """Return a JSON array; an empty one for null."""
    return [] if value is None else _of(value, list)


def text(value: Any) -> str:
    """Return a string; an empty one for null."""
    return "" if value is None else _of(value, str)


def texts(value: Any) -> tuple[str, ...]:
    """Return an array of strings; an empty one for null."""
    return tuple(_of(item, str) for item in items(value))


def number(value: Any) -> int:
    """Return a whole number; 0 for null."""
    return 0 if value is None else _of(value, int)


def _of(value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        msg = f"{str(value)[:60]!r} where its protocol has {_NAMES[kind]}"
        raise TypeError(msg)
    return value


_NAMES: Final[dict[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a whole number",
}
