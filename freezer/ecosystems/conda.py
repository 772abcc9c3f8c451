"""conda packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.ecosystems.interface import Ecosystem, Key, Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.ecosystems.interface import Lookup, Package
    from freezer.model.lock import Lock


class CondaEcosystem(Ecosystem):
    """conda packages; one version has several builds, so a build goes with each version."""

    name = "conda"
    noun = "conda package"
    title = "conda package "
    provides_python = True

    def other_platforms(self, lock: Lock) -> Mapping[str, Sequence[Package]]:
        """See `Ecosystem.other_platforms`."""
        return lock.conda_elsewhere

    def declared(self, lock: Lock) -> Mapping[str, str]:
        """Return the virtual packages: ``__glibc``, ``__cuda``."""
        return lock.virtual_packages

    def own_name(self, name: str) -> str:
        """See `Ecosystem.own_name`."""
        return name.lower()

    def version(self, package: Package) -> str:
        """Return ``2.5.1 cuda126_py311``."""
        return f"{package.version} {getattr(package, 'build', '')}".rstrip()

    def needs(self, package: Package, other: Package) -> bool:
        """See `Ecosystem.needs`."""
        return other.name in {text.partition(" ")[0] for text in getattr(package, "depends", ())}

    def edges(self, lock: Lock, known: Lookup) -> Iterator[tuple[Key, Need]]:
        """See `Ecosystem.edges`."""
        for package in lock.conda:
            for text in package.depends:
                name = known.spec_names.get(text, text)
                wanted = text.partition(name)[2].strip()
                yield Key(self.name, name), Need(Key(self.name, package.name), (wanted,))
