"""The record protocol: lines of a container's stdout, read strictly, become trainings."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from freezer.errors import CheckError
from freezer.model.base import Model
from freezer.model.record.record import Host, Name, Observation, Timing, Training

PREFIX: Final = b"::freezer:: "
_LONGEST_LINE = 1 << 20
_MOST_OBSERVATIONS = 100_000
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_KINDS = "host, version, setting, data, random, loss, metric, tensor, timing, end, failed"


def parse_lines(lines: list[bytes]) -> tuple[Host | None, tuple[Training, ...]]:
    """Return the host and the trainings that protocol lines tell of.

    ``lines`` are those of stdout that begin with the prefix. A training without an ``end`` counts
    as failed. Raises ``CheckError`` naming the first line that is not of the protocol.
    """
    host: Host | None = None
    told: dict[str, _Told] = {}
    for number, line in enumerate(lines, 1):
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
                _take(told.setdefault(_NAME.validate_python(training), _Told()), document)
        except ValidationError as error:
            raise _bad(number, _why(error, kind)) from None
    trainings = (
        Training(
            name=name,
            observations=tuple(one.observations),
            timings=tuple(one.timings),
            failure=one.outcome,
        )
        for name, one in told.items()
    )
    return host, tuple(trainings)


class _Told:
    def __init__(self) -> None:
        self.observations: list[Any] = []
        self.timings: list[Timing] = []
        self.failure: str | None = None
        self.ended = False

    @property
    def outcome(self) -> str | None:
        """Say why this is no training that came to its end; None when it is."""
        if self.failure is not None:
            return self.failure
        if not self.ended:
            return "it stopped without saying that it came to its end (`recorder.end()`)"
        if not any(item.kind in ("loss", "tensor", "metric") for item in self.observations):
            return "it told no loss, metric or tensor, so there is nothing to compare"
        return None


class _Line(Model):
    observation: Observation


def _take(told: _Told, document: dict[str, Any]) -> None:
    kind = document.get("kind")
    if kind == "end":
        told.ended = True
    elif kind == "failed":
        said = str(document.get("value", ""))[:4000].encode("utf-8", "replace").decode()
        told.failure = said or "it failed"
    else:
        if len(told.observations) + len(told.timings) >= _MOST_OBSERVATIONS:
            raise CheckError(
                f"a training told more than {_MOST_OBSERVATIONS} observations",
                hint="tell fewer: weights every few steps are enough",
            )
        if kind == "timing":
            told.timings.append(Timing.model_validate(document))
            return
        told.observations.append(_Line.model_validate({"observation": document}).observation)


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
    if first["type"].startswith("union_tag"):
        return f"the kind {kind!r}; known are {_KINDS}"
    place = ".".join(str(part) for part in first["loc"] if part not in ("observation", kind))
    message = first["msg"].removeprefix("Value error, ")
    return f"{kind}: {place}: {message}" if place else f"{kind}: {message}"


def _bad(number: int, found: str) -> CheckError:
    return CheckError(
        f"line {number} of the training's record is not of the record protocol",
        found=found,
        expected="one JSON object a line, as docs/reference/record-protocol.md has them",
        hint="write records with freezer_inside.record.Recorder",
    )
