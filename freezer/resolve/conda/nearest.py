"""Which of a channel's packages are most like one that is gone."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 3
_NUMBER = re.compile(r"\d+")


def nearest(version: str, build: str, others: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return ``VERSION BUILD`` of those most alike: same version first, then the closest one.

    Of one version, builds of the same kind (``py312_openblas_...``) come first.
    """
    wanted = _numbers(version)

    def key(other: tuple[str, str]) -> tuple[int, list[int], int]:
        return (
            other[0] != version,
            _distance(wanted, _numbers(other[0])),
            -_common(build, other[1]),
        )

    unique = sorted({(other[0], other[1]) for other in others}, reverse=True)
    return tuple(" ".join(other) for other in sorted(unique, key=key)[:_SHOWN])


def _common(one: str, other: str) -> int:
    """Return how many letters two builds have in common from the start."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _numbers(version: str) -> list[int]:
    return [int(number) for number in _NUMBER.findall(version)]


def _distance(one: list[int], other: list[int]) -> list[int]:
    """Return how far two versions are apart, part by part: the first parts weigh most."""
    length = max(len(one), len(other))
    padded = (numbers + [0] * (length - len(numbers)) for numbers in (one, other))
    return [abs(left - right) for left, right in zip(*padded, strict=True)]
