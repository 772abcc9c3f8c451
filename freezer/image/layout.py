"""Paths in an image, in one place, so that building and checking agree."""

from __future__ import annotations

from typing import Final

ENVIRONMENT: Final = "/opt/env"
"""The Python environment (a venv over the base's Python)."""
FREEZER: Final = "/opt/freezer"
"""Freezer's own files: ``freezer_inside``, the lock, the files of the user's smoke training."""
SMOKE_FOLDER: Final = "/opt/freezer/smoke"
"""The folder of the user's own smoke training."""
USER: Final = "freezer"
UID: Final = 1000
HOME: Final = "/home/freezer"
COMMAND: Final = ("python",)
SYSTEM_FOLDER: Final = "freezer-system"
"""Temporary top-level folder of the system step's packages."""
STEPS_FOLDER: Final = "freezer-steps"
"""Temporary top-level folder of the user's own steps."""

BASE_REPOSITORY: Final = "freezer-base"
"""Repository of the images that build steps start from, in the engine only."""

LOCK_LABEL: Final = "org.freezer.lock-id"
REVISION_LABEL: Final = "org.opencontainers.image.revision"
STORE_LABEL: Final = "org.freezer.store"
"""Label of working images: the store of their build."""
FORMAT_LABEL: Final = "org.freezer.image-format"

BASE_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def in_test_suite(path: str) -> bool:
    """Return whether a module is part of a package's test suite, which is not compiled.

    Test suites are a third of a scientific environment, and no training imports them.
    """
    return "/tests/" in path or "/test/" in path
