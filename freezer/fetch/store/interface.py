"""Interface of artifact sources.

A lock names a source (``pypi``); the source has the addresses. They come from the configuration and
leave this package only redacted, in messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.model.artifact import Artifact


@dataclass(frozen=True)
class Location:
    """One address of an artifact. ``url`` may be http(s) or file."""

    url: str
    """May contain credentials: display it only through ``freezer.fetch.http.redact.redact``."""


class Source(Protocol):
    """Locates the artifacts of some source names, best address first."""

    def serves(self, artifact: Artifact) -> bool:
        """Return whether this source is responsible for the artifact's source name."""

    def locate(self, artifact: Artifact) -> Iterable[Location]:
        """Yield addresses lazily: later ones are needed only when the earlier ones failed.

        Nothing is yielded when the source has no such file. Raises ``FetchError`` when the source
        itself cannot be reached.
        """
