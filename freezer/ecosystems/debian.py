"""Debian packages: those installed on top of the base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.ecosystems.interface import Ecosystem, Key, Need
from freezer.model.reason import dependents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.ecosystems.interface import Lookup, Package
    from freezer.model.lock import Lock


class DebianEcosystem(Ecosystem):
    """``.deb`` files; versions compare by Debian's own rules."""

    name = "debian"
    noun = "Debian package"
    title = "Debian package "
    provides_python = True

    def order(self, version: str) -> Any:
        """See `Ecosystem.order`."""
        from debian.debian_support import Version

        return Version(version)

    def needs(self, package: Package, other: Package) -> bool:
        """See `Ecosystem.needs`."""
        return package.name in dependents(getattr(other, "reason", ""))

    def edges(self, lock: Lock, known: Lookup) -> Iterator[tuple[Key, Need]]:
        """See `Ecosystem.edges`."""
        del known
        return debian_edges(self.name, self.packages(lock), other="base")


def debian_edges(
    ecosystem: str, packages: Iterable[Package], *, other: str
) -> Iterator[tuple[Key, Need]]:
    """Yield what the reasons name: a lock keeps no dependencies of Debian packages.

    A reason gives a name alone, and it may be of either ecosystem with Debian packages, this one or
    the ``other``; the one that is not locked is dropped by the reader.
    """
    for package in packages:
        for name in dependents(getattr(package, "reason", "")):
            yield Key(ecosystem, package.name), Need(Key(ecosystem, name))
            yield Key(ecosystem, package.name), Need(Key(other, name))
