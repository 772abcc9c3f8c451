"""The result of a comparison of records."""

from __future__ import annotations

from freezer.model.base import Model
from freezer.model.record.word import CHANGED, GOOD, Basis, Word

__all__ = ["CHANGED", "GOOD", "Basis", "Difference", "TrainingVerdict", "Verdict", "Word"]


class Difference(Model):
    """Where two records of one training first differ, and by how much."""

    training: str
    what: str
    """In words: ``loss at step 3``, ``w1 at step 5``."""
    step: int | None = None
    expected: str
    found: str
    ulps: int | None = None
    """Greatest distance in units in the last place, over what both records hold."""
    median_ulps: int | None = None
    """Median over those of a tensor's elements that differ, as far as both records hold them."""
    relative: float | None = None
    """Norm of the difference over the norm of what was expected, over every element."""
    place: str | None = None
    """The first element of a tensor that differs, as closely as the records say."""
    note: str | None = None
    """What no distance shows, in words: ``the signs differ``, ``one of the two is NaN``."""
    measured: str | None = None
    """What the distance is that of, where the first difference itself is known by digest alone."""
    differing: int = 0
    """How many observations of the training differ in all."""
    of: int = 0


class TrainingVerdict(Model):
    """One training's verdict."""

    training: str
    word: Word
    observations: int
    steps: int
    first: Difference | None = None
    reason: str | None = None
    """Why a training failed, or cannot be compared."""


class Verdict(Model):
    """The verdict on a record: the worst of its trainings."""

    word: Word
    trainings: tuple[TrainingVerdict, ...]
    causes: tuple[str, ...] = ()
    """What differs between the two runs besides their results, likeliest cause first."""

    @property
    def good(self) -> bool:
        """Whether the environment still gives the expected results."""
        return self.word in GOOD
