"""What a training reported, as far as an expectation may ask for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from freezer.check.compare.ulps import sampled_values
from freezer.model.record.record import Number, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.model.record.record import Training

LEAST: Final = ".least"
GREATEST: Final = ".greatest"
NOT_FINITE: Final = ".not-finite"
"""Endings of the metrics of `freezer_runner.record_tensor`: over every element of a tensor."""
CLASSES: Final = ".classes."
"""Stands between a split's name and a class in the metrics that count samples."""
_MOST_SHAPES: Final = 16


@dataclass(frozen=True)
class Series:
    """A loss or a metric by step."""

    steps: Sequence[int]
    values: Sequence[float]


@dataclass
class TensorFacts:
    """What is known of the tensors of one name, over all steps."""

    shapes: list[tuple[int, ...]] = field(default_factory=list)
    """Each that occurred, in their order, and no more than a few."""
    least: float = math.inf
    greatest: float = -math.inf
    not_finite: int = 0
    sampled: int = 0
    """Elements that were looked at."""
    elements: int = 0

    def add(self, tensor: Tensor) -> None:
        """Take one tensor."""
        if tensor.shape not in self.shapes and len(self.shapes) < _MOST_SHAPES:
            self.shapes.append(tensor.shape)
        self.elements += tensor.count
        if tensor.sample is None:
            return
        values = sampled_values(tensor)
        finite = [value for value in values if math.isfinite(value)]
        self.sampled += len(values)
        self.not_finite += len(values) - len(finite)
        self.least = min([self.least, *finite])
        self.greatest = max([self.greatest, *finite])


@dataclass(frozen=True)
class Observed:
    """What one training reported."""

    series: Mapping[str, Series]
    tensors: Mapping[str, TensorFacts]

    def reports(self, name: str) -> bool:
        """Say whether anything of a name was reported."""
        return name in self.series or name in self.tensors or bool(self.class_counts(name))

    def class_counts(self, split: str) -> dict[str, float]:
        """Return how many samples of each class a split has."""
        start = f"{split}{CLASSES}"
        return {
            name.removeprefix(start): one.values[-1]
            for name, one in self.series.items()
            if name.startswith(start) and len(name) > len(start) and len(one.values)
        }


def observed(training: Training) -> Observed:
    """Return the observations in a training's record."""
    numbers: dict[str, tuple[list[int], list[float]]] = {}
    for one in training.observations:
        if isinstance(one, Number):
            steps, values = numbers.setdefault(one.name, ([], []))
            steps.append(one.step)
            values.append(float.fromhex(one.value))
    tensors = (one for one in training.observations if isinstance(one, Tensor))
    series = {name: Series(*columns) for name, columns in numbers.items()}
    return Observed(series, tensor_facts(tensors))


def tensor_facts(tensors: Iterable[Tensor]) -> dict[str, TensorFacts]:
    """Return the facts of some tensors by name."""
    found: dict[str, TensorFacts] = {}
    for one in tensors:
        found.setdefault(one.name, TensorFacts()).add(one)
    return found
