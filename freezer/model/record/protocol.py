"""The record protocol: lines of a container's stdout, read strictly, become trainings.

What a training prints is not trusted. Lines, their length, their number and the time that reading
them takes are limited, and each limit is checked before the work that it limits.
"""

from __future__ import annotations

import json
from time import monotonic
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from freezer.errors import CheckError
from freezer.model.base import Model
from freezer.model.record.record import Host, Name, Observation, Timing, Training

PREFIX: Final = b"::freezer:: "
LARGEST_RECORD: Final = 32 << 20
"""Bytes of all lines of a run. A reference may have twice as many, so each record can be kept."""
_LONGEST_LINE = 1 << 20
_MOST_OBSERVATIONS = 100_000
_MOST_SHOWN = 200
"""Characters of what a training printed that a message repeats."""
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_KINDS = "host, version, setting, data, random, loss, metric, tensor, timing, end, failed"


def parse_lines(
    lines: list[bytes], deadline: float | None = None
) -> tuple[Host | None, tuple[Training, ...]]:
    """Return the host and the trainings of some protocol lines.

    ``lines`` are those of stdout that begin with the prefix; ``deadline`` is the moment, by
    ``time.monotonic``, at which reading them is given up. A training without an ``end`` counts as
    failed. Raises ``CheckError`` naming the first line that is not of the protocol, and for a
    record that is too large or takes too long.
    """
    host: Host | None = None
    drafts: dict[str, _Draft] = {}
    _require_size(lines)
    for number, line in enumerate(lines, 1):
        _require_time(deadline, number, len(lines))
        document = _document(line, number)
        kind, training = document.get("kind"), document.pop("training", None)
        try:
            if kind == "host":
                if host is not None:
                    raise _bad(number, "a second line of kind 'host'")
                host = Host.model_validate(document.get("host"))
            elif training is None:
                raise _bad(number, "a line that does not name its training")
            else:
                _take(drafts.setdefault(_NAME.validate_python(training), _Draft()), document)
        except ValidationError as error:
            raise _bad(number, _why(error, kind)) from None
    trainings = (
        Training(
            name=name,
            observations=tuple(one.observations),
            timings=tuple(one.timings),
            failure=one.outcome,
        )
        for name, one in drafts.items()
    )
    return host, tuple(trainings)


class _Draft:
    """What a training reported so far."""

    def __init__(self) -> None:
        self.observations: list[Any] = []
        self.timings: list[Timing] = []
        self.failure: str | None = None
        self.ended = False

    @property
    def outcome(self) -> str | None:
        """Why this is no training that came to its end; None when it is."""
        if self.failure is not None:
            return self.failure
        if not self.ended:
            return "it stopped without reporting its end (`recorder.end()`)"
        if not any(item.kind in ("loss", "tensor", "metric") for item in self.observations):
            return "it reported no loss, metric or tensor, so there is nothing to compare"
        return None


class _Line(Model):
    observation: Observation


def _require_size(lines: list[bytes]) -> None:
    size = sum(map(len, lines))
    if size > LARGEST_RECORD:
        raise CheckError(
            "the training's record is too large",
            found=f"{size} bytes",
            expected=f"at most {LARGEST_RECORD} bytes",
            hint="report fewer tensors, or the digest alone: `tensor(..., sampled=False)`",
        )


def _require_time(deadline: float | None, number: int, count: int) -> None:
    if deadline is not None and monotonic() > deadline:
        raise CheckError(
            "reading the training's record took too long",
            found=f"line {number} of {count} when the time was over",
            hint="report fewer observations, or raise smoke.timeout",
        )


def _take(draft: _Draft, document: dict[str, Any]) -> None:
    kind = document.get("kind")
    if kind == "end":
        draft.ended = True
    elif kind == "failed":
        text = str(document.get("value", ""))[:4000].encode("utf-8", "replace").decode()
        draft.failure = text or "it failed"
    else:
        if len(draft.observations) + len(draft.timings) >= _MOST_OBSERVATIONS:
            raise CheckError(
                f"a training reported more than {_MOST_OBSERVATIONS} observations",
                hint="report fewer: weights every few steps are enough",
            )
        if kind == "timing":
            draft.timings.append(Timing.model_validate(document))
            return
        draft.observations.append(_Line.model_validate({"observation": document}).observation)


def _document(line: bytes, number: int) -> dict[str, Any]:
    if len(line) > _LONGEST_LINE:
        raise _bad(number, f"a line of {len(line)} bytes")
    try:
        document = json.loads(line.removeprefix(PREFIX))
    except (ValueError, RecursionError):
        raise _bad(number, f"not JSON: {line[:80].decode('utf-8', 'replace')}") from None
    if not isinstance(document, dict):
        raise _bad(number, "not a JSON object")
    return document


def _why(error: ValidationError, kind: object) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(kind)[:_MOST_SHOWN]
    if first["type"].startswith("union_tag"):
        return f"the kind {name!r}; known are {_KINDS}"
    place = ".".join(str(part) for part in first["loc"] if part not in ("observation", kind))
    message = first["msg"].removeprefix("Value error, ")
    place = place[:_MOST_SHOWN]
    return f"{name}: {place}: {message}" if place else f"{name}: {message}"


def _bad(number: int, found: str) -> CheckError:
    return CheckError(
        f"line {number} of the training's record is not of the record protocol",
        found=found,
        expected="one JSON object a line, as docs/reference/record-protocol.md has them",
        hint="write records with freezer_inside.record.Recorder",
    )
