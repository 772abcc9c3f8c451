"""Python package indexes as a source: finds a locked file on the configured ones."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.http.redact import redact
from freezer.fetch.python.filenames import project_of
from freezer.fetch.python.settings import Indexes, IndexOptions, indexes, with_options
from freezer.fetch.python.simple_api import IndexFile, page_files, project_files
from freezer.fetch.store.interface import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freezer.fetch.config import Config
    from freezer.model.artifact import Artifact

SOURCE = "pypi"


class PythonIndex:
    """All configured indexes and link pages as one source, named ``pypi`` in locks."""

    def __init__(self, where: Indexes) -> None:
        self._where = where
        self._pages: dict[str, list[IndexFile] | FetchError] = {}
        self._guard = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}

    @classmethod
    def from_config(cls, config: Config, options: IndexOptions | None = None) -> PythonIndex:
        """Return the source of a configuration, with options of requirements files."""
        return cls(with_options(indexes(config), options or IndexOptions()))

    def serves(self, artifact: Artifact) -> bool:
        """Return whether the artifact comes from a Python package index."""
        return artifact.source == SOURCE

    def locate(self, artifact: Artifact) -> Iterator[Location]:
        """Yield the URLs of a file, local folders first.

        Raises ``IntegrityError`` when indexes list the file only with another hash, and
        ``FetchError`` when none has it and one cannot be reached.
        """
        mismatches: list[str] = []
        failure: FetchError | None = None
        found = False
        for page, read in self._candidates(artifact.file):
            try:
                files = self._read(page, read)
            except NotFoundError:
                continue
            except FetchError as error:
                failure = failure or error
                continue
            for file in files:
                if file.name != artifact.file:
                    continue
                if file.sha256 not in (None, artifact.sha256):
                    mismatches.append(f"{redact(page)} lists sha256 {file.sha256}")
                    continue
                found = True
                yield Location(file.url)
        if not found:
            _fail(artifact, mismatches, failure)

    def files(self, project: str) -> Iterator[IndexFile]:
        """Yield every file of a project on any index. Raises ``FetchError``."""
        for url in self._where.urls_of(project):
            try:
                yield from self._read(f"{url} {project}", _project(url, project))
            except NotFoundError:
                continue

    def linked(self, project: str) -> Iterator[IndexFile]:
        """Yield every file of a project in readable folders and link pages."""
        for url in self._where.find_links:
            try:
                files = self._read(url, _page(url))
            except FetchError:
                continue
            yield from (file for file in files if project_of(file.name) == project)

    def _candidates(self, file: str) -> Iterator[tuple[str, Callable[[], list[IndexFile]]]]:
        links = sorted(self._where.find_links, key=lambda url: not url.startswith("file:"))
        for url in links:
            yield url, _page(url)
        project = _project_of(file)
        for url in self._where.urls_of(project):
            yield f"{url} {project}", _project(url, project)

    def _read(self, page: str, read: Callable[[], list[IndexFile]]) -> list[IndexFile]:
        """Read a page once, also for concurrent threads; failures are cached too."""
        with self._guard:
            lock = self._busy.setdefault(page, threading.Lock())
        with lock:
            if page not in self._pages:
                try:
                    self._pages[page] = read()
                except FetchError as error:
                    self._pages[page] = error
        result = self._pages[page]
        if isinstance(result, FetchError):
            raise result
        return result


def _page(url: str) -> Callable[[], list[IndexFile]]:
    return lambda: page_files(url)


def _project(url: str, project: str) -> Callable[[], list[IndexFile]]:
    return lambda: project_files(url, project)


def _project_of(file: str) -> str:
    project = project_of(file)
    if project is None:
        raise IntegrityError(
            f"{file!r} is not the name of a Python package's file",
            hint="the lock was edited; restore it, or lock again",
        )
    return project


def _fail(artifact: Artifact, mismatches: list[str], failure: FetchError | None) -> None:
    if mismatches:
        raise IntegrityError(
            f"{artifact.file} is listed with another hash than the locked one",
            details=mismatches,
            expected=f"sha256 {artifact.sha256}",
            hint="the index replaced the file or is not trustworthy; do not use it until you "
            "know why",
        )
    if failure is not None:
        raise failure
