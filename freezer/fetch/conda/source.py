"""Conda channels as a source of locked archives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from freezer.errors import FetchError
from freezer.fetch.conda.channels import CondaChannel, configured, default_url
from freezer.fetch.http.client import get_range
from freezer.fetch.http.url import join_url
from freezer.fetch.store.interface import Location
from freezer.model.lock import CondaPackage
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.fetch.config import Config
    from freezer.model.artifact import Artifact

SOURCE = "conda"
_HEAD = 4096
"""Bytes of an index that contain its ``info``."""
_BASE_URL = re.compile(rb'"base_url"\s*:\s*("(?:[^"\\]|\\.)*")')


class CondaChannels:
    """All channels as one source, named ``conda`` in locks.

    A channel without an address in the configuration or spec has rattler's default one.
    """

    def __init__(self, channels: Mapping[str, CondaChannel]) -> None:
        self._channels = channels

    @classmethod
    def from_config(cls, config: Config, channels: Sequence[CondaChannel] = ()) -> CondaChannels:
        """Return the source of a configuration, with the channels of a spec."""
        return cls(configured(channels, config))

    def serves(self, artifact: Artifact) -> bool:
        """Return whether the artifact is a conda package."""
        return artifact.source == SOURCE and isinstance(artifact, CondaPackage)

    def locate(self, artifact: Artifact) -> Iterator[Location]:
        """Yield the addresses of a package's archive, best first.

        For a channel with archives apart from its index (``base_url``, CEP 15), that address is
        looked up only when they are not next to the index.
        """
        if not isinstance(artifact, CondaPackage):
            return
        folders = [f"{url}/{artifact.subdir}" for url in self._urls(artifact.channel)]
        for folder in folders:
            yield Location(f"{folder}/{quote(artifact.file)}")
        for folder in folders:
            if base_url := _base_url(f"{folder}/repodata.json"):
                yield Location(f"{base_url.rstrip('/')}/{quote(artifact.file)}")

    def _urls(self, name: str) -> tuple[str, ...]:
        if (channel := self._channels.get(name)) is not None:
            return channel.urls
        return (default_url(quote(name)),)


def _base_url(index: str) -> str | None:
    """Return the base URL of archives in an index; None when it has none."""
    try:
        match = _BASE_URL.search(get_range(index, 0, _HEAD))
        return join_url(index, parse_json(match[1])) if match else None
    except (FetchError, ValueError):
        return None
