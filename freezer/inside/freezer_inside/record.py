"""The record protocol: how a training tells what it computed.

One line on stdout for each observation: ``::freezer:: `` and a JSON object. All else that a
training prints is its own affair. A training of one's own needs only this:

    from freezer_inside.record import Recorder

    recorder = Recorder()
    recorder.version("torch", torch.__version__)
    recorder.data("train", file_bytes)
    recorder.hyperparameters(optimizer)
    for step in range(30):
        ...
        recorder.loss(step, loss)
    recorder.tensor("weights", model.weight, step=30)
    recorder.end()

Observations are compared in their order, each with the same one of the reference, to the bit.
"""

from __future__ import annotations

import array
import base64
import ctypes
import hashlib
import json
import math
import os
import sys
from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

from .determinism import NAME
from .hyperparameters import read
from .sketch import SKETCHED, sketch

PREFIX = "::freezer:: "
WHOLE = 256
"""Elements up to which a tensor is told whole."""
SAMPLE = 128
"""Of a larger one every n-th element is told, and no more than these."""
_TYPES = frozenset(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"])


class Recorder:
    """Writes the observations of one training."""

    def __init__(self, training: Optional[str] = None, stream: Any = None) -> None:
        self.training = training or os.environ.get(NAME, "own")
        self._stream = stream or sys.stdout

    def version(self, name: str, version: str) -> None:
        """Tell the version of something that takes part."""
        self._write({"kind": "version", "name": name, "value": str(version)})

    def setting(self, name: str, value: Any) -> None:
        """Tell a setting that is in force, as read back."""
        self._write({"kind": "setting", "name": name, "value": str(value)})

    def hyperparameters(self, source: Any, name: str = "") -> None:
        """Tell hyperparameters, as settings: of an optimiser, an estimator, a booster or a mapping.

        They are read back from it as they are in force, floats to the last bit; ``name`` goes
        before each of theirs. Raises ``TypeError`` for what they cannot be read from.
        """
        for each, value in read(source).items():
            self.setting(f"{name}: {each}" if name else each, value)

    def data(self, name: str, content: Union[bytes, str]) -> None:
        """Tell data by its bytes, or by a SHA-256 that is known already."""
        digest = content if isinstance(content, str) else hashlib.sha256(content).hexdigest()
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError("give the data's bytes, or their SHA-256 as 64 hexadecimal digits")
        self._write({"kind": "data", "name": name, "sha256": digest})

    def random(self, name: str, content: bytes) -> None:
        """Tell what a generator drew."""
        digest = hashlib.sha256(content).hexdigest()
        self._write({"kind": "random", "name": name, "sha256": digest})

    def loss(self, step: int, value: float, name: str = "loss") -> None:
        """Tell a loss to the last bit."""
        self._write({"kind": "loss", "name": name, "step": int(step), "value": hexadecimal(value)})

    def metric(self, name: str, value: float, step: int = 0) -> None:
        """Tell any other number."""
        line = {"kind": "metric", "name": name, "step": int(step), "value": hexadecimal(value)}
        self._write(line)

    def tensor(self, name: str, values: Any, step: int = 0, *, sampled: bool = True) -> None:
        """Tell a tensor: a NumPy array, what converts to one, bytes, or a sequence of numbers.

        One that is not ``sampled`` is told by its digest alone: a difference is seen, and measured
        at the next step at which a tensor of that name is sampled.
        """
        told = canonical(values)
        line = {
            "kind": "tensor",
            "name": name,
            "step": int(step),
            "dtype": told.dtype,
            "shape": list(told.shape),
            "sha256": hashlib.sha256(told.raw).hexdigest(),
        }
        self._write({**line, **(_sampled(told) if sampled else {})})

    def timing(self, name: str, seconds: float) -> None:
        """Tell how long something took; it is kept, and not compared."""
        line = {"kind": "timing", "name": name, "seconds": round(float(seconds), 3)}
        self._write(line)

    def end(self) -> None:
        """Say that the training came to its end; without this it counts as failed."""
        self._write({"kind": "end", "name": self.training})

    def failed(self, message: str) -> None:
        """Say that the training failed, and why."""
        self._write({"kind": "failed", "name": self.training, "value": message})

    def _write(self, line: Dict[str, Any]) -> None:
        text = json.dumps({"training": self.training, **line}, sort_keys=True)
        # A line of its own, whatever the training printed before it and did not end.
        self._stream.write(f"\n{PREFIX}{text}\n")
        self._stream.flush()


def hexadecimal(value: Any) -> str:
    """Return a number as Python's ``float.hex`` does; ``nan`` and ``inf`` by name."""
    return float(value).hex() if math.isfinite(float(value)) else str(float(value))


class _Told(NamedTuple):
    """A tensor in the one form that all of its kind have: little-endian, row-major."""

    dtype: str
    shape: Tuple[int, ...]
    raw: bytes

    @property
    def size(self) -> int:
        return int(self.dtype[2:])

    @property
    def length(self) -> int:
        return len(self.raw) // self.size


_TORCH = {
    "torch.float16": "f2", "torch.float32": "f4", "torch.float64": "f8", "torch.bool": "b1",
    "torch.int8": "i1", "torch.int16": "i2", "torch.int32": "i4", "torch.int64": "i8",
    "torch.uint8": "u1",
}  # fmt: skip


def canonical(values: Any) -> _Told:
    """Return what is told of a tensor. Raises ``TypeError`` for a type that cannot be told."""
    if hasattr(values, "detach"):
        return _torch(values.detach().cpu().contiguous())
    if not hasattr(values, "dtype"):
        return _plain(values)
    dtype = values.dtype
    kind, size = dtype.kind, dtype.itemsize
    if f"{kind}{size}" not in _TYPES:
        raise TypeError(f"a tensor of type {dtype} cannot be told; convert it to a float type")
    if dtype.byteorder == ">" or (dtype.byteorder == "=" and sys.byteorder == "big"):
        values = values.astype(dtype.newbyteorder("<"))
    shape = tuple(int(length) for length in values.shape)
    return _Told(f"<{kind}{size}", shape, values.tobytes(order="C"))


def _torch(values: Any) -> _Told:
    """Read a tensor's memory: PyTorch works without NumPy too, and then cannot convert."""
    dtype = _TORCH.get(str(values.dtype))
    if dtype is None:
        raise TypeError(f"a tensor of type {values.dtype} cannot be told; convert it to float")
    if sys.byteorder == "big":
        return canonical(values.numpy())
    size = int(dtype[1:]) * values.numel()
    raw = ctypes.string_at(values.data_ptr(), size) if size else b""
    return _Told(f"<{dtype}", tuple(int(length) for length in values.shape), raw)


def _plain(values: Any) -> _Told:
    if isinstance(values, (bytes, bytearray)):
        return _Told("<u1", (len(values),), bytes(values))
    doubles = array.array("d", values)
    if sys.byteorder == "big":
        doubles.byteswap()
    return _Told("<f8", (len(doubles),), doubles.tobytes())


def _sampled(told: _Told) -> Dict[str, Any]:
    """Return what a difference of a tensor is measured by."""
    stride = 1 if told.length <= WHOLE else -(-told.length // SAMPLE)
    sample = base64.b64encode(_every(told.raw, told.size, stride)).decode()
    found: Dict[str, Any] = {"stride": stride, "sample": sample}
    if WHOLE < told.length <= SKETCHED:
        found["sketch"] = base64.b64encode(sketch(told.dtype, told.raw)).decode()
    return found


def _every(raw: bytes, size: int, stride: int) -> bytes:
    if stride == 1:
        return raw
    return b"".join(raw[at : at + size] for at in range(0, len(raw), size * stride))
