"""What a source of artifacts is.

A lock names a source (``pypi``); a source knows addresses. The addresses are configuration and
never leave this room except, redacted, in messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.model.artifact import Artifact


@dataclass(frozen=True)
class Location:
    """One address that should serve an artifact. ``url`` may be http(s) or file."""

    url: str
    """May hold credentials: show it only through ``freezer.fetch.http.redact.redact``."""


class Source(Protocol):
    """Knows where the artifacts of some source names can be had, best address first."""

    def serves(self, artifact: Artifact) -> bool:
        """Return whether this source answers for the artifact's source name."""

    def locate(self, artifact: Artifact) -> Iterable[Location]:
        """Yield addresses, lazily: a later one is requested only when the earlier ones failed.

        An empty answer means that the source was reached and holds no such file. Raises
        ``FetchError`` when the source itself could not be reached.
        """
