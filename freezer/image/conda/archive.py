"""Opens untrusted conda packages.

A package's SHA-256 was verified before, but the locked file may still be malformed or hostile. The
formats (CEP 35, https://conda.org/learn/ceps/cep-0035): ``.conda`` is a zip of two tars, one with
the files and one with metadata; ``.tar.bz2`` has both.
"""

from __future__ import annotations

import bz2
import lzma
import tarfile
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import zstandard

from freezer.errors import IntegrityError
from freezer.fetch.store.atomic import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freezer.model.lock import CondaPackage

_MEMBERS = 500_000
_ALLOWANCE = 256 << 20
_RATIO = 100
"""Maximum compression ratio, beyond the allowance. Genuine packages are below 30."""
_BLOCK = 1 << 20
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zstandard.ZstdError,
    zlib.error,
    EOFError,
    OSError,  # raised by bz2
    ValueError,
    OverflowError,
    lzma.LZMAError,
    RuntimeError,  # raised by zipfile for an encrypted member or an unknown compression
)


@dataclass(frozen=True)
class Member:
    """One member of a package: a file, or a symbolic link."""

    size: int
    executable: bool
    target: str | None
    """The target of a link; None for a file."""
    archive: tarfile.TarFile
    header: tarfile.TarInfo

    def open(self) -> IO[bytes]:
        """Open the content of a file."""
        stream = self.archive.extractfile(self.header)
        if stream is None:
            raise IntegrityError(f"{self.header.name} has no content")
        return stream


@dataclass(frozen=True)
class CondaArchive:
    """An open package; all its names are safe to join to a prefix."""

    package: CondaPackage
    members: Mapping[str, Member]
    """By path below the prefix, including ``info/``, without folders."""

    def text(self, name: str) -> str | None:
        """Return a member as text; None when it does not exist."""
        member = self.members.get(name)
        if member is None or member.target is not None:
            return None
        with member.open() as stream:
            return stream.read().decode("utf-8", "replace")


@contextmanager
def open_conda(path: Path, package: CondaPackage, scratch: Path) -> Iterator[CondaArchive]:
    """Open a verified package; ``scratch`` is a folder for temporary files.

    Raises ``IntegrityError`` with what is wrong with it.
    """
    with ExitStack() as stack:
        try:
            members: dict[str, Member] = {}
            for tar in _tars(path, package, scratch):
                archive = stack.enter_context(tarfile.open(tar, mode="r:"))
                _take(archive, members, package)
            _require_no_way_through_links(members, package)
        except _BROKEN as error:
            raise refused_conda(package, f"it is not a valid archive ({error})") from error
        yield CondaArchive(package, members)


def safe_path(name: str, package: CondaPackage) -> str:
    """Return a member's path without ``./`` and a trailing slash.

    Raises ``IntegrityError`` for one that leads out of the prefix or is not printable.
    """
    path = name.removeprefix("./").removesuffix("/")
    parts = path.split("/")
    if path != "." and (any(part in ("", ".", "..") for part in parts) or not path.isprintable()):
        raise refused_conda(package, f"a member leads out of it, or has an unsafe name: {name!r}")
    return path


def refused_conda(package: CondaPackage, why: str) -> IntegrityError:
    """Return the error for a conda package that cannot be installed safely."""
    return IntegrityError(
        f"{package.file} is not installed: {why}",
        hint=f"report this to the owners of the channel {package.channel}, and lock another build "
        f"of {package.name}",
    )


def _tars(path: Path, package: CondaPackage, scratch: Path) -> Iterator[Path]:
    """Unpack the tars of a package, and yield their paths."""
    limit = _ALLOWANCE + _RATIO * path.stat().st_size
    if package.file.endswith(".tar.bz2"):
        with bz2.open(path) as stream:
            _unpack(cast("IO[bytes]", stream), scratch / "all.tar", limit, package)
        yield scratch / "all.tar"
    elif package.file.endswith(".conda"):
        for part in ("info", "pkg"):
            target = scratch / f"{part}.tar"
            with zipfile.ZipFile(path) as archive:
                name = _only(archive, f"{part}-", package)
                with archive.open(name) as packed:
                    reader = zstandard.ZstdDecompressor().stream_reader(
                        packed, read_across_frames=True
                    )
                    _unpack(cast("IO[bytes]", reader), target, limit, package)
            yield target
    else:
        raise refused_conda(package, "its name does not end with .conda or .tar.bz2")


def _only(archive: zipfile.ZipFile, prefix: str, package: CondaPackage) -> str:
    found = [name for name in archive.namelist() if name.startswith(prefix)]
    if len(found) != 1 or not found[0].endswith(".tar.zst") or "/" in found[0]:
        raise refused_conda(package, f"it holds {len(found)} members {prefix}*.tar.zst, not one")
    return found[0]


def _unpack(stream: IO[bytes], target: Path, limit: int, package: CondaPackage) -> None:
    size = 0
    with target.open("wb") as sink:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise refused_conda(package, "it unpacks to suspiciously many bytes")
            with disk_errors(target.parent):
                sink.write(block)


def _take(archive: tarfile.TarFile, members: dict[str, Member], package: CondaPackage) -> None:
    for header in archive:
        path = safe_path(header.name, package)
        if header.isdir():
            continue
        if path in members:
            raise refused_conda(package, f"it holds {path!r} twice")
        if len(members) >= _MEMBERS:
            raise refused_conda(package, f"it has more than {_MEMBERS} members")
        members[path] = _member(archive, header, package)


def _member(archive: tarfile.TarFile, header: tarfile.TarInfo, package: CondaPackage) -> Member:
    holder, seen = header, {header.name}
    while holder.islnk():
        holder = _linked(archive, holder, package)
        if holder.name in seen:
            raise refused_conda(package, f"{header.name!r} is a link to itself")
        seen.add(holder.name)
    if holder.issym():
        return Member(0, False, holder.linkname, archive, holder)
    if not holder.isreg() or holder.sparse is not None or holder.size < 0:
        raise refused_conda(package, f"{header.name!r} is a device, a pipe, or a file with holes")
    return Member(holder.size, bool(holder.mode & 0o111), None, archive, holder)


def _linked(
    archive: tarfile.TarFile, header: tarfile.TarInfo, package: CondaPackage
) -> tarfile.TarInfo:
    try:
        return archive.getmember(header.linkname)
    except KeyError:
        raise refused_conda(
            package, f"{header.name!r} is a link to {header.linkname!r}, which it does not hold"
        ) from None


def _require_no_way_through_links(members: Mapping[str, Member], package: CondaPackage) -> None:
    links = {path for path, member in members.items() if member.target is not None}
    for path in members:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in members:
                kind = "link" if "/".join(parts[:depth]) in links else "file"
                raise refused_conda(package, f"{path!r} is below a {kind}")
