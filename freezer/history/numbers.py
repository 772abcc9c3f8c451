"""Which operations give other numbers after a change of versions, as measured. Pure but for data.

The facts are those of `freezer.frameworks.atlas`: what was not measured is not claimed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.ecosystems import INSTALLED
from freezer.frameworks import python_names
from freezer.model.base import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.model.lock import Lock

LISTED: Final = 4
"""Operations that one sentence names; the others are counted."""
_PYTHON: Final = frozenset({"conda", "pip"})
"""Ecosystems whose packages are those of the Python package index, or have their versions."""


class ChangedNumbers(Model):
    """A change of version with which operations give other numbers for the same seed."""

    package: str
    before: str
    after: str
    operations: tuple[str, ...]
    """As their users write them: ``Generator.wald``. Never empty."""

    @property
    def listed(self) -> str:
        """The operations in words, the first ones by name."""
        named = ", ".join(self.operations[:LISTED])
        more = len(self.operations) - LISTED
        return f"{named} and {more} more" if more > 0 else named

    def __str__(self) -> str:
        """Return ``numpy 2.2.6 to 2.4.6 changes the numbers of Generator.wald``."""
        return f"{self.package} {self.before} to {self.after} changes the numbers of {self.listed}"


def changed_numbers(
    ecosystem: str, name: str, before: str | None, after: str | None
) -> ChangedNumbers | None:
    """Return what a package's change of version does; None where nothing is known to change."""
    if ecosystem not in _PYTHON or before is None or after is None or before == after:
        return None
    from freezer.frameworks.atlas.table import changed_streams

    package = _distribution(ecosystem, name)
    found = changed_streams(package, before, after) if package is not None else ()
    operations = tuple(item.operation for item in found)
    if not operations:
        return None
    return ChangedNumbers(package=name, before=before, after=after, operations=operations)


def numbers_between(
    old: Lock, new: Lock, only: Iterable[tuple[str, str]] | None = None
) -> tuple[ChangedNumbers, ...]:
    """Return what changes between two locks, sorted by package.

    ``only`` are ecosystem and name of the packages in question; without it all are.
    """
    wanted = None if only is None else set(only)
    found = (one for one in _changes(old, new, wanted) if one is not None)
    return tuple(sorted(found, key=lambda one: one.package))


def _changes(
    old: Lock, new: Lock, wanted: set[tuple[str, str]] | None
) -> Iterator[ChangedNumbers | None]:
    from freezer.frameworks.atlas.table import locked_versions

    # A package may have come from conda before, and come from pip now.
    elsewhere = locked_versions(old, python_names())
    for ecosystem in INSTALLED:
        if ecosystem.name not in _PYTHON:
            continue
        before = {item.name: item.version for item in ecosystem.packages(old)}
        for item in ecosystem.packages(new):
            if wanted is None or (ecosystem.name, item.name) in wanted:
                name = _distribution(ecosystem.name, item.name)
                version = before.get(item.name) or elsewhere.get(name or "")
                yield changed_numbers(ecosystem.name, item.name, version, item.version)


def _distribution(ecosystem: str, name: str) -> str | None:
    """Return the Python distribution that a package is; None for another library of its name."""
    if ecosystem != "conda":
        return name
    from freezer.frameworks.atlas.table import of_conda

    return of_conda(name, python_names())
