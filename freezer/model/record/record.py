"""The record of a smoke training: everything that it reported, in its order."""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from freezer.model.base import Digest, Model, Sha256
from freezer.model.record.inventory import InventoryNote

RECORD_SCHEMA: Final = "freezer/record/1"


def _finite_or_named(text: str) -> str:
    """Refuse what ``float.fromhex`` would: an exponent that no double has."""
    try:
        float.fromhex(text)
    except OverflowError:
        msg = "the number is larger than any double"
        raise ValueError(msg) from None
    return text


def _printable(text: str) -> str:
    """Refuse line ends, escape sequences and marks that turn text around."""
    if not text.isprintable():
        msg = "a name may hold printable characters only"
        raise ValueError(msg)
    return text


MOST_DIMENSIONS: Final = 32
"""Dimensions of a tensor at most; NumPy's own limit was the same for decades."""


def _countable(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse a shape whose number of elements no 64-bit index counts."""
    if math.prod(shape) >= 2**63:
        msg = "the tensor has more elements than 2^63"
        raise ValueError(msg)
    return shape


# The limits come before anything is computed with a shape: the product of 50,000 large sizes alone
# takes minutes. At most 32 sizes below 2^53 multiply in no time.
Shape = Annotated[
    tuple[Annotated[int, Field(ge=0, lt=2**53)], ...],
    Field(max_length=MOST_DIMENSIONS),
    AfterValidator(_countable),
]
Hex = Annotated[
    str,
    StringConstraints(pattern=r"^(-?0x[01]\.[0-9a-f]{1,13}p[+-]\d{1,5}|nan|inf|-inf)$"),
    AfterValidator(_finite_or_named),
]
"""A float as ``float.hex`` writes it."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
Step = Annotated[int, Field(ge=0, lt=2**53)]
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class ReadBack(Model):
    """A version or a setting, as the training read it back."""

    kind: Literal["version", "setting"]
    name: Name
    value: Annotated[str, StringConstraints(max_length=1000)]

    @property
    def readable(self) -> str:
        """The value with the decimal form of each hexadecimal float.

        ``0.05 = 0x1.999999999999ap-5 (float)``. The decimal is the shortest that gives the same
        double, so values that differ look different.
        """
        return _HEXADECIMAL.sub(_in_decimal, self.value)


_HEXADECIMAL = re.compile(r"(?<![\w.])-?0x[01]\.[0-9a-f]{1,13}p[+-]\d{1,4}(?!\w)")


def _in_decimal(match: re.Match[str]) -> str:
    try:
        return f"{float.fromhex(match[0])!r} = {match[0]}"
    except OverflowError:
        return match[0]


class Digested(Model):
    """Data, or the output of a random generator, by digest."""

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
    """A tensor by digest, with a sample and a sketch to measure a difference by."""

    kind: Literal["tensor"]
    name: Name
    step: Step
    dtype: Annotated[str, StringConstraints(pattern=r"^<(f[248]|[iu][1248]|b1)$")]
    shape: Shape = ()
    sha256: Sha256
    """Of all elements: this alone decides whether two tensors are the same."""
    stride: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    """The sample holds every ``stride``-th element in row-major order, from the first."""
    sample: Base64 | None = None
    """Little-endian, base64; None for a tensor that is recorded by its digest alone."""
    sketch: Base64 | None = None
    """Where the stride is not 1: doubles, each the sum of a block of equally many elements (the
    last one may be shorter) with signs that are fixed by position. Covers every element."""

    @property
    def count(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)

    @model_validator(mode="after")
    def _whole(self) -> Tensor:
        if (self.sample is None) is not (self.stride is None):
            msg = "a sample and its stride come together, or neither does"
            raise ValueError(msg)
        size, held = int(self.dtype[2:]), -(-self.count // (self.stride or 1))
        if self.sample is not None and len(_decoded(self.sample)) != held * size:
            msg = f"the sample does not hold {held} elements of {size} bytes"
            raise ValueError(msg)
        if len(_decoded(self.sketch or "")) % 8:
            msg = "the sketch does not hold doubles"
            raise ValueError(msg)
        return self


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        msg = "this is not base64"
        raise ValueError(msg) from None


class Timing(Model):
    """How long something took; recorded, and never compared."""

    kind: Literal["timing"]
    name: Name
    seconds: Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)]


Observation = Annotated[ReadBack | Digested | Number | Tensor, Field(discriminator="kind")]


class Training(Model):
    """What one training reported."""

    name: Name
    observations: tuple[Observation, ...] = ()
    timings: tuple[Timing, ...] = ()
    failure: str | None = None
    """None when it came to its end."""


class Host(Model):
    """The facts of a host that decide how numbers round; see ``freezer_inside/fingerprint.py``."""

    class_: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")] = Field(
        alias="class"
    )
    """References are kept under this name: ``x86-64-v4-skylakex``."""
    level: str
    cpu: str
    flags: tuple[str, ...] = ()
    blas_kernels: tuple[str, ...] = ()
    """Empty where no BLAS was loaded, or none that names its kernels."""
    blas: tuple[str, ...] = ()
    """Each BLAS that NumPy and SciPy load: library, version, threads in force."""
    cpus: int
    memory: Annotated[int, Field(ge=0)] = 0
    """Bytes of the host; 0 where it was not recorded."""
    gpus: tuple[str, ...] = ()
    """Each NVIDIA GPU that the training could see: model, compute capability, driver."""
    engine: str = ""
    """What ran the container: ``docker 28.5.2``."""
    libc: str
    kernel: str
    python: str
    settings: dict[str, str] = {}


class Record(Model):
    """One run of a lock's smoke trainings on one host."""

    schema_: Literal["freezer/record/1"] = Field(default=RECORD_SCHEMA, alias="schema")
    lock_id: Sha256
    image: Digest
    inside: Sha256
    """Digest of the ``freezer_inside`` that ran; records of different ones are not compared."""
    host: Host
    trainings: tuple[Training, ...] = ()
    inventory: InventoryNote | None = None
    """What did the arithmetic; None in records from before there were inventories."""
