"""conda-lock as a library: imported late, as that takes a second, and silenced.

It has no type hints, so its values are ``Any``; only this package uses it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def conda_lock_module(name: str) -> Any:
    """Return the module ``conda_lock.NAME``, without the warnings of its dependencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(f"conda_lock.{name}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress conda-lock's output and logging; Freezer reports what concerns the user."""
    logger = logging.getLogger("conda_lock")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
