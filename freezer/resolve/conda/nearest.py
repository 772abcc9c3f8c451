"""Finds the packages of a channel that are most similar to a missing one."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LIMIT = 3
_NUMBER = re.compile(r"\d+")


def nearest(version: str, build: str, others: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return ``VERSION BUILD`` of the most similar packages, the same version first.

    Then the next older and the next newer version; the one with more version parts in common comes
    first, else the newer. Within a version, builds of the same kind (``py312_openblas_...``) come
    first.
    """
    target = _numbers(version)
    unique = sorted({(other[0], other[1]) for other in others}, reverse=True)
    order = sorted({target, *(_numbers(other[0]) for other in unique)})

    def key(other: tuple[str, str]) -> tuple[bool, int, int, int, int]:
        numbers = _numbers(other[0])
        position = order.index(numbers)
        steps, alike = abs(position - order.index(target)), _common(numbers, target)
        return (other[0] != version, steps, -alike, -position, -_common(build, other[1]))

    return tuple(" ".join(other) for other in sorted(unique, key=key)[:_LIMIT])


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    """Return the length of the common prefix."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBER.findall(version))
