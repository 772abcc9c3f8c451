"""``freeze atlas``: what was measured of libraries."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from freezer.errors import SpecError
from freezer.frameworks import python_names
from freezer.frameworks.atlas.table import library, packages, sheet

if TYPE_CHECKING:
    from freezer.frameworks.atlas.table import Sheet


@dataclass(frozen=True)
class AtlasResult:
    """Measured libraries, sorted by package."""

    sheets: tuple[Sheet, ...]
    package: str | None = None
    """The one that was named."""

    @property
    def rows(self) -> int:
        """The number of rows of all libraries."""
        return sum(len(item.rows) for item in self.sheets)

    @property
    def streams(self) -> int:
        """The number of streams of all libraries."""
        return sum(len(item.streams) for item in self.sheets)


def atlas(package: str | None) -> AtlasResult:
    """Return what was measured of a package, or of all. Raises ``SpecError`` for an unknown one.

    A package is known by any of its names: on the Python package index, in conda, or in an import.
    """
    if package is None:
        return AtlasResult(
            tuple(found for name in packages() if (found := sheet(name)) is not None)
        )
    name = str(canonicalize_name(package))
    found = library(name, python_names())
    if found is None:
        near = difflib.get_close_matches(name, packages(), 3, 0.6)
        raise SpecError(
            f"nothing was measured of {package!r}",
            expected=f"a library of the atlas, such as {', '.join(near)}" if near else None,
            hint="`freeze atlas` lists the libraries that were measured",
        )
    return AtlasResult((found,), package)
