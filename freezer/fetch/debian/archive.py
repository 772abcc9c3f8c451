"""Debian archives as a source: finds a locked ``.deb`` on the mirrors of its archive."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

from freezer.errors import FetchError
from freezer.fetch.debian.apt_sources import host_sources
from freezer.fetch.debian.mirrors import configured_roots, dated_roots, named_like, read_remote
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.store.interface import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from freezer.fetch.config import Config
    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.fetch.store.store import Store
    from freezer.model.artifact import Artifact

_OTHERS = ("pypi", "url", "git")
_MEMO = "debian-label"


class DebianArchive:
    """All archives of Debian packages as one source; a lock names them by their labels.

    Configured mirrors of a label replace the addresses in apt's sources; without any, those of this
    host's apt and of the base image are used. The dated archive comes last: it is slow but still
    has what the others have removed.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        sources: Sequence[Callable[[], Sequence[AptSource]]],
        as_of: str | None,
    ) -> None:
        self._config = config
        self._store = store
        self._groups = sources
        self._as_of = as_of
        self._listed: dict[int, Sequence[AptSource]] = {}
        self._guard = threading.Lock()

    @classmethod
    def from_config(
        cls,
        config: Config,
        *,
        store: Store,
        base_sources: Callable[[], Sequence[AptSource]] = lambda: (),
        as_of: str | None = None,
    ) -> DebianArchive:
        """Return the source of a configuration.

        ``base_sources`` returns the base image's package sources; it is called at most once, when a
        file is nowhere else. ``as_of`` is the lock's, for the dated archive.
        """
        return cls(config, store, (host_sources, base_sources), as_of)

    def serves(self, artifact: Artifact) -> bool:
        """Return whether the artifact is a Debian package."""
        return artifact.source not in _OTHERS and artifact.file.endswith(".deb")

    def locate(self, artifact: Artifact) -> Iterator[Location]:
        """Yield the addresses of a package, best first.

        Raises ``FetchError`` when no archive of that label is known, or none can be reached.
        """
        failures: list[FetchError] = []
        found = False
        for root in self._roots(artifact.source, failures):
            found = True
            yield Location(f"{root}/{quote(artifact.file, safe='/~+:=')}")
        if not found:
            raise failures[0] if failures else _unknown(artifact)

    def _roots(self, label: str, failures: list[FetchError]) -> Iterator[str]:
        seen: set[str] = set()
        for root in self._candidates(label, failures):
            if root not in seen:
                seen.add(root)
                yield root

    def _candidates(self, label: str, failures: list[FetchError]) -> Iterator[str]:
        configured = configured_roots(self._config, label)
        yield from configured
        for group in () if configured else range(len(self._groups)):
            sources = self._sources(group)
            named = [source for source in sources if named_like(source.uri, label)]
            yield from (source.uri for source in named)
            for source in sources:
                if source not in named and self._label(source, failures) == label:
                    yield source.uri
        if self._as_of is not None:
            yield from dated_roots(self._config, label, self._as_of)

    def _sources(self, group: int) -> Sequence[AptSource]:
        with self._guard:
            if group not in self._listed:
                self._listed[group] = self._groups[group]()
            return self._listed[group]

    def _label(self, source: AptSource, failures: list[FetchError]) -> str | None:
        """Return the label of a source's release; memoised, as it does not change."""
        key = f"{source.uri} {source.suite}"
        with self._guard:
            known = self._store.get_memo(_MEMO, key)
            if isinstance(known, str):
                return known
            try:
                label = read_remote(source.uri, source.suite).release.source
            except NotFoundError:
                return None
            except FetchError as error:
                failures.append(error)
                return None
            self._store.put_memo(_MEMO, key, label)
            return label


def _unknown(artifact: Artifact) -> FetchError:
    return FetchError(
        f"no address of the archive {artifact.source} is configured",
        found=f"the locked file {artifact.file}, and no package source with that label",
        hint=f"name a mirror under `sources: {{debian: {{{artifact.source}: [URL]}}}}` in the "
        "configuration",
    )
