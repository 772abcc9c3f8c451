"""The data sets that a spec names, found on this host."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.data.snapshot import snapshot
from freezer.data.walk import split_glob
from freezer.errors import DataError, Where
from freezer.flows.data.declared import declarations

if TYPE_CHECKING:
    from freezer.data.snapshot import Snapshot
    from freezer.flows.data.declared import Declarations
    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class DataSet:
    """One data set of an environment."""

    name: str
    root: Path
    """Absolute: a folder, or a single file."""
    pattern: str | None
    """Which files below the root belong to it; None for all."""
    expect: str | None
    """The SHA-256 that the spec demands, without a prefix."""
    where: Where
    """Its line in the spec."""


def data_sets(project: Project, name: str | None, wanted: tuple[str, ...] = ()) -> list[DataSet]:
    """Return the data sets of an environment by name, all of them or the wanted ones.

    Raises ``SpecError``, and ``DataError`` where the spec names none, or none of a wanted name.
    """
    found = declarations(project, name)
    if not found.sets:
        raise DataError(
            "the spec names no data sets",
            where=Where(found.spec),
            expected="lines such as 'data: {train: data/train}'",
            hint="add one for each folder or file that trainings read",
        )
    for one in wanted:
        if one not in found.sets:
            raise DataError(
                f"there is no data set {one!r} in the spec",
                where=found.where(),
                expected=f"one of: {', '.join(sorted(found.sets))}",
            )
    names = dict.fromkeys(wanted or sorted(found.sets))
    return [_data_set(project.root, found, one) for one in names]


def _data_set(project: Path, found: Declarations, name: str) -> DataSet:
    declared, where = found.sets[name], found.where(name)
    folder, pattern = split_glob(declared.path)
    # Where a link leads is what a container gets, and what is hashed.
    root = Path(os.path.realpath(project / Path(folder).expanduser()))
    records = Path(os.path.realpath(project)) / ".freezer"
    if records.is_relative_to(root) and _reaches_down(pattern, records.relative_to(root)):
        raise DataError(
            f"data set {name!r} holds the project's own .freezer folder, which changes in each run",
            where=where,
            found=declared.path,
            expected="a folder or pattern that leaves it out, such as data/train or data/**/*.csv",
        )
    return DataSet(name, root, pattern, declared.expect, where)


def _reaches_down(pattern: str | None, folder: Path) -> bool:
    """Say whether a pattern may match something within a folder."""
    if pattern is None:
        return True
    parts = pattern.split("/")
    for part, name in zip(parts, folder.parts, strict=False):
        if part == "**":
            return True
        if not fnmatchcase(name, part):
            return False
    return len(parts) > len(folder.parts)


def take(project: Project, one: DataSet, *, reread: bool = False) -> Snapshot:
    """Return a data set's state now. Raises ``DataError`` naming the spec's line as well."""
    return snapshot(
        one.name, one.root, one.pattern, store=project.store, report=project.report, reread=reread
    )


def require_expected(one: DataSet, digest: str) -> None:
    """Refuse data that are not the ones that the spec pins. Raises ``DataError``."""
    if one.expect is not None and digest != f"sha256:{one.expect}":
        raise DataError(
            f"data set {one.name!r} is not the one that the spec pins",
            where=one.where,
            found=digest,
            expected=f"sha256:{one.expect}",
            hint=f"`freeze data diff {one.name}` lists what changed since it was recorded; "
            "restore it, or change `expect`",
        )
