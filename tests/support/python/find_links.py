"""Wheels that this host keeps in a folder, as pip's configuration names it."""

from __future__ import annotations

import sys
from pathlib import Path

from freezer.fetch.python.pip_config import pip_settings


def local_torch() -> Path | None:
    """Return a CPU build of PyTorch for this Python; None where there is none."""
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    for folder in pip_settings().find_links:
        found = (
            sorted(Path(folder).glob(f"torch-*+cpu-{tag}-{tag}-*.whl"))
            if "://" not in folder
            else []
        )
        if found:
            return found[-1]
    return None
