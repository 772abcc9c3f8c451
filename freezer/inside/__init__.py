"""What is copied into images: standard library only, Python 3.8 and later.

The lock names it by digest, so that an image follows from its lock and not from whichever Freezer
happens to build it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

VERSION: Final = "1"
"""Raised when records of the built-in trainings can no longer be compared with older ones."""

INTERFACE: Final = 1
"""How the host and these files talk to each other; docs/reference/inside.md says what raises it."""

_ROOT = Path(__file__).parent


@cache
def inside_files() -> dict[str, bytes]:
    """Return the files by path, such as ``freezer_inside/smoke.py``."""
    files = sorted((_ROOT / "freezer_inside").rglob("*.py"))
    return {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in files}


@cache
def inside_digest() -> tuple[str, str]:
    """Return the version and the SHA-256 over names and contents of all files."""
    return VERSION, hashlib.sha256(inside_bytes()).hexdigest()


@cache
def inside_bytes() -> bytes:
    """Return all of the files in one piece, as they are hashed, and kept for later Freezers."""
    files = inside_files().items()
    return b"".join(f"{path}\0{len(data)}\0".encode() + data for path, data in files)


@cache
def inventory_files() -> dict[str, bytes]:
    """Return what is brought into a container to take an inventory; images do not hold it."""
    files = sorted((_ROOT / "freezer_inventory").rglob("*.py"))
    return {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in files}


def runner_folder() -> Path:
    """Return the package that `freeze run` mounts into a container.

    Its ``runner.py`` starts the command.
    """
    return _ROOT / "freezer_runner"
