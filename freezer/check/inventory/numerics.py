"""Duplicate libraries in an inventory, and differences between two inventories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.model.record.inventory import note_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.record.inventory import Inventory, InventoryNote, Numeric

_ROLES: Final = {
    "blas": "BLAS",
    "lapack": "LAPACK",
    "openmp": "OpenMP runtime",
    "onednn": "oneDNN",
    "cuda": "CUDA library",
    "cudnn": "cuDNN",
    "nccl": "NCCL",
    "libm": "math library",
    "libc": "C library",
    "libstdc++": "C++ library",
    "libgfortran": "Fortran library",
}
_BLAS_CAN: Final = (
    "the same product rounds differently depending on which package computes it, and each has "
    "threads of its own"
)
_OPENMP_CAN: Final = (
    "each has a pool of threads of its own: more threads than are set, sums that are split "
    "differently, with some mixtures a crash or a hang"
)


@dataclass(frozen=True)
class _Implementation:
    """One BLAS or OpenMP implementation of an environment, of any number of files."""

    title: str
    users: tuple[str, ...]


def doubles(inventory: Inventory) -> tuple[str, ...]:
    """Return a sentence for each duplicate library, with its possible effect.

    Several files of one package are one implementation; two packages with the same OpenBLAS are
    two, unless the versions are equal: then nothing rounds differently.
    """
    return tuple(
        sentence
        for role, noun, can in (
            ("blas", "BLAS", _BLAS_CAN),
            ("openmp", "OpenMP runtimes", _OPENMP_CAN),
        )
        for sentence in _double(_implementations(inventory, role), noun, can)
    )


def _implementations(inventory: Inventory, role: str) -> list[_Implementation]:
    """Return the implementations of a role, loaded ones first; one a name and version."""
    users: dict[str, set[str]] = {}
    for item in inventory.libraries:
        if role in item.roles:
            origin = f" ({item.owner})" if item.owner.startswith(("debian:", "conda:")) else ""
            title = f"{item.name} {item.version}".strip() + origin
            users.setdefault(title, set()).update(item.loaded_by)
    for paths in inventory.linked_in:
        if role in paths.roles:
            users.setdefault(f"{paths.name} within {paths.owner}", set()).add(paths.owner)
    found = [_Implementation(title, tuple(sorted(who))) for title, who in users.items()]
    return sorted(found, key=lambda item: (not item.users, item.title))


def _double(found: Sequence[_Implementation], noun: str, can: str) -> Iterator[str]:
    loaded = [item for item in found if item.users]
    idle = [item for item in found if not item.users]
    if len(loaded) > 1:
        named = "; ".join(f"{item.title}, loaded by {_names(item.users)}" for item in loaded)
        yield f"{len(loaded)} {noun}: {named}: {can}"
    if loaded and idle:
        named = " and ".join(item.title for item in idle)
        yield (
            f"{named} is installed next to {loaded[0].title}, and no Python package loads it; "
            f"programs that are compiled in the image, or look for a library by name, would: {can}"
        )
    elif len(idle) > 1:
        named = " and ".join(item.title for item in idle)
        yield f"{len(idle)} {noun} that no Python package loads: {named}"


def compare_inventories(before: Inventory, now: Inventory) -> tuple[str, ...]:
    """Return a sentence for each change of numeric libraries. Pure."""
    return differences_of_notes(note_of(before), note_of(now))


def differences_of_notes(
    before: InventoryNote | None, now: InventoryNote | None
) -> tuple[str, ...]:
    """Return the differences of two records' notes, BLAS first; empty when one is missing."""
    if before is None or now is None or before.digest == now.digest:
        return ()
    sentences = []
    for role, noun in _ROLES.items():
        old = {item.title: item for item in before.numerics if item.role == role}
        new = {item.title: item for item in now.numerics if item.role == role}
        removed = [title for title in old if title not in new]
        added = [title for title in new if title not in old]
        sentences += list(_change(noun, removed, added))
        sentences += list(_rebuilt(noun, old, new))
    return tuple(sentences)


def _change(noun: str, removed: Sequence[str], added: Sequence[str]) -> Iterator[str]:
    if removed and added:
        yield f"{noun} {', '.join(removed)} became {', '.join(added)}"
    elif added:
        yield f"{noun} {', '.join(added)} is new"
    elif removed:
        yield f"{noun} {', '.join(removed)} is removed"


def _rebuilt(noun: str, old: dict[str, Numeric], new: dict[str, Numeric]) -> Iterator[str]:
    for title in old.keys() & new.keys():
        if old[title].sha256 != new[title].sha256:
            yield f"{noun} {title} has other bytes under the same version"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more
