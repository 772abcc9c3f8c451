"""Walking a data set: every file below its root, in an order that no file system decides."""

from __future__ import annotations

import os
import stat
from glob import has_magic
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.data.entry import Stat
from freezer.errors import DataError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 128
"""Folders below each other."""
_KIND = 0o170000
"""The bits of a mode that `stat.S_IFMT` takes."""
_name = attrgetter("name")
_new = tuple.__new__
"""Makes a named tuple twice as fast as by its fields' names."""


def walk(root: Path, pattern: str | None, name: str) -> list[Stat]:
    """Return the members of a data set, folder by folder, sorted by name within each.

    ``root`` is a folder, or a single file; with a ``pattern`` (relative to ``root``) only files
    that match it belong. ``name`` is the set's, for messages. Raises ``DataError`` when there is
    nothing, and for what cannot be hashed or carried into a container: sockets, devices, names
    that are not UTF-8, links that lead out of the set.
    """
    try:
        mode = root.stat().st_mode
    except OSError as error:
        raise DataError(
            f"data set {name!r} is not there",
            where=Where(str(root)),
            found=error.strerror,
            hint="correct its path under `data:` in the spec, or put the data there",
        ) from None
    if pattern is not None:
        found = list(_matching(root, pattern, name))
        if not found:
            raise DataError(
                f"no file of data set {name!r} matches",
                where=Where(str(root)),
                found="nothing",
                expected=f"files that match {pattern}",
            )
        return found
    if stat.S_ISREG(mode):
        status = root.stat()
        return [_file(root.name, status)]
    if not stat.S_ISDIR(mode):
        raise DataError(f"data set {name!r} is no file and no folder", where=Where(str(root)))
    found = []
    _below(str(root), "", name, 0, found)
    return found


def split_glob(text: str) -> tuple[str, str | None]:
    """Return the folder above the first wildcard, and the pattern below it; None without one."""
    if not has_magic(text):
        return text, None
    parts = Path(text).parts
    first = next(number for number, part in enumerate(parts) if has_magic(part))
    return str(Path(*parts[:first])) if first else ".", "/".join(parts[first:])


def _below(root: str, folder: str, name: str, depth: int, found: list[Stat]) -> None:
    """Add the members of a folder. One call of ``scandir`` and one of ``stat`` an entry.

    There may be millions: what is done for each file is done here, without a call.
    """
    where = f"{root}/{folder}" if folder else root
    if depth > DEEPEST:
        raise DataError(f"data set {name!r} goes over {DEEPEST} folders deep", where=Where(where))
    try:
        with os.scandir(where) as entries:
            # Code points sort as their UTF-8 bytes do, so every host has the same order.
            children = sorted(entries, key=_name)
    except OSError as error:
        raise _unreadable(error, where, name) from None
    if not children and folder:
        found.append(Stat(folder, "d", 0, 0, 0, 0))
    prefix = f"{folder}/" if folder else ""
    for entry in children:
        path = prefix + entry.name
        if not path.isascii():
            _require_text(path, name)
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            raise _unreadable(error, entry.path, name) from None
        kind = status.st_mode & _KIND
        if kind == stat.S_IFREG:
            found.append(
                _new(
                    Stat,
                    (
                        path,
                        "f",
                        status.st_size,
                        status.st_ino,
                        status.st_mtime_ns,
                        status.st_ctime_ns,
                        "",
                    ),
                )
            )
        elif kind == stat.S_IFDIR:
            _below(root, path, name, depth + 1, found)
        elif kind == stat.S_IFLNK:
            found.append(_link(root, path, status, name))
        else:
            raise DataError(
                f"data set {name!r} holds something that is neither file nor folder",
                where=Where(entry.path),
                expected="files, folders, and links within the set",
                hint="move it out of the data set",
            )


def _file(path: str, status: os.stat_result) -> Stat:
    return Stat(path, "f", status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


def _link(root: str, path: str, status: os.stat_result, name: str) -> Stat:
    """Return a link whose target is in the set: any other would dangle in a container."""
    target = os.readlink(f"{root}/{path}")  # noqa: PTH115 - as it is written
    _require_text(target, name)
    inside = os.path.normpath(os.path.join(os.path.dirname(path), target))  # noqa: PTH118, PTH120 - of text alone
    if target.startswith("/") or inside == ".." or inside.startswith("../"):
        raise DataError(
            f"a link leads out of data set {name!r}",
            where=Where(f"{root}/{path}"),
            found=f"-> {target}",
            expected="links to members of the set: in a container nothing else is there",
            hint="name a folder that holds both, or copy what it points to (`cp -rL`)",
        )
    return Stat(path, "l", 0, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, target)


def _matching(root: Path, pattern: str, name: str) -> Iterator[Stat]:
    """Yield the files that a pattern matches, none of them through a link to a folder."""
    plain: dict[Path, bool] = {root: True}

    def reached(folder: Path) -> bool:
        if folder not in plain:
            plain[folder] = not folder.is_symlink() and reached(folder.parent)
        return plain[folder]

    for path in sorted(str(one.relative_to(root)) for one in root.glob(pattern)):
        _require_text(path, name)
        if not reached((root / path).parent):
            continue
        status = (root / path).lstat()
        if stat.S_ISREG(status.st_mode):
            yield _file(path, status)
        elif stat.S_ISLNK(status.st_mode):
            yield _link(str(root), path, status, name)


def _require_text(path: str, name: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"a name in data set {name!r} is not UTF-8",
            found=ascii(os.fsencode(path))[2:-1],
            hint="rename it: other hosts could not name it in the same way",
        ) from None


def _unreadable(error: OSError, where: str, name: str) -> DataError:
    return DataError(f"data set {name!r} cannot be read", where=Where(where), found=error.strerror)
