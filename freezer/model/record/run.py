"""A run of a user's own training: everything that decided its results, and what came out.

All queryable values are in `Run.fields`, by dotted name (``params.lr``, ``metrics.loss``,
``data.train``, ``lock``); each value keeps its type, and every double its bits.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = 1
_LARGEST: Final = 2**1023
"""Whole numbers from here on are recorded as text: no double can hold twice this."""
LATEST: Final = 253_402_300_799_999_999
"""The last moment that `Time` can be written as: the end of the year 9999."""
STATES: Final = ("running", "finished", "failed", "interrupted")
"""``finished`` exited with 0, ``failed`` with anything else, or its results are not as the spec
expects them; ``interrupted`` was ended, or died."""
LARGEST: Final = 1 << 20
"""Characters of one text; nothing shorter is ever cut."""


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """A moment, in microseconds since 1970 (UTC)."""

    micros: int

    def __str__(self) -> str:
        """Render as ``2026-11-01T12:00:00.000000Z``, without a fraction where there is none."""
        whole, part = divmod(self.micros, 1_000_000)
        text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{part:06}Z" if part else f"{text}Z"


@dataclass(frozen=True, slots=True)
class Digest:
    """What content is named by: hexadecimal digits, with or without ``sha256:`` before them."""

    text: str

    def __str__(self) -> str:
        """Return the text as it is."""
        return self.text


Value = float | int | str | bool | Time | Digest
"""What a field holds."""
_PLAIN: Final[frozenset[Any]] = frozenset({float, int, str, bool})
"""Types of values that JSON has as they are."""


@dataclass(frozen=True, slots=True)
class Output:
    """One file that a run left in its output folder."""

    path: str
    size: int
    """Bytes."""
    sha256: str
    """Of its bytes."""
    content: str | None = None
    """Of its content, where the format is known to hold clocks or random identifiers as well."""
    format: str | None = None
    """What it was taken for."""


@dataclass(frozen=True)
class Run:
    """One run, as the ledger keeps it."""

    id: str
    """16 hexadecimal digits, made when the run starts."""
    environment: str
    state: str
    started: Time
    command: tuple[str, ...] = ()
    ended: Time | None = None
    exit_code: int | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """Other runs by what they are to this one: ``resumes``, ``reproduces``, ``sweep``."""
    tail: str = ""
    """The last lines of its output."""
    owner: Mapping[str, Value] = field(default_factory=dict)
    """Host, boot and process that records it, which distinguishes a dead one from a slow one."""

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.ended is None else (self.ended.micros - self.started.micros) / 1e6

    def all_fields(self) -> dict[str, Value]:
        """Return all queryable fields, by their name in a filter."""
        found: dict[str, Value] = {
            "id": self.id,
            "env": self.environment,
            "status": self.state,
            "started": self.started,
            "command": " ".join(self.command),
            **self.fields,
            **{f"tags.{name}": value for name, value in self.tags.items()},
            **{f"links.{name}": value for name, value in self.links.items()},
        }
        if self.ended is not None:
            found["ended"] = self.ended
            found["seconds"] = (self.ended.micros - self.started.micros) / 1e6
        if self.exit_code is not None:
            found["exit"] = self.exit_code
        return found

    def with_fields(self, more: Mapping[str, Value]) -> Run:
        """Return the run with further fields; of one name the later value counts."""
        return replace(self, fields={**self.fields, **more})


def run_bytes(run: Run) -> bytes:
    """Return a run as JSON: the same run, the same bytes, every double to its last bit."""
    document = {
        "format": FORMAT,
        "id": run.id,
        "environment": run.environment,
        "state": run.state,
        "started": run.started.micros,
        "ended": None if run.ended is None else run.ended.micros,
        "exit": run.exit_code,
        "command": list(run.command),
        "fields": {name: encode(value) for name, value in sorted(run.fields.items())},
        "tags": dict(sorted(run.tags.items())),
        "notes": list(run.notes),
        "outputs": [
            [one.path, one.size, one.sha256, one.content, one.format] for one in run.outputs
        ],
        "links": dict(sorted(run.links.items())),
        "tail": run.tail,
        "owner": {name: encode(value) for name, value in sorted(run.owner.items())},
    }
    # Lone surrogates (a name that is not UTF-8) are escaped; all else stands as it is.
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()


def read_run(data: bytes | str) -> Run:
    """Return the run in a document. Raises ``ValueError`` for anything else."""
    try:
        found = _parsed(data)
        if found["format"] != FORMAT:
            raise ValueError(found["format"])
        return Run(
            id=found["id"],
            environment=found["environment"],
            state=found["state"],
            started=Time(found["started"]),
            ended=None if found["ended"] is None else Time(found["ended"]),
            exit_code=found["exit"],
            command=tuple(found["command"]),
            fields=_values(found["fields"]),
            tags=found["tags"],
            notes=tuple(found["notes"]),
            outputs=tuple(Output(*one) for one in found["outputs"]),
            links=found["links"],
            tail=found["tail"],
            owner={name: decode(value) for name, value in found["owner"].items()},
        )
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        message = f"not a run: {error}"
        raise ValueError(message) from None


def read_new_run(data: bytes | str) -> Run:
    """Return the run in a document that comes from outside the ledger: see `bounded`.

    Raises ``ValueError`` as `read_run` does.
    """
    run = read_run(data)
    fields = {
        name: bounded(value) if type(value) is int else value for name, value in run.fields.items()
    }
    return replace(run, fields=fields)


def _parsed(data: bytes | str) -> Any:
    """Return a document. A query reads a thousand: pydantic's parser takes a third of the time."""
    try:
        return from_json(data)
    except ValueError:  # among others for lone surrogates, which `json` takes
        return json.loads(data)


def _values(found: dict[str, Any]) -> dict[str, Value]:
    """Return the values of a document, which is changed: most of them stand there as they are."""
    for name in [name for name, value in found.items() if type(value) not in _PLAIN]:
        found[name] = decode(found[name])
    return found


def encode(value: Value) -> Any:
    """Return a value as JSON has it; what JSON has no form for becomes a mapping of one key."""
    if isinstance(value, Time):
        return {"time": value.micros}
    if isinstance(value, Digest):
        return {"digest": value.text}
    if isinstance(value, float) and not math.isfinite(value):
        return {"double": struct.pack(">d", value).hex()}
    return value


def bounded(value: int) -> int | str:
    """Return a whole number as it is, or as text if no double can hold it."""
    return value if abs(value) < _LARGEST else str(value)


def decode(value: Any) -> Value:
    """Return the value of an encoded one. Raises ``ValueError`` for anything else."""
    if not isinstance(value, dict):
        if value is None or isinstance(value, list):
            message = f"not a value: {value!r}"
            raise ValueError(message)
        return value  # type: ignore[no-any-return]
    [(kind, inner)] = value.items()
    if kind == "time":
        return Time(int(inner))
    if kind == "digest":
        return Digest(str(inner))
    if kind == "double" and isinstance(inner, str) and len(inner) == 16:
        return float(struct.unpack(">d", bytes.fromhex(inner))[0])
    message = f"not a value: {value!r}"
    raise ValueError(message)
