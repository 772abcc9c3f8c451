"""How many examples a property draws that takes more than the usual 100 to be tried."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100


def examples(number: int) -> int:
    """Return a number of examples; in `make test-unit`, the same share of it as of the usual."""
    return number * settings().max_examples // USUAL
