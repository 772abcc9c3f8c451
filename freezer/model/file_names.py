"""The files and folders of a project, by name. Apart: every command looks for them first."""

from __future__ import annotations

from typing import Final

SPEC_FILE: Final = "freeze.yaml"
IMAGES: Final = "images"
LOCKS: Final = "lockfiles"
LOCK_FILE: Final = "freeze.lock.yaml"
PROJECT_FILE: Final = ".freezer.yaml"
"""The project's own configuration."""
INSIDE: Final = "inside"
"""Folder next to the current lock with Freezer's runtime by SHA-256: generations share it."""
