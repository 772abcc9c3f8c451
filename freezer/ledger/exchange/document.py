"""Freezer's own export: runs with their series and contents as one JSON document, and back.

The same runs come back bit for bit: NaN with its payload, -0.0, infinities, digests and times. A
file is read as something that anybody may have written.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import LedgerError
from freezer.ledger.exchange.validate import LONGEST_NAME, require_run
from freezer.ledger.series import Points
from freezer.model.record.run import decode, encode, read_new_run, run_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from freezer.model.record.run import Run

FORMAT: Final = 1
"""Raise this when the format of exports changes."""
MARK: Final = "freezer-runs"
_COLUMNS: Final = ("steps", "times", "values")


@dataclass(frozen=True)
class Exported:
    """The content of an export."""

    runs: tuple[tuple[Run, dict[str, Points]], ...]
    """Each run with its series by name."""
    contents: tuple[bytes, ...]
    """What the runs refer to by digest: patches and lists of files."""


def export_parts(
    runs: Iterable[tuple[Run, Mapping[str, Points]]], contents: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield the parts of an export, a line for each run and each content.

    ``contents`` is read after ``runs``.
    """
    yield f'{{"{MARK}":{FORMAT},"runs":['.encode()
    for number, (run, series) in enumerate(runs):
        points = {name: _series(one) for name, one in sorted(series.items())}
        text = json.dumps(points, separators=(",", ":"), allow_nan=False).encode()
        yield b",\n"[number == 0 :] + b'{"run":' + run_bytes(run) + b',"series":' + text + b"}"
    yield b'\n],"contents":['
    for number, data in enumerate(contents):
        yield b",\n"[number == 0 :] + json.dumps(b64encode(data).decode()).encode()
    yield b"\n]}\n"


def read_export(data: bytes) -> Exported:
    """Return the content of an export. Raises ``LedgerError`` for anything else."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _refused("this is not an export of runs: it is not JSON", str(error)) from None
    if not isinstance(document, dict) or MARK not in document:
        raise _refused("this is not an export of runs", f"a document without {MARK!r}")
    if document[MARK] != FORMAT:
        raise LedgerError(
            "this version of Freezer cannot read this export",
            found=f"format {str(document[MARK])[:50]}",
            expected=f"format {FORMAT}",
            hint="upgrade Freezer",
        )
    runs = tuple(_run(number, one) for number, one in enumerate(_listed(document, "runs"), 1))
    contents = tuple(_content(number, one) for number, one in enumerate(_contents(document), 1))
    seen: set[str] = set()
    for run, _ in runs:
        if run.id in seen:
            raise _refused("a run appears twice", run.id)
        seen.add(run.id)
    return Exported(runs, contents)


def digests(run: Run) -> list[str]:
    """Return the digests by which a run may refer to contents of the ledger."""
    found = [str(value).lower().removeprefix("sha256:") for value in run.fields.values()]
    return [one for one in found if len(one) == hashlib.sha256().digest_size * 2]


def _series(points: Points) -> dict[str, list[Any]]:
    values = [encode(value) for value in points.values]
    return {"steps": [*points.steps], "times": [*points.times], "values": values}


def _listed(document: dict[str, Any], name: str) -> list[Any]:
    found = document.get(name, [])
    if not isinstance(found, list):
        raise _refused(f"{name!r} is not a list", type(found).__name__)
    return found


def _contents(document: dict[str, Any]) -> list[Any]:
    return _listed(document, "contents")


def _content(number: int, text: Any) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (ValueError, TypeError) as error:
        raise _refused(f"content {number} is not Base64", str(error)) from None


def _run(number: int, found: Any) -> tuple[Run, dict[str, Points]]:
    try:
        run = read_new_run(json.dumps(found["run"]))
        require_run(run)
        series = {_name(name): _points(one) for name, one in found["series"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise _refused(f"run {number} cannot be read", str(error) or type(error).__name__) from None
    return run, series


def _name(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        message = f"not the name of a series: {name[:80]!r}"
        raise ValueError(message)
    return name


def _points(columns: Mapping[str, Any]) -> Points:
    steps, times, values = (columns[name] for name in _COLUMNS)
    doubles = [decode(value) for value in values]
    if not all(type(value) is float for value in doubles):
        message = "a value of a series is not a double"
        raise ValueError(message)
    if not all(type(one) is int for column in (steps, times) for one in column):
        message = "a step or time of a series is not a whole number"
        raise ValueError(message)
    return Points.of(list(zip(steps, times, doubles, strict=True)))  # type: ignore[arg-type]


def _refused(what: str, found: str) -> LedgerError:
    return LedgerError(
        what,
        found=found[:200],
        expected="a file that `freeze runs export --format json` wrote",
    )
