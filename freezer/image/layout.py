"""Where things lie in an image. One place, so that building and checking cannot disagree."""

from __future__ import annotations

from typing import Final

ENVIRONMENT: Final = "/opt/env"
"""The Python environment (a venv over the base's Python)."""
FREEZER: Final = "/opt/freezer"
"""Freezer's own files: ``freezer_inside``, the lock, the files of the user's smoke training."""
SMOKE_FOLDER: Final = "/opt/freezer/smoke"
"""Where the files of the user's own smoke training lie."""
USER: Final = "freezer"
UID: Final = 1000
HOME: Final = "/home/freezer"
COMMAND: Final = ("python",)
SYSTEM_FOLDER: Final = "freezer-system"
"""Top-level folder that the system step brings its packages in, gone when it ends."""
STEPS_FOLDER: Final = "freezer-steps"
"""The same of the step that runs the user's own commands."""

BASE_REPOSITORY: Final = "freezer-base"
"""Repository of what Freezer's own build steps begin with, in the engine only."""

LOCK_LABEL: Final = "org.freezer.lock-id"
REVISION_LABEL: Final = "org.opencontainers.image.revision"
STORE_LABEL: Final = "org.freezer.store"
"""Of images that a build works in: which store's build."""
FORMAT_LABEL: Final = "org.freezer.image-format"

BASE_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def in_test_suite(path: str) -> bool:
    """Return whether a module is of a package's own test suite, which gets no byte code.

    They are a third of a scientific environment, and no training imports them.
    """
    return "/tests/" in path or "/test/" in path
