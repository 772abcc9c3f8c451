"""Separates the lines of the record protocol from a training's other output."""

from __future__ import annotations

import json
import re
import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from freezer.check.invariants.observed import TensorFacts
from freezer.ledger.series import Points
from freezer.model.record.protocol import PREFIX
from freezer.model.record.record import Tensor
from freezer.model.record.run import Digest, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from freezer.model.record.run import Value

STDOUT: Final = 1
LONGEST: Final = 1 << 20
"""Maximum bytes of a protocol line."""
MOST_POINTS: Final = 10_000_000
MOST_FIELDS: Final = 10_000
MOST_TEXT: Final = 16 << 20
"""Maximum characters of all names and texts of a run."""
LONGEST_NAME: Final = 200
"""Maximum characters of a name: databases cannot index much longer ones."""
TAIL_LINES: Final = 40
"""Last lines of the output that are recorded."""
TAIL_BYTES: Final = 64 << 10
_LONGEST_NUMBER: Final = 400
"""Maximum characters of a number as text."""
_NUMBER_WITH_TYPE: Final = re.compile(r"(\S+) \((?:float|f[248]|[iu][1248])\)")
"""As `hyperparameters` of the runtime writes floats, and scalars of NumPy: the value, its type."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000


class Filter:
    """Passes a training's output on immediately, and parses its protocol lines.

    Facts about the named ``tensors`` are kept for expectations.
    """

    def __init__(
        self,
        show: Callable[[int, bytes], None],
        tensors: Container[str] = frozenset(),
        clock: Callable[[], int] | None = None,
    ) -> None:
        """``clock`` returns microseconds since 1970: of output read later, when it was written."""
        self._show = show
        self._held = bytearray()
        """The beginning of a line that may be one of the protocol."""
        self._searched = 0
        """Bytes of it in which no line ends: a long line is not read again and again."""
        self._fresh = True
        """Whether the next byte begins a line."""
        self._blank = False
        """Whether an empty line was held back: the recorder writes one before each of its own."""
        self._tail = b""
        self.report = Report(tensors, clock)

    def take(self, stream: int, data: bytes) -> None:
        """Process a block of the container's output."""
        if stream == STDOUT:
            self._held += data
            data = self._readable()
        if data:
            self._pass(stream, data)

    def end(self) -> None:
        """Process the unterminated last line."""
        held, self._held = bytes(self._held), bytearray()
        if held.startswith(PREFIX) and self.report.read(held):
            held = b""
        if held or self._blank:
            self._pass(STDOUT, self._blank * b"\n" + held)
        self._blank = False

    def tail(self) -> str:
        """Return the last lines of the output, both streams in order of arrival."""
        lines = self._tail.decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def _pass(self, stream: int, data: bytes) -> None:
        self._tail = (self._tail + data)[-TAIL_BYTES:]
        self._show(stream, data)

    def _readable(self) -> bytes:
        """Parse and remove complete protocol lines; return the other output."""
        held, shown, start = self._held, bytearray(), 0
        while start < len(held):
            end = held.find(b"\n", max(start, self._searched)) + 1
            if not end and self._fresh and self._may_be_protocol(start):
                break
            line = bytes(held[start : end or len(held)])
            start += len(line)
            self._searched = start
            if self._fresh and end and line.startswith(PREFIX):
                self._blank = False
                self.report.read(line)
                continue
            if self._fresh:
                shown += self._blank * b"\n"
                self._blank = line == b"\n"
                line = b"" if self._blank else line
            shown += line
            self._fresh = bool(end)
        del held[:start]
        self._searched = len(held)
        return bytes(shown)

    def _may_be_protocol(self, start: int) -> bool:
        begin = bytes(self._held[start : start + len(PREFIX)])
        return PREFIX.startswith(begin) and len(self._held) - start <= LONGEST


class Report:
    """Fields and series reported by a training. Untrusted: bounded and validated."""

    def __init__(
        self, tensors: Container[str] = frozenset(), clock: Callable[[], int] | None = None
    ) -> None:
        self._clock = clock or now
        self.fields: dict[str, Value] = {}
        self.tensors: dict[str, TensorFacts] = {}
        self._wanted = tensors
        self._points: dict[str, list[tuple[int, int, float]]] = {}
        self._count = 0
        self._text = 0
        self._lock = Lock()
        self.ignored = 0
        """Lines that could not be read, or were too many."""

    def read(self, line: bytes) -> bool:
        """Parse a protocol line; return whether it was valid."""
        try:
            if len(line) > LONGEST:
                raise ValueError
            document = json.loads(line.removeprefix(PREFIX))
            self._take(document, document["kind"], document.get("name"))
        except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError, RecursionError):
            self.ignored += 1
            return False
        return True

    def metrics(self) -> Mapping[str, Points]:
        """Return and clear the points reported since the last call; thread-safe."""
        with self._lock:
            taken, self._points = self._points, {}
        return {name: Points.of(points) for name, points in taken.items()}

    def _take(self, document: Mapping[str, Any], kind: Any, name: Any) -> None:
        if kind == "tensor" and name in self._wanted:
            one = {key: value for key, value in document.items() if key != "training"}
            self.tensors.setdefault(name, TensorFacts()).add(Tensor.model_validate(one))
        if kind not in _KINDS:
            return  # such as other tensors and timings: of the smoke training alone
        _require_name(name)
        if kind in ("loss", "metric"):
            step = int(document["step"])
            step.to_bytes(8, "big", signed=True)  # or OverflowError
            self._number(f"metrics.{name}", step, read_number(document["value"]))
        elif kind == "setting":
            self._field(f"params.{name}", setting(document["value"]))
        elif kind == "version":
            self._field(f"versions.{name}", str(document["value"]))
        elif _SHA256.fullmatch(document["sha256"]):
            self._field(f"{kind}.{name}", Digest(document["sha256"]))
        else:
            raise ValueError

    def _number(self, name: str, step: int, value: float) -> None:
        if self._count >= MOST_POINTS:
            raise ValueError
        self._field(name, value)
        with self._lock:
            self._points.setdefault(name, []).append((step, self._clock(), value))
        self._count += 1

    def _field(self, name: str, value: Value) -> None:
        size = len(value) if isinstance(value, str) else 0
        size += 0 if name in self.fields else len(name)
        if name not in self.fields and len(self.fields) >= MOST_FIELDS:
            raise ValueError
        if self._text + size > MOST_TEXT:
            raise ValueError
        self._text += size
        self.fields[name] = value


_KINDS: Final = ("loss", "metric", "setting", "version", "data", "random")


def _require_name(name: Any) -> None:
    """Raise ``ValueError`` for a name that cannot be a column's."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValueError


def read_number(text: Any) -> float:
    """Parse a number of the protocol: hexadecimal, ``nan`` or ``inf``."""
    return float.fromhex(text) if isinstance(text, str) else float(text)


def setting(value: Any) -> Value:
    """Return the value of a setting, as a number or boolean if its text is one."""
    if isinstance(value, bool | int | float):
        return bounded(value) if type(value) is int else value
    text = str(value)
    if len(text) > _LONGEST_NUMBER:
        return text
    if (number := _NUMBER_WITH_TYPE.fullmatch(text)) is not None:
        text = number[1]
    if text in ("True", "False"):
        return text == "True"
    try:
        return bounded(int(text))
    except ValueError:
        pass
    try:
        return float.fromhex(text) if "0x" in text else float(text)
    except (ValueError, OverflowError):
        return text
