"""Conda channels as a source: where a locked package's archive can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from freezer.fetch.channels import CondaChannel, configured, default_url
from freezer.fetch.interface import Location
from freezer.model.lock import CondaPackage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.fetch.config import Config
    from freezer.model.artifact import Artifact

SOURCE = "conda"


class CondaChannels:
    """All channels as one source, named ``conda`` in locks.

    A channel that neither the configuration nor the spec gives an address is looked for where
    rattler looks.
    """

    def __init__(self, channels: Mapping[str, CondaChannel]) -> None:
        self._channels = channels

    @classmethod
    def from_config(cls, config: Config, channels: Sequence[CondaChannel] = ()) -> CondaChannels:
        """Return the source for a configuration, with the channels of a spec."""
        return cls(configured(channels, config))

    def serves(self, artifact: Artifact) -> bool:
        """Say whether the artifact is a conda package."""
        return artifact.source == SOURCE and isinstance(artifact, CondaPackage)

    def locate(self, artifact: Artifact) -> Iterator[Location]:
        """Yield the addresses of a package's archive, best first."""
        if not isinstance(artifact, CondaPackage):
            return
        for url in self._urls(artifact.channel):
            yield Location(f"{url}/{artifact.subdir}/{quote(artifact.file)}")

    def _urls(self, name: str) -> tuple[str, ...]:
        if (channel := self._channels.get(name)) is not None:
            return channel.urls
        return (default_url(quote(name)),)
