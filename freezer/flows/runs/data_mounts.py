"""What of each data set a container sees: the files that belong to it, and no others."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from freezer.data.snapshot import members_of
from freezer.engine.interface import Mount
from freezer.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.data.snapshot import Snapshot
    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.project import Project

MOST: Final = 256
"""Mounts for one data set; a container with this many starts in 0.1 s more."""
Tree = dict[str, "Tree | None"]
"""The members of a set: a folder by its children's names, a file as None."""


def data_mounts(
    project: Project, sets: Iterable[tuple[DataSet, Snapshot]], target: str
) -> list[Mount]:
    """Return read-only mounts of data sets below a folder of the container.

    Of a glob only what matches is mounted: each folder in which everything matches as one, other
    files one by one. Where that takes more than `MOST` mounts, the whole folder above the wildcard
    is, with a warning.
    """
    found = []
    for one, snapshot in sets:
        place = f"{target}/{one.name}"
        if one.pattern is None:
            found.append(Mount(str(one.root), place))
            continue
        paths = list(_matches(project, one, snapshot))
        cover = smallest_cover(str(one.root), paths)
        if len(cover) > MOST:
            project.report.warn(
                f"data set {one.name}: {len(paths)} files match among others, and at most {MOST} "
                f"can be mounted one by one. The container sees all of {one.root}; the recorded "
                "digest covers what matches. Move these files into a folder of their own"
            )
            cover = ["."]
        found += [Mount(_joined(str(one.root), path), _joined(place, path)) for path in cover]
    return found


def _joined(base: str, path: str) -> str:
    return base if path == "." else f"{base}/{path}"


def _matches(project: Project, one: DataSet, snapshot: Snapshot) -> Iterator[str]:
    """Yield the paths that belong to a set of a glob; a link only if its target does as well."""
    members = members_of(snapshot, project.store)
    files = {member.path for member in members if member.kind == "f"}
    left_out = []
    root = os.path.realpath(one.root)
    for member in members:
        if member.kind == "l":
            target = os.path.relpath(os.path.realpath(one.root / member.path), root)
            if target not in files:
                left_out.append(member.path)
                continue
        yield member.path
    if left_out:
        project.report.warn(
            f"data set {one.name}: {len(left_out)} links lead to what the pattern does not match, "
            f"and are not mounted: {', '.join(left_out[:5])}"
        )


def smallest_cover(root: str, paths: Iterable[str]) -> list[str]:
    """Return folders and files that hold these paths and nothing else, as few as that takes.

    ``.`` is the root itself. Raises ``DataError`` for a folder that cannot be listed.
    """
    tree: Tree = {}
    for path in paths:
        *folders, name = path.split("/")
        here = tree
        for folder in folders:
            inner = here.setdefault(folder, {})
            assert inner is not None  # noqa: S101 - a file has no children
            here = inner
        here[name] = None
    whole, cover = _cover(root, "", tree)
    return ["."] if whole else cover


def _cover(root: str, folder: str, tree: Tree) -> tuple[bool, list[str]]:
    """Return whether everything in a folder belongs to the set, and else what of it does."""
    cover: list[str] = []
    whole = _names(os.path.join(root, folder)) == tree.keys()  # noqa: PTH118 - of text alone
    for name, inner in tree.items():
        path = f"{folder}/{name}" if folder else name
        if inner is None:
            cover.append(path)
            continue
        inner_whole, parts = _cover(root, path, inner)
        whole = whole and inner_whole
        cover += [path] if inner_whole else parts
    return whole, cover


def _names(folder: str) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries}
    except OSError as error:
        found = error.strerror
    raise DataError(
        "a folder of a data set cannot be listed",
        found=f"{PurePosixPath(folder).name}: {found}",
        hint="it was there when the data were hashed; try again",
    )
