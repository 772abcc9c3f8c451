"""Room for artifacts and images."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.flows.setup.probes.finding import Finding, gib, missing, ok, warning

if TYPE_CHECKING:
    from freezer.engine.interface import EngineInfo

LOW = 8 << 30
"""Bytes below which an environment with a deep learning framework may not fit."""

NONE = 1 << 30
"""Bytes below which hardly anything does."""


def engine(info: EngineInfo) -> Finding:
    """Say how much room the engine has, where that can be seen from here."""
    root = Path(info.root)
    if not (info.root and info.address.startswith("unix://") and root.is_dir()):
        return ok("engine disk", "not visible from here; `docker system df` shows it")
    free = shutil.disk_usage(root).free
    return judge("engine disk", root, free, "`docker image prune` removes images without a tag")


def store(root: Path) -> Finding:
    """Say how much room there is for artifacts; ``root`` exists."""
    free = shutil.disk_usage(root).free
    return judge("store", root, free, "or set FREEZER_STORE to a folder on a larger disk")


def judge(topic: str, folder: Path, free: int, hint: str) -> Finding:
    """Say whether so many free bytes are enough."""
    found = f"{gib(free)} free in {folder}"
    if free < NONE:
        return missing(topic, found, f"free some space; {hint}")
    if free < LOW:
        return warning(topic, f"{found}; large environments need {gib(LOW)}", hint)
    return ok(topic, found)
