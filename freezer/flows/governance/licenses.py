"""The declared licenses of a lock's files, read from the files in the store, once for each."""

from __future__ import annotations

import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from freezer.errors import IntegrityError
from freezer.fetch.http.zip_errors import zip_errors
from freezer.governance.licenses.debian import LARGEST, debian_licenses
from freezer.governance.licenses.expression import Licenses
from freezer.governance.licenses.python import python_licenses
from freezer.image.debian.deb import open_data
from freezer.model.lock import BasePackage, CondaPackage, DebianPackage, PipPackage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock

_MEMO: Final = "licenses"
LICENSES_FORMAT: Final = 1
"""Counts up when what is read from a file, or how it is mapped, changes."""
_DOC: Final = PurePosixPath("usr/share/doc")
_LARGEST_METADATA: Final = 16 << 20
"""Bytes of a wheel's METADATA."""


@dataclass(frozen=True)
class _Kept:
    """What was read from one file."""

    expression: str | None
    unmapped: list[str]
    source: str
    same_as: str | None = None
    """A Debian package in whose folder the copyright file is."""


@dataclass(frozen=True)
class LicensesRead:
    """What is known of the licenses of a lock."""

    by_sha256: dict[str, Licenses]
    unread: tuple[str, ...]
    """Files that the store does not have, by name."""


def read_licenses(lock: Lock, store: Store, report: Reporter) -> LicensesRead:
    """Return what each file of a lock declares. conda packages declare it in the lock itself.

    Raises ``IntegrityError`` for a file that is no package of its kind.
    """
    packages = list(_files(lock))
    kept: dict[str, _Kept] = {}
    unread, new = [], []
    for package in packages:
        memo = store.get_memo(_MEMO, _key(package), _Kept)
        if memo is not None:
            kept[package.sha256] = memo
        elif store.has(package.sha256):
            new.append(package)
        else:
            unread.append(package.file.rpartition("/")[2])
    if new:
        with report.task("Reading licenses", total=len(new)) as task:
            for package in new:
                kept[package.sha256] = _read(package, store)
                store.put_memo(_MEMO, _key(package), vars(kept[package.sha256]))
                task.advance(1)
    by_name = {
        package.name: kept[package.sha256]
        for package in packages
        if isinstance(package, DebianPackage) and package.sha256 in kept
    }
    found = {sha256: _followed(one, by_name) for sha256, one in kept.items()}
    return LicensesRead(found, tuple(sorted(set(unread))))


def _key(package: DebianPackage | PipPackage) -> str:
    return f"{LICENSES_FORMAT} {package.sha256}"


def _files(lock: Lock) -> Iterator[DebianPackage | PipPackage]:
    for package in (*lock.base.packages, *lock.debian):
        if not isinstance(package, (BasePackage, CondaPackage)):
            yield package
    for wheel in lock.pip:
        yield wheel
        yield from wheel.build_requires


def _followed(one: _Kept, by_name: dict[str, _Kept]) -> Licenses:
    """Return the licenses of a package, from that in whose folder its copyright file is."""
    for _ in range(5):
        if one.same_as is None or one.same_as not in by_name:
            break
        one = by_name[one.same_as]
    return Licenses(one.expression, tuple(one.unmapped), one.source)


def _read(package: DebianPackage | PipPackage, store: Store) -> _Kept:
    path = store.verified(package.sha256)
    if isinstance(package, DebianPackage):
        text, same_as = _copyright(path, package)
        found = debian_licenses(text)
        return _Kept(found.expression, list(found.unmapped), found.source, same_as)
    found = python_licenses(_metadata(path, package.file))
    return _Kept(found.expression, list(found.unmapped), found.source)


def _copyright(path: Path, package: DebianPackage) -> tuple[str, str | None]:
    """Return the text of a package's copyright file, or the package that has it."""
    folder = _DOC / package.name
    with open_data(path, package.file) as archive:
        for member in archive:
            name = PurePosixPath(member.name.removeprefix("./").lstrip("/"))
            if name == folder and member.issym():
                return "", PurePosixPath(member.linkname).name
            if name != folder / "copyright":
                continue
            if member.issym():
                return "", PurePosixPath(member.linkname).parent.name
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                return stream.read(LARGEST).decode("utf-8", "replace"), None
    return "", None


def _metadata(path: Path, file: str) -> bytes:
    """Return the core metadata of a wheel or a source distribution; empty where there is none."""
    if file.endswith((".whl", ".zip")):
        return _from_zip(path, file)
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                if member.isfile() and len(parts) == 2 and parts[1] == "PKG-INFO":
                    stream = archive.extractfile(member)
                    return stream.read(_LARGEST_METADATA) if stream else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise IntegrityError(f"{file} is not a readable archive", found=str(error)) from error
    return b""


def _from_zip(path: Path, file: str) -> bytes:
    def refused(why: str) -> IntegrityError:
        return IntegrityError(f"{file} is not a readable archive", found=why)

    with zip_errors(refused), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            folder, _, name = info.filename.partition("/")
            inner = folder.endswith(".dist-info") and name == "METADATA"
            if (inner or name == "PKG-INFO") and info.file_size <= _LARGEST_METADATA:
                return archive.read(info)
    return b""
