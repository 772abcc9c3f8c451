"""Records for tests: a small one, and ways to change one thing in it."""

from __future__ import annotations

import io
import struct
from typing import Any

from freezer.inside.freezer_inside.record import Recorder
from freezer.model.record.protocol import parse_lines
from freezer.model.record.record import Host, Record

HOST: dict[str, Any] = {
    "class": "x86-64-v4-skylakex",
    "level": "x86-64-v4",
    "cpu": "Test CPU",
    "flags": ["avx2", "avx512f"],
    "blas-kernels": ["SkylakeX"],
    "cpus": 2,
    "libc": "glibc 2.36",
    "kernel": "6.1",
    "python": "3.11.2",
    "settings": {"OMP_NUM_THREADS": "2"},
}


class Floats:
    """As much of a NumPy array as the recorder asks for, without NumPy."""

    class _Type:
        byteorder, kind, itemsize = "<", "f", 4

    dtype = _Type()

    def __init__(self, *values: float) -> None:
        self._values = values
        self.shape = (len(values),)

    def tobytes(self, order: str = "C") -> bytes:
        return struct.pack(f"<{len(self._values)}f", *self._values)


def lines(training: str = "numpy", *, end: bool = True, loss: float = 0.5, weight: float = 1.0,
          data: bytes = b"data", seed: str = "1234") -> list[bytes]:  # fmt: skip
    stream = io.StringIO()
    recorder = Recorder(training, stream)
    recorder.version("numpy", "2.4.6")
    recorder.setting("FREEZER_SEED", seed)
    recorder.data("features", data)
    recorder.random("default_rng", seed.encode())
    for step in (1, 2):
        recorder.loss(step, loss if step == 2 else 0.75)
    recorder.tensor("w1", Floats(weight, 2.0, 3.0), step=2)
    if end:
        recorder.end()
    return [line for line in stream.getvalue().encode().splitlines() if line]


def training_lines(training: str, name: str, tensor: Floats, step: int = 0) -> list[bytes]:
    """Return the lines of a training that tells one tensor."""
    stream = io.StringIO()
    recorder = Recorder(training, stream)
    recorder.tensor(name, tensor, step)
    recorder.end()
    return [line for line in stream.getvalue().encode().splitlines() if line]


def record(told: list[bytes] | None = None, **host: Any) -> Record:
    _, trainings = parse_lines(told if told is not None else lines())
    return Record(
        lock_id="1" * 64,
        image=f"sha256:{'2' * 64}",
        inside="3" * 64,
        host=Host.model_validate({**HOST, **host}),
        trainings=trainings,
    )
