"""What unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from freezer.resolve.conda.solver import indexes
from tests.support.conda import solving


@pytest.fixture(scope="session", autouse=True)
def solver_that_is_loaded() -> Iterator[None]:
    """Have the conda solver start from a server that has loaded it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexes, "ask", solving.ask)
        yield
