"""What unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from urllib3.util.retry import Retry

from freezer.resolve.conda.solver import indexes
from tests.support.conda import solving


@pytest.fixture(scope="session", autouse=True)
def solver_that_is_loaded() -> Iterator[None]:
    """Have the conda solver start from a server that has loaded it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexes, "ask", solving.ask)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_pause_between_attempts() -> Iterator[None]:
    """Have a server that does not answer be asked again at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Retry, "sleep", lambda *_: None)
        yield
