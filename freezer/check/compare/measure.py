"""How far two observations are apart, and when that is within a built-in training's tolerance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.compare.ulps import Distance, number_ulps, tensor_distance
from freezer.model.record.record import Digested, Number, Said, Tensor

if TYPE_CHECKING:
    from freezer.model.record.record import Observation

_TOLERANCES = {
    "numpy": (1e-5, 1e-5),
    "sklearn": (1e-12, 1e-10),
    "torch": (1e-5, 1e-4),
    "jax": (1e-5, 1e-5),
    "tensorflow": (1e-5, 1e-4),
    "xgboost": (1e-6, 1e-5),
    "lightgbm": (1e-12, 1e-10),
}
"""Training to the relative error of losses and of tensors (by norm) that separated benign from
harmful changes: 129 benign and 31 harmful runs on one AVX-512 host with two cores, 2026."""

_MIXED = "mixed precision"
_HALF = 1e-3
"""Tolerance of what a training computes in mixed precision, by the beginning of its name: bfloat16
has eight bits, and harmless changes moved losses by up to 6e-5 on the same host."""


def distance(expected: Observation, found: Observation) -> Distance:
    """Return how far two observations of one name are apart."""
    if isinstance(expected, Number) and isinstance(found, Number):
        left, right = float.fromhex(expected.value), float.fromhex(found.value)
        ulps = number_ulps(left, right)
        relative = None if ulps is None or left == 0 else abs(left - right) / abs(left)
        return Distance(ulps=ulps, relative=relative)
    if isinstance(expected, Tensor) and isinstance(found, Tensor):
        return tensor_distance(expected, found)
    return Distance()


def within(training: str, expected: Observation, found: Observation) -> bool:
    """Say whether two observations of one name are within the tolerance of a built-in training.

    Settings, versions, random streams and data, first weights among them, have none, nor has a
    difference that cannot be measured over every element.
    """
    if training not in _TOLERANCES or isinstance(found, (Said, Digested)):
        return False
    relative = distance(expected, found).relative
    loss, tensor = _TOLERANCES[training]
    tolerance = tensor if isinstance(found, Tensor) else loss
    if found.name.startswith(_MIXED):
        tolerance = _HALF
    return relative is not None and relative <= tolerance
