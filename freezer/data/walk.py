"""Walks a data set: every file below its root, in an order independent of the file system."""

from __future__ import annotations

import json
import os
import stat
import struct
from array import array
from contextlib import contextmanager
from glob import has_magic
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.data.entry import NUMBERS, SIZE, Found, signed_64
from freezer.data.fork import can_fork, forked
from freezer.errors import DataError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.data.entry import Kind

    Entry = tuple[str, tuple[int, ...]]

DEEPEST = 128
"""Maximum levels of folders."""
MANY = 20_000
"""Expected remaining members from which on a second process takes half of them."""
_KIND = 0o170000
"""The bits of a mode that `stat.S_IFMT` takes."""
_numbers = attrgetter("st_mode", "st_size", "st_ino", "st_mtime_ns", "st_ctime_ns")
_HEAD = struct.Struct("=2q")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def walk(root: Path, pattern: str | None, name: str) -> Found:
    """Return the members of a data set, folder by folder, sorted by name within each.

    ``root`` is a folder, or a single file; with a ``pattern`` (relative to ``root``) only files
    that match it belong. ``name`` is the set's, for messages. Two processes share a long walk.
    Raises ``DataError`` when there is nothing, and for what cannot be hashed or carried into a
    container: sockets, devices, names that are not UTF-8, links that lead out of the set.
    """
    try:
        mode = root.stat().st_mode
    except OSError as error:
        raise DataError(
            f"data set {name!r} does not exist",
            where=Where(str(root)),
            found=error.strerror,
            hint="correct its path under `data:` in the spec, or put the data there",
        ) from None
    walked = _Walk(name, str(root), alone=not can_fork())
    if pattern is not None:
        for path in _matching(root, pattern, name):
            walked.add(path, _numbers((root / path).lstat()))
        if not walked.paths:
            raise DataError(
                f"no file of data set {name!r} matches",
                where=Where(str(root)),
                found="nothing",
                expected=f"files that match {pattern}",
            )
    elif stat.S_ISREG(mode):
        walked.add(root.name, _numbers(root.stat()))
    elif stat.S_ISDIR(mode):
        walked.below("", None, 0)
    else:
        raise DataError(f"data set {name!r} is neither a file nor a folder", where=Where(str(root)))
    return walked.found()


def split_glob(text: str) -> tuple[str, str | None]:
    """Return the folder above the first wildcard, and the pattern below it; None without one."""
    if not has_magic(text):
        return text, None
    parts = Path(text).parts
    first = next(number for number, part in enumerate(parts) if has_magic(part))
    return str(Path(*parts[:first])) if first else ".", "/".join(parts[first:])


class _Walk:
    """Collects members, possibly millions."""

    def __init__(self, name: str, root: str, *, alone: bool = True) -> None:
        self.name = name
        self.root = root
        self._alone = alone
        self.paths: list[str] = []
        self._numbers = array("q")
        self._others: dict[int, tuple[Kind, str]] = {}

    def found(self) -> Found:
        """Return all that was found. Raises ``DataError`` for a name that is not UTF-8."""
        try:
            "\0".join(self.paths).encode()
        except UnicodeEncodeError:
            for path in self.paths:
                _require_text(path, self.name)
        return Found(self.paths, self._numbers, self._others)

    def below(self, folder: str, above: int | None, depth: int) -> None:
        """Add the members of a folder; ``above`` is the open descriptor of its parent."""
        where = f"{self.root}/{folder}" if folder else self.root
        if depth > DEEPEST:
            raise DataError(
                f"data set {self.name!r} has more than {DEEPEST} levels of folders",
                where=Where(where),
            )
        with self._opened(folder, above, where) as opened:
            names, rows = self._children(opened, where)
            prefix = f"{folder}/" if folder else ""
            if all([row[0] & _KIND == stat.S_IFREG for row in rows]):  # noqa: C419 - half the time
                self.paths += [prefix + name for name in names]
                self._numbers.extend(signed_64(chain.from_iterable(rows)))
                if not names and folder:
                    self._add(folder, (0,) * NUMBERS, ("d", ""))
                return
            self._each(list(zip(names, rows, strict=True)), opened, prefix, depth)

    def _each(self, entries: Sequence[Entry], opened: int, prefix: str, depth: int) -> None:
        before = len(self.paths)
        for place, (name, row) in enumerate(entries, 1):
            if row[0] & _KIND != stat.S_IFDIR:
                self.add(prefix + name, row)
                continue
            self.below(prefix + name, opened, depth + 1)
            rest = entries[place:]
            likely = (len(self.paths) - before) / place * len(rest)
            if not self._alone and len(rest) > 1 and likely >= MANY:
                self._in_halves(rest, opened, prefix, depth)
                return

    def _in_halves(self, entries: Sequence[Entry], opened: int, prefix: str, depth: int) -> None:
        """Walk the second half of some entries of a folder in another process."""
        self._alone = True
        middle = len(entries) // 2

        def second() -> bytes:
            other = _Walk(self.name, self.root)
            other._each(entries[middle:], opened, prefix, depth)
            return other.packed()

        with forked(second) as result:
            self._each(entries[:middle], opened, prefix, depth)
            data = result()
        if data is None:  # such as for a file that cannot be read: the same error here
            self._each(entries[middle:], opened, prefix, depth)
        else:
            self._append(data)

    def packed(self) -> bytes:
        """Return all that was found as bytes. Raises ``UnicodeEncodeError`` for a name."""
        paths = "\0".join(self.paths).encode()
        others = json.dumps(list(self._others.items())).encode()
        return b"".join((_HEAD.pack(len(paths), len(others)), paths, others, self._numbers))

    def _append(self, data: bytes) -> None:
        """Add what `packed` of another walk returned, after what is there."""
        length, more = _HEAD.unpack_from(data)
        ends = (_HEAD.size, _HEAD.size + length, _HEAD.size + length + more)
        before = len(self.paths)
        for at, other in json.loads(data[ends[1] : ends[2]]):
            self._others[before + at] = tuple(other)
        if length:
            self.paths += data[ends[0] : ends[1]].decode().split("\0")
        self._numbers.frombytes(data[ends[2] :])

    @contextmanager
    def _opened(self, folder: str, above: int | None, where: str) -> Iterator[int]:
        try:
            if above is None:
                opened = os.open(self.root, _FOLDER)
            else:
                own = folder.rpartition("/")[2]
                opened = os.open(own, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
        except OSError as error:
            raise _unreadable(error, where, self.name) from None
        try:
            yield opened
        finally:
            os.close(opened)

    def _children(self, opened: int, where: str) -> tuple[list[str], list[tuple[int, ...]]]:
        """Return the names in an open folder, sorted, and the `NUMBERS` of each.

        What is done for each file of a set is done here: one call of ``lstat`` by its name in the
        open folder.
        """
        try:
            # Code points sort as their UTF-8 bytes do, so every host has the same order.
            names = sorted(os.listdir(opened))
            return names, [_numbers(os.lstat(name, dir_fd=opened)) for name in names]
        except OSError as error:
            place = f"{where}/{error.filename}" if isinstance(error.filename, str) else where
            raise _unreadable(error, place, self.name) from None

    def add(self, path: str, numbers: tuple[int, ...]) -> None:
        """Add a member that is not a folder."""
        kind = numbers[0] & _KIND
        if kind == stat.S_IFREG:
            self._add(path, numbers)
        elif kind == stat.S_IFLNK:
            without_size = (numbers[0], 0, *numbers[SIZE + 1 :])
            self._add(path, without_size, ("l", _target(self.root, path, self.name)))
        else:
            raise DataError(
                f"data set {self.name!r} holds something that is neither file nor folder",
                where=Where(f"{self.root}/{path}"),
                expected="files, folders, and links within the set",
                hint="move it out of the data set",
            )

    def _add(
        self, path: str, numbers: tuple[int, ...], other: tuple[Kind, str] | None = None
    ) -> None:
        if other is not None:
            self._others[len(self.paths)] = other
        self.paths.append(path)
        self._numbers.extend(signed_64(numbers))


def _target(root: str, path: str, name: str) -> str:
    """Return the target of a link within the set: any other would dangle in a container."""
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
    return target


def _matching(root: Path, pattern: str, name: str) -> Iterator[str]:
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
        if stat.S_IFMT((root / path).lstat().st_mode) in (stat.S_IFREG, stat.S_IFLNK):
            yield path


def _require_text(path: str, name: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"a name in data set {name!r} is not UTF-8",
            found=ascii(os.fsencode(path))[2:-1],
            hint="rename it: other hosts cannot use such a name",
        ) from None


def _unreadable(error: OSError, where: str, name: str) -> DataError:
    return DataError(f"data set {name!r} cannot be read", where=Where(where), found=error.strerror)
