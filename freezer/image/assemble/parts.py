"""The parts that an image is assembled from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.engine.interface import LayerFile
    from freezer.image.layers.order import Layer
    from freezer.image.verify import Expected


@dataclass(frozen=True)
class Parts:
    """The parts of an image."""

    base: tuple[LayerFile, ...]
    """The base's layers, which are in the engine."""
    layers: tuple[Layer, ...]
    """The layers above the base, lowest first."""
    expected: Mapping[str, Expected]
    """Every path that the environment and Freezer's runtime must contain."""
    origin: Mapping[str, int] = field(default_factory=dict)
    """Index in ``layers`` of the layer with each of those paths."""
    distributions: frozenset[str] = frozenset()
    """Python distributions that the lock's steps installed, by normalised name."""
