"""Parses file names of Python packages."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

if TYPE_CHECKING:
    from packaging.version import Version


# A page lists thousands of files and is looked through several times.
@lru_cache(maxsize=1 << 14)
def name_and_version(file: str) -> tuple[str, Version] | None:
    """Return normalised name and version; None for an unknown form."""
    try:
        if file.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(file)
        else:
            name, version = parse_sdist_filename(file)
    except (
        ValueError
    ):  # base of packaging's errors; also raised for a number of thousands of digits
        return None
    return str(canonicalize_name(name)), version


def version_of(file: str) -> Version | None:
    """Return the version; None for an unknown form."""
    found = name_and_version(file)
    return found[1] if found else None


def project_of(file: str) -> str | None:
    """Return the normalised name of the project; None for an unknown form."""
    found = name_and_version(file)
    return found[0] if found else None
