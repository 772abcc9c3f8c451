"""The base: an image of a registry, or a root file system made from Debian packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.ecosystems.debian import DebianEcosystem, debian_edges

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.ecosystems.interface import Key, Lookup, Need, Package
    from freezer.model.lock import Lock


class BaseEcosystem(DebianEcosystem):
    """The Debian packages of the base; a registry's base moves as a whole."""

    name = "base"
    noun = "base package"
    title = "base "

    def packages(self, lock: Lock) -> Sequence[Package]:
        """See `Ecosystem.packages`."""
        return lock.base.packages

    def movable(self, lock: Lock) -> dict[str, str]:
        """Return the packages of a bootstrap base, or the reference and its manifest's digest."""
        if lock.base.kind == "bootstrap":
            return self.versions(lock.base.packages)
        return {lock.base.reference: lock.base.manifest[7:19]}

    def edges(self, lock: Lock, known: Lookup) -> Iterator[tuple[Key, Need]]:
        """See `Ecosystem.edges`."""
        del known
        return debian_edges(self.name, self.packages(lock), other="debian")
