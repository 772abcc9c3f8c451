"""A verdict in a word, and what it rests on.

Apart from ``verdict``: a history has these words alone, and reading one needs no more.
"""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """The verdict in a word."""

    IDENTICAL = "identical"
    """Every observation, to the bit."""
    EQUIVALENT = "equivalent"
    """Within a stated tolerance, with a difference between the hosts that explains it."""
    DRIFTED = "drifted"
    FAILED = "failed"
    """A training did not end, or shows nothing."""
    NOT_COMPARABLE = "not comparable"
    """Another set of trainings, other code, or another numerics class."""


GOOD = frozenset({Word.IDENTICAL, Word.EQUIVALENT})
CHANGED = frozenset({Word.EQUIVALENT, Word.DRIFTED})
"""The results differ from the expected ones: there is a cause to look for."""


class Basis(StrEnum):
    """What a verdict rests on."""

    REFERENCE = "reference"
    """A recorded reference."""
    TWO_RUNS = "two runs"
    """Two runs on this host, as there was no reference; of one that failed, that run alone."""
