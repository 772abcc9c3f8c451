"""Mounts of data sets: a container sees the files of a set, and no others."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from freezer.data.snapshot import members_of
from freezer.engine.interface import Mount
from freezer.errors import DataError
from freezer.fetch.store.atomic import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from freezer.data.snapshot import Snapshot
    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.project import Project

MOST: Final = 1000
"""Mounts for one data set; a container with this many starts about half a second later."""
SOURCES: Final = "/freezer-data"
"""In the container: the folders to which the links of views lead."""
Tree = dict[str, "Tree | None"]
"""The members of a set: a folder maps names to its children, a file is None."""


def data_mounts(
    project: Project, sets: Iterable[tuple[DataSet, Snapshot]], target: str, views: Path
) -> list[Mount]:
    """Return read-only mounts of data sets below a folder of the container.

    Of a glob only what matches is mounted: each folder in which everything matches as one, other
    files one by one. Where that takes more than `MOST` mounts, a view of links is made in a folder
    below ``views`` (see `_view`), which the caller removes once the container ended.
    """
    found = []
    for one, snapshot in sets:
        place = f"{target}/{one.name}"
        if one.pattern is None:
            found.append(Mount(str(one.root), place))
            continue
        members = dict(_matches(project, one, snapshot))
        cover = smallest_cover(str(one.root), members)
        if len(cover) > MOST:
            found += _view(one, members, views / one.name, place)
            project.report.note(
                f"data set {one.name}: {len(members)} files match among others, more than can be "
                f"mounted one by one; the container sees them as links, and nothing else of "
                f"{one.root} in {place}"
            )
            continue
        found += [Mount(_joined(str(one.root), path), _joined(place, path)) for path in cover]
    return found


def _view(one: DataSet, members: Mapping[str, str | None], view: Path, place: str) -> list[Mount]:
    """Return the mounts of a data set as a folder of links to its files, which is made here.

    No file is copied, and none is touched, as a hard link would do: its times are how an unchanged
    file is known. The links lead to a second mount, that of the whole folder at a path of its own.
    """
    source = f"{SOURCES}/{one.name}"
    with disk_errors(view.parent):
        view.mkdir(parents=True)
        for folder in sorted({path.rpartition("/")[0] for path in members} - {""}):
            (view / folder).mkdir(parents=True, exist_ok=True)
        for path, leads_to in members.items():
            if leads_to is None:
                (view / path).mkdir(exist_ok=True)
            else:
                os.symlink(f"{source}/{leads_to}", f"{view}/{path}")  # noqa: PTH211 - many
    return [Mount(str(one.root), source), Mount(str(view), place)]


def _joined(base: str, path: str) -> str:
    return base if path == "." else f"{base}/{path}"


def _matches(
    project: Project, one: DataSet, snapshot: Snapshot
) -> Iterator[tuple[str, str | None]]:
    """Yield the paths that belong to a set of a glob, each with the path of its file.

    That is another one for a link, which belongs to the set only if its target does as well; a
    folder has None.
    """
    members = members_of(snapshot, project.store)
    files = {member.path for member in members if member.kind == "f"}
    left_out = []
    root = os.path.realpath(one.root)
    for member in members:
        leads_to: str | None = None if member.kind == "d" else member.path
        if member.kind == "l":
            leads_to = os.path.relpath(os.path.realpath(one.root / member.path), root)
            if leads_to not in files:
                left_out.append(member.path)
                continue
        yield member.path, leads_to
    if left_out:
        project.report.warn(
            f"data set {one.name}: {len(left_out)} links lead to what the pattern does not match, "
            f"and are not mounted: {', '.join(left_out[:5])}"
        )


def smallest_cover(root: str, paths: Iterable[str]) -> list[str]:
    """Return the fewest folders and files that contain exactly these paths.

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
    """Return whether a whole folder belongs to the set, and otherwise its parts that do."""
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
