"""The record protocol: how a training tells what it computed.

One line on stdout for each observation: ``::freezer:: `` and a JSON object. All else that a
training prints is its own affair. A training of one's own needs only this:

    from freezer_inside.record import Recorder

    recorder = Recorder()
    recorder.version("torch", torch.__version__)
    recorder.data("train", file_bytes)
    for step in range(30):
        ...
        recorder.loss(step, loss)
    recorder.tensor("weights", model.weight.detach().numpy(), step=30)
    recorder.end()

Observations are compared in their order, each with the same one of the reference, to the bit.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import struct
import sys
from typing import Any, Dict, List, Optional, Tuple, Union

PREFIX = "::freezer:: "
NAME = "FREEZER_TRAINING"
"""Where a training finds the name that its observations go by."""
SAMPLE = 1024
"""Elements of a tensor that are told as they are; of a larger one every n-th."""


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

    def data(self, name: str, content: Union[bytes, str]) -> None:
        """Tell data by its bytes, or by a SHA-256 that is known already."""
        is_digest = isinstance(content, str)
        digest = content if is_digest else hashlib.sha256(content).hexdigest()  # type: ignore[arg-type]
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

    def tensor(self, name: str, array: Any, step: int = 0) -> None:
        """Tell a tensor: anything with NumPy's ``dtype``, ``shape`` and ``tobytes()``."""
        dtype, shape, raw = _canonical(array)
        stride = max(1, -(-_count(shape) // SAMPLE))
        line = {
            "kind": "tensor",
            "name": name,
            "step": int(step),
            "dtype": dtype,
            "shape": list(shape),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "stride": stride,
            "sample": base64.b64encode(_every(raw, int(dtype[2:]), stride)).decode(),
        }
        self._write(line)

    def end(self) -> None:
        """Say that the training came to its end; without this it counts as failed."""
        self._write({"kind": "end", "name": self.training})

    def failed(self, message: str) -> None:
        """Say that the training failed, and why."""
        self._write({"kind": "failed", "name": self.training, "value": message})

    def _write(self, line: Dict[str, Any]) -> None:
        text = json.dumps({"training": self.training, **line}, sort_keys=True)
        self._stream.write(f"{PREFIX}{text}\n")
        self._stream.flush()


def hexadecimal(value: Any) -> str:
    """Return a number as Python's ``float.hex`` does; ``nan`` and ``inf`` by name."""
    return float(value).hex() if math.isfinite(float(value)) else str(float(value))


def _canonical(array: Any) -> Tuple[str, Tuple[int, ...], bytes]:
    """Return little-endian type, shape and row-major bytes."""
    dtype = array.dtype
    if dtype.byteorder == ">" or (dtype.byteorder == "=" and sys.byteorder == "big"):
        array = array.astype(dtype.newbyteorder("<"))
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in "fiub" or size not in (1, 2, 4, 8):
        raise TypeError(f"a tensor of type {dtype} cannot be told; convert it to a float type")
    return f"<{kind}{size}", tuple(int(n) for n in array.shape), array.tobytes(order="C")


def _count(shape: Tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _every(raw: bytes, size: int, stride: int) -> bytes:
    if stride == 1:
        return raw
    return b"".join(raw[at : at + size] for at in range(0, len(raw), size * stride))


def floats(dtype: str, raw: bytes) -> List[float]:
    """Return the values of little-endian bytes of a type such as ``<f4``."""
    code = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q",
            "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "b1": "?"}[dtype[1:]]  # fmt: skip
    return [float(value) for value in struct.unpack(f"<{len(raw) // int(dtype[2:])}{code}", raw)]
