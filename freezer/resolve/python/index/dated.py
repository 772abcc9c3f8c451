"""All indexes of a request merged into one, without files newer than the cut-off.

Older releases of pip have no cut-off, newer ones have none for indexes without dates, and pip
treats all indexes as one. This index gives it the files that uv would consider, by uv's rules.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from freezer.fetch.http.client import NotFoundError
from freezer.fetch.python.filenames import project_of
from freezer.fetch.python.simple_api import IndexFile, page_files, project_files
from freezer.resolve.python.index.releases import is_newer
from freezer.resolve.python.pins import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.resolve.python.interface import PipRequest
    from freezer.resolve.python.pins import Pin


class DatedIndex:
    """The files that a resolver may choose from. One instance an attempt; thread-safe."""

    def __init__(self, request: PipRequest, *, undated: bool) -> None:
        """``undated``: whether files without an upload date are included."""
        self._request = request
        self._undated = undated
        self._known: dict[str, list[IndexFile]] = {}
        self._busy: defaultdict[str, Lock] = defaultdict(Lock)
        self.skipped: list[str] = []
        """Names of files that were excluded because no upload date is known."""

    def files(self, project: str) -> list[IndexFile]:
        """Return the eligible files of a project (normalised name); may be empty.

        Raises ``FetchError`` when an index cannot be reached.
        """
        with self._busy[project]:
            if project not in self._known:
                by_name: dict[str, IndexFile] = {}
                for file in (*self._linked(project), *self._listed(project)):
                    by_name.setdefault(file.name, file)
                self._known[project] = list(by_name.values())
        return self._known[project]

    def placed(self, pin: Pin) -> Pin:
        """Return a pin with the files of these indexes, whatever URL a resolver used."""
        files = self.files(pin.name) if pin.direct is None else []
        by_name = {file.name: candidate(file) for file in files}
        return replace(
            pin,
            wheels=tuple(by_name[wheel.file] for wheel in pin.wheels),
            sdist=by_name[pin.sdist.file] if pin.sdist else None,
        )

    def _listed(self, project: str) -> list[IndexFile]:
        first = self._request.indexes.strategy == "first-index"
        pages = []
        for url in self._request.indexes.urls_of(project):
            try:
                pages.append(project_files(url, project))
            except NotFoundError:
                continue
            if first and not self._undated:
                break
        # A date that one index lacks may be on another.
        dates = {file.name: file.uploaded for page in pages for file in page if file.uploaded}
        considered = pages[:1] if first else pages
        dated = [
            replace(file, uploaded=dates.get(file.name)) for page in considered for file in page
        ]
        return self._in_time(dated, self._request.cut_off(project))

    def _in_time(self, listed: list[IndexFile], cut_off: str) -> list[IndexFile]:
        in_time = [file for file in listed if not is_newer(file, cut_off)]
        if self._undated:
            return in_time
        self.skipped += [file.name for file in in_time if file.uploaded is None]
        return [file for file in in_time if file.uploaded is not None]

    def _linked(self, project: str) -> Iterable[IndexFile]:
        """Yield files of link folders and pages: the user's own choice, without a cut-off."""
        if project in dict(self._request.indexes.pinned):
            return
        for url in self._request.indexes.find_links:
            for file in page_files(url):
                if project_of(file.name) == project:
                    yield file


def candidate(file: IndexFile) -> Candidate:
    """Return an index's file as a candidate for the lock."""
    return Candidate(file.name, file.url, file.sha256, file.size, file.uploaded is not None)
