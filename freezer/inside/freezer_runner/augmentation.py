"""Augmentation by key, its policy recorded, and the digest of an augmented set."""

import hashlib
import random
from importlib import import_module
from typing import Any, Dict, Iterable, Tuple

from .keys import Key, key_bytes, key_number
from .recording import record_params, recorder

ALGORITHM = "freezer-augmentation/1"


class Augmentation:
    """Random numbers for each sample in each epoch, whatever the order and the workers are.

    ``augment = Augmentation("flip and crop", seed=1234, flip=0.5, crop=24)`` records the policy;
    ``augment.random(epoch, key)`` is the generator of one sample.
    """

    def __init__(self, name: str, /, seed: int, **policy: Any) -> None:
        self._seed = seed
        place = f"augmentation.{name}"
        record_params({f"{place}.algorithm": ALGORITHM, f"{place}.seed": seed})
        record_params({f"{place}.{key}": value for key, value in policy.items()})

    def seed(self, epoch: int, key: Key) -> int:
        """Return 63 bits for any framework's generator, as ``freezer_inside.augmentation``."""
        return key_number("augmentation", self._seed, epoch, key)

    def random(self, epoch: int, key: Key) -> random.Random:
        """Return a generator of Python's own."""
        return random.Random(self.seed(epoch, key))  # noqa: S311 - no secret

    def numpy(self, epoch: int, key: Key) -> Any:
        """Return a generator of NumPy's: PCG64, whose bits are the same in every version."""
        numpy = import_module("numpy.random")
        return numpy.Generator(numpy.PCG64(self.seed(epoch, key)))


def digest_samples(name: str, samples: Iterable[Tuple[Key, Any]]) -> str:
    """Return the SHA-256 of a set of samples, in whatever order they come, and record it.

    ``samples`` are pairs of a key and the content: bytes, text, or an array or tensor. It is
    recorded as ``data.NAME``. Raises ``ValueError`` for a key that occurs twice.
    """
    found: Dict[bytes, bytes] = {}
    for key, content in samples:
        raw = key_bytes(key)
        if raw in found:
            raise ValueError(f"the key {key!r} occurs twice: a key names one sample")
        found[raw] = _digest(content)
    hasher = hashlib.sha256()
    for raw, digest in sorted(found.items()):
        hasher.update(len(raw).to_bytes(8, "little") + raw + digest)
    writer = recorder()
    writer.data(name, hasher.hexdigest())
    writer.metric(f"{name}.size", len(found))
    return hasher.hexdigest()


def _digest(content: Any) -> bytes:
    if isinstance(content, (bytes, bytearray, memoryview)):
        return hashlib.sha256(b"b" + bytes(content)).digest()
    if isinstance(content, str):
        return hashlib.sha256(b"s" + content.encode("utf-8", "surrogatepass")).digest()
    record = import_module(type(recorder()).__module__)
    tensor = record.canonical(content)
    head = f"t{tensor.dtype}{list(tensor.shape)}\n".encode()
    return hashlib.sha256(head + tensor.raw).digest()
