"""Splits and augmentations that depend on a sample alone, and on nothing around it.

A split by a shuffled list moves samples between training and test when data grow; an augmentation
that draws from a running generator depends on the order, the workers and where a run was resumed.
Both are decided here by a hash of the sample's key: the same on every machine, in every process.
"""

from __future__ import annotations

import hashlib
import random
from fractions import Fraction
from typing import Mapping, Union

Key = Union[str, int]


def key_seed(*key: Key) -> int:
    """Return 63 bits that a key decides, for any framework's generator.

    ``torch.Generator().manual_seed(key_seed(seed, epoch, sample))``. Keys of other parts are other
    keys: ``("a", "bc")`` is not ``("ab", "c")``, and ``1`` is not ``"1"``. Raises ``TypeError``
    for a part that is neither text nor an integer: its text may be another in the next process.
    """
    hasher = hashlib.sha256()
    for part in key:
        if type(part) not in (str, int):
            raise TypeError(f"a key is made of text and integers, not of {type(part).__name__}")
        raw = f"{'s' if isinstance(part, str) else 'i'}{part}".encode("utf-8", "surrogatepass")
        hasher.update(len(raw).to_bytes(8, "little") + raw)
    return int.from_bytes(hasher.digest()[:8], "little") >> 1


def augmentation(seed: int, epoch: int, sample: Key) -> random.Random:
    """Return the generator of one sample in one epoch."""
    return random.Random(key_seed("augmentation", seed, epoch, sample))  # noqa: S311 - no secret


def split(sample: Key, parts: Mapping[str, Union[float, Fraction]], salt: Key = 0) -> str:
    """Return the part that a sample belongs to, such as ``"test"``.

    ``parts`` are shares that add up to one: ``{"train": 0.8, "test": 0.2}``. A sample keeps its
    part however many others come or go. Another ``salt`` is another split. Raises ``ValueError``
    for shares that are negative or do not add up to one.
    """
    shares = {name: Fraction(share).limit_denominator(10**6) for name, share in parts.items()}
    if sum(shares.values()) != 1 or min(shares.values()) < 0:
        raise ValueError(f"the shares of a split must add up to one: {dict(parts)}")
    place, reached = Fraction(key_seed("split", salt, sample), 1 << 63), Fraction(0)
    for name, share in shares.items():
        reached += share
        if place < reached:
            return name
    raise AssertionError("a place is below one, which the shares add up to")  # pragma: no cover
