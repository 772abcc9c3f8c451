"""Which of a channel's packages are most like one that is gone."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHOWN = 3
_NUMBER = re.compile(r"\d+")


def nearest(version: str, build: str, others: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return ``VERSION BUILD`` of those most alike: same version first, then the next ones to it.

    Of the next older and the next newer one, that with more parts in common comes first, else the
    newer; of one version, builds of the same kind (``py312_openblas_...``).
    """
    wanted = _numbers(version)
    unique = sorted({(other[0], other[1]) for other in others}, reverse=True)
    order = sorted({wanted, *(_numbers(other[0]) for other in unique)})

    def key(other: tuple[str, str]) -> tuple[bool, int, int, int, int]:
        numbers = _numbers(other[0])
        place = order.index(numbers)
        steps, alike = abs(place - order.index(wanted)), _common(numbers, wanted)
        return (other[0] != version, steps, -alike, -place, -_common(build, other[1]))

    return tuple(" ".join(other) for other in sorted(unique, key=key)[:_SHOWN])


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how many letters or numbers two have in common from the start."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBER.findall(version))
