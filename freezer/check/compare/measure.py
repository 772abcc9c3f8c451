"""Distance between two observations, and the tolerances of built-in trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare.ulps import Distance, number_distance, tensor_distance
from freezer.frameworks import frameworks
from freezer.model.record.record import Digested, Number, ReadBack, Tensor

if TYPE_CHECKING:
    from freezer.model.record.record import Observation

_MIXED = "mixed precision"
_HALF = 1e-3
"""Tolerance of results in mixed precision, by prefix of their name: bfloat16 has eight bits, and
harmless changes altered losses by up to 6e-5 on the same host."""


def distance(expected: Observation, found: Observation) -> Distance:
    """Return the distance between two observations of one name."""
    if isinstance(expected, Number) and isinstance(found, Number):
        return number_distance(float.fromhex(expected.value), float.fromhex(found.value))
    if isinstance(expected, Tensor) and isinstance(found, Tensor):
        return tensor_distance(expected, found)
    return Distance()


def within(training: str, expected: Observation, found: Observation) -> bool:
    """Return whether two observations are within the tolerance of a built-in training.

    Settings, versions, random streams and data, including initial weights, have no tolerance, nor
    has a difference that cannot be measured over all elements.
    """
    framework = frameworks().get(training)
    if framework is None or framework.tolerance is None or isinstance(found, (ReadBack, Digested)):
        return False
    relative = distance(expected, found).relative
    tolerance = (
        framework.tolerance.tensor if isinstance(found, Tensor) else framework.tolerance.loss
    )
    if found.name.startswith(_MIXED):
        tolerance = _HALF
    return relative is not None and relative <= tolerance
