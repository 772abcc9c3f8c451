"""Measured effects that concern a lock: those of the versions that it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.frameworks import python_names
from freezer.frameworks.atlas.table import covers, locked_versions, sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.frameworks.atlas.table import Row
    from freezer.model.lock import Lock

_THREADS: Final = "OMP_NUM_THREADS"
_BLAS_THREADS: Final = "OPENBLAS_NUM_THREADS"
_HASH_SEED: Final = "PYTHONHASHSEED"


@dataclass(frozen=True)
class LockedRow:
    """A measured effect on the bits, and the locked package that has it."""

    package: str
    version: str
    row: Row


def locked_rows(lock: Lock) -> Iterator[LockedRow]:
    """Yield what is measured to change bits in the locked versions; nothing of other versions."""
    seen = set()
    for package, version in sorted(locked_versions(lock, python_names()).items()):
        found = sheet(package)
        if found is None or found.package in seen:
            continue
        seen.add(found.package)
        for row in found.rows:
            if row.effect != "same" and covers(row.versions, version):
                yield LockedRow(package, version, row)


def covered(row: Row, environment: Mapping[str, str]) -> bool | None:
    """Return whether an image's variables stop an effect; None where only one's own code can."""
    if row.variables:
        return all(environment.get(name) == value for name, value in row.variables.items())
    if row.factor == "hash seed":
        return environment.get(_HASH_SEED, "random").isdecimal()
    if row.factor == "blas threads":
        return _fixed(environment.get(_BLAS_THREADS, ""), one=row.effect == "varies")
    if row.factor == "threads" and row.by == "environment":
        return _fixed(environment.get(_THREADS, ""), one=row.effect == "varies")
    return None


def _fixed(threads: str, *, one: bool) -> bool:
    """Say whether a number of threads is fixed, and to one where more of them race."""
    return threads == "1" if one else threads.isdecimal()
