"""conda-lock as a library: imported late, since that takes a second, and quietly.

It is typed nowhere, so what comes from it is ``Any``; only this package touches it.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any


def conda_lock_module(name: str) -> Any:
    """Return the module ``conda_lock.NAME``, without the warnings that its own parts give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(f"conda_lock.{name}")
