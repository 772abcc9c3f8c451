"""An OCFL storage root (https://ocfl.io/1.1/spec/): one object for each environment.

A version is written aside and then put in place whole; what a version holds is never written
again. A file that an earlier version has is not copied: the inventory names it there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from freezer.errors import HostError, IntegrityError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.governance.archive.inventory import (
    INVENTORY,
    LARGEST,
    SIDECAR,
    Inventory,
    Version,
    is_version,
    parse_inventory,
    sidecar,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

ROOT_MARK: Final = ("0=ocfl_1.1", b"ocfl_1.1\n")
OBJECT_MARK: Final = ("0=ocfl_object_1.1", b"ocfl_object_1.1\n")
LAYOUT: Final = (
    "ocfl_layout.json",
    b'{"description": "one folder an ID", "extension": "0002-flat-direct-storage-layout"}\n',
)
_BLOCK: Final = 1 << 20
_ASIDE: Final = ".writing"


@dataclass(frozen=True)
class Source:
    """A file to be archived."""

    sha256: str
    size: int
    """Bytes."""
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Written:
    """A version that was written, or that was there already."""

    version: str
    files: int
    new_files: int
    new_bytes: int
    """Bytes that no earlier version had."""


def open_root(root: Path, *, make: bool) -> None:
    """Require a storage root, or make one of an empty folder. Raises ``HostError``."""
    mark = root / ROOT_MARK[0]
    if mark.is_file():
        return
    if not make:
        raise HostError(
            "this is no archive", where=Where(str(root)), expected=f"a folder with {ROOT_MARK[0]}",
            hint="name the folder that `freeze archive create --to` wrote",
        )  # fmt: skip
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise HostError(
            "an archive needs a folder of its own", where=Where(str(root)),
            found="something else is in it", hint="name a new folder",
        )  # fmt: skip
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        write_atomically(root / LAYOUT[0], LAYOUT[1])
        write_atomically(mark, ROOT_MARK[1])


def objects(root: Path) -> list[str]:
    """Return the names of the objects in a root, sorted."""
    return sorted(path.name for path in root.iterdir() if path.is_dir() and path.name[0] != ".")


def read_object(root: Path, name: str) -> Inventory | None:
    """Return the inventory of an object; None where there is none. Raises ``IntegrityError``."""
    folder = root / name
    if not folder.is_dir():
        return None
    data = _small(folder / INVENTORY)
    if _small(folder / SIDECAR) != sidecar(data):
        raise IntegrityError(
            "the inventory is not the one that was written", where=Where(f"{name}/{INVENTORY}"),
            hint="`freeze archive verify` names every file that changed",
        )  # fmt: skip
    try:
        return parse_inventory(data)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(
            "the inventory cannot be used", where=Where(f"{name}/{INVENTORY}"), found=str(error)
        ) from None


def add_version(
    root: Path, name: str, files: Mapping[str, Source], *, created: str, message: str,
    advance: Callable[[int], None] = lambda _: None,
) -> Written:  # fmt: skip
    """Add a state of an object: logical path to file. The same state again adds nothing.

    Raises ``IntegrityError`` for a file that is not what its digest says, ``HostError`` for a full
    disk; the object is then what it was.
    """
    folder = root / name
    old = read_object(root, name)
    state = {path: source.sha256 for path, source in files.items()}
    if old is not None and old.versions[-1].state == state:
        return Written(old.head, len(files), 0, 0)
    known = dict(old.manifest) if old is not None else {}
    number = len(old.versions) + 1 if old is not None else 1
    aside = folder / _ASIDE
    with disk_errors(root), _cleared(aside):
        fresh = {
            source.sha256: (path, source)
            for path, source in sorted(files.items(), reverse=True)
            if source.sha256 not in known
        }
        for sha256, (path, source) in fresh.items():
            _copy(source, aside / "content" / path, advance)
            known[sha256] = f"v{number}/content/{path}"
        version = Version(created, message, state)
        versions = (*(old.versions if old is not None else ()), version)
        inventory = Inventory(name, dict(sorted(known.items())), versions)
        data = inventory.data()
        aside.mkdir(parents=True, exist_ok=True)
        write_atomically(aside / INVENTORY, data)
        write_atomically(aside / SIDECAR, sidecar(data))
        place = folder / f"v{number}"
        shutil.rmtree(
            place, ignore_errors=True
        )  # of a run that ended before the inventory named it
        aside.rename(place)
        write_atomically(folder / OBJECT_MARK[0], OBJECT_MARK[1])
        write_atomically(folder / INVENTORY, data)
        write_atomically(folder / SIDECAR, sidecar(data))
    size = sum(source.size for _, source in fresh.values())
    return Written(f"v{number}", len(files), len(fresh), size)


@contextmanager
def _cleared(aside: Path) -> Iterator[None]:
    shutil.rmtree(aside, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _copy(source: Source, target: Path, advance: Callable[[int], None]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    hasher = hashlib.sha256()
    with source.open() as stream, target.open("xb") as out:
        while block := stream.read(_BLOCK):
            hasher.update(block)
            out.write(block)
            advance(len(block))
        out.flush()
        os.fsync(out.fileno())
    if hasher.hexdigest() != source.sha256:
        raise IntegrityError(
            f"{target.name} changed while it was archived", found=f"sha256 {hasher.hexdigest()}",
            expected=f"sha256 {source.sha256}", hint="run the command again",
        )  # fmt: skip


def verify_object(
    root: Path, name: str, advance: Callable[[int], None] = lambda _: None
) -> list[str]:
    """Return a sentence for each file of an object that is not what was written. Reads all."""
    folder = root / name
    found: list[str] = []
    try:
        inventory = read_object(root, name)
    except (IntegrityError, HostError) as error:
        place = error.where.file if error.where else name
        return [f"{place}: {error.what}", *_sidecars(folder, name)]
    if inventory is None:
        return [f"{name}: there is no such object"]
    if _marked(folder) is False:
        found.append(f"{name}/{OBJECT_MARK[0]}: not what was written")
    found += _sidecars(folder, name)
    found += _copies(folder, name, inventory)
    expected = {path: sha256 for sha256, path in inventory.manifest.items()}
    for path in sorted(expected):
        problem = _problem(folder / path, expected[path], advance)
        if problem:
            found.append(f"{name}/{path}: {problem}")
    allowed = {INVENTORY, SIDECAR, OBJECT_MARK[0]}
    for file in sorted(
        path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()
    ):
        path = file.relative_to(folder).as_posix()
        top, _, rest = path.partition("/")
        own = path in allowed or (is_version(top) and rest in (INVENTORY, SIDECAR))
        if not own and path not in expected:
            found.append(f"{name}/{path}: no inventory names it")
    return found


def _marked(folder: Path) -> bool:
    try:
        return (folder / OBJECT_MARK[0]).read_bytes() == OBJECT_MARK[1]
    except OSError:
        return False


def _copies(folder: Path, name: str, inventory: Inventory) -> list[str]:
    """Compare the newest version's own inventory with the object's, and count the versions."""
    found = [
        f"{name}/v{number}/{INVENTORY}: it is gone"
        for number in range(1, len(inventory.versions) + 1)
        if not (folder / f"v{number}" / INVENTORY).is_file()
    ]
    head = folder / inventory.head / INVENTORY
    if head.is_file() and head.read_bytes() != (folder / INVENTORY).read_bytes():
        found.append(f"{name}/{inventory.head}/{INVENTORY}: not that of the object")
    return found


def _sidecars(folder: Path, name: str) -> list[str]:
    found = []
    for place in sorted(path for path in folder.iterdir() if is_version(path.name)):
        if not (place / INVENTORY).is_file():
            continue
        try:
            fine = _small(place / SIDECAR) == sidecar(_small(place / INVENTORY))
        except HostError:
            fine = False
        if not fine:
            found.append(f"{name}/{place.name}/{INVENTORY}: not what its digest says")
    return found


def _problem(path: Path, sha256: str, advance: Callable[[int], None]) -> str | None:
    if path.is_symlink() or not path.is_file():
        return "it is gone" if not path.exists() else "not a regular file"
    hasher = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                hasher.update(block)
                advance(len(block))
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if hasher.hexdigest() == sha256 else "its bytes changed"


def _small(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise HostError("this file is too large", where=Where(str(path)))
        return path.read_bytes()
    except OSError as error:
        raise HostError(
            "this file of an archive cannot be read", where=Where(str(path)), found=error.strerror
        ) from None
