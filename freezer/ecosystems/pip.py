"""Python packages that pip installs, and what their builds need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from freezer.ecosystems.interface import Ecosystem, Key, Need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.ecosystems.interface import Lookup, Package
    from freezer.model.artifact import Artifact
    from freezer.model.lock import Lock

BUILD = "build"
"""In the place of an ecosystem's name: wheels that the build of a source distribution needs."""


class PipEcosystem(Ecosystem):
    """Wheels, and source distributions that the spec allows."""

    name = "pip"
    noun = "Python package"
    title = ""  # most moves are of Python packages, so they need no noun

    def own_name(self, name: str) -> str:
        """See `Ecosystem.own_name`."""
        return canonicalize_name(name)

    def artifacts(self, lock: Lock) -> Iterator[Artifact]:
        """See `Ecosystem.artifacts`; the wheels that builds need are among them."""
        for package in lock.pip:
            yield package
            yield from package.build_requires

    def needs(self, package: Package, other: Package) -> bool:
        """See `Ecosystem.needs`."""
        return other.name in getattr(package, "requires", ())

    def keys(self, lock: Lock) -> Iterator[tuple[Key, Package]]:
        """See `Ecosystem.keys`; packages of builds have keys of their own."""
        for package in lock.pip:
            yield Key(self.name, package.name), package
            for part in package.build_requires:
                yield Key(BUILD, part.name, package.name), part

    def edges(self, lock: Lock, known: Lookup) -> Iterator[tuple[Key, Need]]:
        """See `Ecosystem.edges`.

        What pip packages need of conda is in no lock: it is known of wheels that can be read.
        """
        conda = known.provided_by_conda
        locked = {package.name for package in lock.pip}
        for package in lock.pip:
            by = Key(self.name, package.name)
            ranges = known.wheels.get(package.name, {})
            for name in {*package.requires, *(one for one in ranges if one in conda)}:
                needed = Key(self.name, name)
                if name not in locked:
                    needed = Key("conda", conda.get(name, name))
                yield needed, Need(by, ranges.get(name, ()))
            for part in package.build_requires:
                yield Key(BUILD, part.name, package.name), Need(by)
