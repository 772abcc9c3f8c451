"""Pages of Python package indexes that one command has read."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.python.settings import Indexes


class IndexPages:
    """The sources that one command reads from: each index's page of a project is read once."""

    def __init__(self) -> None:
        self._opened: dict[Indexes, PythonIndex] = {}
        self._guard = Lock()

    def of(self, where: Indexes) -> PythonIndex:
        """Return the source with these indexes."""
        from freezer.fetch.python.index import PythonIndex  # many commands read none

        with self._guard:
            return self._opened.setdefault(where, PythonIndex(where))
