"""The record of a smoke training: everything that it told, in its order."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, ValidationError

from freezer.errors import CheckError
from freezer.model.base import Digest, Model, Sha256

RECORD_SCHEMA: Final = "freezer/record/1"
PREFIX: Final = b"::freezer:: "
_LONGEST_LINE = 1 << 20
_MOST_OBSERVATIONS = 100_000

Hex = Annotated[str, StringConstraints(pattern=r"^(-?0x[01]\.[0-9a-f]+p[+-]\d+|nan|inf|-inf)$")]
"""A float as ``float.hex`` writes it."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Step = Annotated[int, Field(ge=0, lt=2**53)]


class Said(Model):
    """A version or a setting, as the training read it back."""

    kind: Literal["version", "setting"]
    name: Name
    value: Annotated[str, StringConstraints(max_length=1000)]


class Digested(Model):
    """Data, or what a random generator drew, by digest."""

    kind: Literal["data", "random"]
    name: Name
    sha256: Sha256


class Number(Model):
    """A loss or another number, to the last bit."""

    kind: Literal["loss", "metric"]
    name: Name
    step: Step
    value: Hex


class Tensor(Model):
    """A tensor by digest, with a sample of its elements for measuring a difference."""

    kind: Literal["tensor"]
    name: Name
    step: Step
    dtype: Annotated[str, StringConstraints(pattern=r"^<(f[248]|[iu][1248]|b1)$")]
    shape: tuple[Annotated[int, Field(ge=0)], ...]
    sha256: Sha256
    stride: Annotated[int, Field(ge=1)]
    """The sample holds every ``stride``-th element in row-major order, from the first."""
    sample: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
    """Little-endian, base64."""


Observation = Annotated[Said | Digested | Number | Tensor, Field(discriminator="kind")]


class Training(Model):
    """What one training told."""

    name: Name
    observations: tuple[Observation, ...]
    failure: str | None = None
    """None when it came to its end."""


class Host(Model):
    """What of a host decides how numbers round; see ``freezer_inside/fingerprint.py``."""

    class_: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")] = Field(
        alias="class"
    )
    """References are kept under this name: ``x86-64-v4-skylakex``."""
    level: str
    cpu: str
    flags: tuple[str, ...]
    blas_kernels: tuple[str, ...]
    cpus: int
    libc: str
    kernel: str
    python: str
    settings: dict[str, str]


class Record(Model):
    """One run of a lock's smoke trainings on one host."""

    schema_: Literal["freezer/record/1"] = Field(default=RECORD_SCHEMA, alias="schema")
    lock_id: Sha256
    image: Digest
    inside: Sha256
    """Digest of the ``freezer_inside`` that ran; records of different ones are not compared."""
    host: Host
    trainings: tuple[Training, ...]


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
                host = Host.model_validate(document.get("host"))
                continue
            if not isinstance(training, str) or not training:
                raise _bad(number, "a line that does not name its training")
            _take(told.setdefault(training, _Told()), document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _bad(number, f"{place}: {first['msg']}") from None
    return host, tuple(one.training(name) for name, one in told.items())


class _Told:
    def __init__(self) -> None:
        self.observations: list[Any] = []
        self.failure: str | None = None
        self.ended = False

    def training(self, name: str) -> Training:
        failure = self.failure
        if failure is None and not self.ended:
            failure = "it stopped without saying that it came to its end (`recorder.end()`)"
        if failure is None and not any(
            item.kind in ("loss", "tensor", "metric") for item in self.observations
        ):
            failure = "it told no loss, metric or tensor, so there is nothing to compare"
        return Training(name=name, observations=tuple(self.observations), failure=failure)


class _Line(Model):
    observation: Observation


def _take(told: _Told, document: dict[str, Any]) -> None:
    kind = document.get("kind")
    if kind == "end":
        told.ended = True
    elif kind == "failed":
        told.failure = str(document.get("value", ""))[:4000] or "it failed"
    else:
        if len(told.observations) >= _MOST_OBSERVATIONS:
            raise CheckError(
                f"a training told more than {_MOST_OBSERVATIONS} observations",
                hint="tell fewer: weights every few steps are enough",
            )
        told.observations.append(_Line.model_validate({"observation": document}).observation)


def _document(line: bytes, number: int) -> dict[str, Any]:
    if len(line) > _LONGEST_LINE:
        raise _bad(number, f"a line of {len(line)} bytes")
    try:
        document = json.loads(line.removeprefix(PREFIX))
    except ValueError:
        raise _bad(number, f"not JSON: {line[:80].decode('utf-8', 'replace')}") from None
    if not isinstance(document, dict):
        raise _bad(number, "not a JSON object")
    return document


def _bad(number: int, found: str) -> CheckError:
    return CheckError(
        f"line {number} of the training's record is not of the record protocol",
        found=found,
        hint="write records with freezer_inside.record.Recorder; see "
        "docs/reference/record-protocol.md",
    )
