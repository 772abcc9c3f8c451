"""conda-lock as a library: imported late, since that takes a second, and quietly.

It is typed nowhere, so what comes from it is ``Any``; only this package touches it.
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
    """Return the module ``conda_lock.NAME``, without the warnings that its own parts give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(f"conda_lock.{name}")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what conda-lock prints and logs from the user: Freezer says what concerns them."""
    logger = logging.getLogger("conda_lock")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
