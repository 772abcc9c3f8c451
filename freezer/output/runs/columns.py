"""Runs as columns of compact JSON, as the page of `freeze runs page` reads them. Pure.

A column is ``{"n": name}`` with either ``"f"``, doubles (``null`` where a run has none, ``"nan"``,
``"inf"`` and ``"-inf"`` as text), or ``"d"``, the different values, and ``"x"``, which of
them each run has: a list of places, one place for all, or nothing where run and place are the same
number; -1 stands for none. With ``"i"`` only the runs of these numbers have a value.
"""

from __future__ import annotations

import base64
import hashlib
import math
import sys
from typing import TYPE_CHECKING, Any

from freezer.model.record.run import Digest, Time

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

    from freezer.flows.runs.page.curves import Curve
    from freezer.model.record.run import Run, Value

LARGEST_INTEGER = 2**53
"""Beyond this, JavaScript's numbers have gaps."""
LONGEST = 2000
"""Characters of one text on a page."""


def columns(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return a column for each field that any of the runs has, sorted by name."""
    found: dict[str, dict[int, Value]] = {}
    for number, run in enumerate(runs):
        for name, value in run.all_fields().items():
            found.setdefault(name, {})[number] = value
    return [{"n": name, **_column(found[name], len(runs))} for name in sorted(found)]


def curve_document(found: Curve) -> list[Any]:
    """Return a curve: its steps, its values as little-endian doubles, length and digest."""
    return [_steps(found.steps), _doubles(found.values), found.count, found.digest]


def typed(value: Value) -> Any:
    """Return a value in the page's notation of its kind.

    ``{"t": microseconds}`` is a time, ``{"d": digits}`` a digest, and ``{"f": text}`` a number that
    JSON would take for another one: a double that is whole, not finite, or a large whole number.
    """
    if isinstance(value, Time):
        return {"t": value.micros}
    if isinstance(value, Digest):
        return {"d": str(value).removeprefix("sha256:")}
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_INTEGER else {"f": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) and not value.is_integer() else {"f": repr(value)}
    return shortened(value)


def shortened(text: str) -> str:
    """Return a shortened text without lone surrogates, which a page cannot contain.

    A longer one ends in its digest: two with the same beginning still differ.
    """
    safe = text.encode("utf-8", "backslashreplace").decode()
    if len(safe) <= LONGEST:
        return safe
    digest = hashlib.sha256(safe.encode()).hexdigest()[:16]
    return f"{safe[:LONGEST]}… ({len(safe)} characters, sha256 {digest})"


def _column(values: Mapping[int, Value], count: int) -> dict[str, Any]:
    rows = sorted(values)
    sparse = len(rows) * 3 < count
    places = {"i": rows} if sparse else {}
    if all(isinstance(one, float) for one in values.values()):
        chosen = rows if sparse else range(count)
        return {**places, "f": [_double(values.get(row)) for row in chosen]}
    different: dict[tuple[type, str], int] = {}
    which = {row: different.setdefault(_identity(values[row]), len(different)) for row in rows}
    first = {place: row for row, place in reversed(which.items())}
    texts = [typed(values[first[place]]) for place in range(len(different))]
    listed = [which.get(row, -1) for row in (rows if sparse else range(count))]
    return {**places, "d": texts, **_indices(listed)}


def _indices(listed: Sequence[int]) -> dict[str, Any]:
    if listed == list(range(len(listed))):
        return {}
    return {"x": listed[0]} if len(set(listed)) == 1 else {"x": listed}


def _identity(value: Value) -> tuple[type, str]:
    return type(value), repr(value)


def _double(value: Value | None) -> Any:
    if value is None:
        return None
    return value if math.isfinite(float(value)) else repr(float(value))  # type: ignore[arg-type]


def _steps(steps: array[int]) -> Any:
    """Return steps as first and distance where they are evenly spaced, else one by one."""
    if len(steps) > 1:
        distance = steps[1] - steps[0]
        if all(steps[i + 1] - steps[i] == distance for i in range(len(steps) - 1)):
            return {"s": steps[0], "d": distance}
    return steps.tolist()


def _doubles(values: array[float]) -> str:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return base64.b64encode(values.tobytes()).decode()
