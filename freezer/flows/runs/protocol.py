"""A training's output on its way to the terminal: lines of the record protocol are taken out."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from freezer.ledger.series import Points
from freezer.model.record.protocol import PREFIX
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freezer.model.record.run import Value

STDOUT: Final = 1
LONGEST: Final = 1 << 20
"""Bytes of a line of the protocol."""
MOST_POINTS: Final = 10_000_000
MOST_FIELDS: Final = 10_000


class Filter:
    """Hands on what a training prints at once, and reads what it reports."""

    def __init__(self, show: Callable[[int, bytes], None]) -> None:
        self._show = show
        self._held = b""
        """The beginning of a line that may be one of the protocol."""
        self._fresh = True
        """Whether the next byte begins a line."""
        self._blank = False
        """Whether an empty line was held back: the recorder writes one before each of its own."""
        self.report = Report()

    def take(self, stream: int, data: bytes) -> None:
        """Take what the container wrote."""
        if stream != STDOUT:
            self._show(stream, data)
            return
        rest, self._held = self._held + data, b""
        shown = bytearray()
        while rest:
            line, end, rest = rest.partition(b"\n")
            if not self._fresh:
                shown += line + end
                self._fresh = bool(end)
            elif line.startswith(PREFIX) and end:
                self._blank = False
                self.report.read(line)
            elif not end and len(line) <= LONGEST and _may_begin(line):
                self._held = line
            else:
                shown += self._blank * b"\n"
                self._blank = not line
                shown += b"" if self._blank else line + end
                self._fresh = bool(end)
        if shown:
            self._show(stream, bytes(shown))

    def end(self) -> None:
        """Show what was held back, unless it is of the protocol."""
        if self._held and not self._held.startswith(PREFIX):
            self._show(STDOUT, self._blank * b"\n" + self._held)
        self._held, self._blank = b"", False


def _may_begin(line: bytes) -> bool:
    return line.startswith(PREFIX) or PREFIX.startswith(line)


class Report:
    """What a training reported: fields, and series of numbers."""

    def __init__(self) -> None:
        self.fields: dict[str, Value] = {}
        self._points: dict[str, list[tuple[int, int, float]]] = {}
        self._count = 0
        self.ignored = 0
        """Lines that could not be read, or were too many."""

    def read(self, line: bytes) -> None:
        """Take a line of the protocol; what it does not say in the usual form is passed over."""
        try:
            document = json.loads(line.removeprefix(PREFIX))
            self._take(document, str(document.get("kind")), str(document.get("name")))
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            self.ignored += 1

    def metrics(self) -> Mapping[str, Points]:
        """Return the series since they were asked for last."""
        found = {name: Points.of(points) for name, points in self._points.items()}
        self._points = {}
        return found

    def _take(self, document: Mapping[str, Any], kind: str, name: str) -> None:
        if kind in ("loss", "metric"):
            self._number(f"metrics.{name}", int(document["step"]), read_number(document["value"]))
        elif kind == "setting":
            self._field(f"params.{name}", setting(document["value"]))
        elif kind in ("data", "random"):
            self._field(f"{kind}.{name}", Digest(str(document["sha256"])))
        elif kind == "version":
            self._field(f"versions.{name}", str(document["value"]))

    def _number(self, name: str, step: int, value: float) -> None:
        if self._count >= MOST_POINTS:
            raise ValueError
        self._field(name, value)
        self._points.setdefault(name, []).append((step, time.time_ns() // 1000, value))
        self._count += 1

    def _field(self, name: str, value: Value) -> None:
        if name not in self.fields and len(self.fields) >= MOST_FIELDS:
            raise ValueError
        self.fields[name] = value


def read_number(text: Any) -> float:
    """Return a number as the protocol writes it: hexadecimal, or ``nan`` and ``inf``."""
    return float.fromhex(text) if isinstance(text, str) else float(text)


def setting(value: Any) -> Value:
    """Return the value of a setting, typed where its text says so."""
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float.fromhex(text) if "0x" in text else float(text)
    except ValueError:
        return {"True": True, "False": False}.get(text, text)
