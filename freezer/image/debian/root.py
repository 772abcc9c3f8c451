"""The first step of making a base: the files of its packages as one root, good enough to run dpkg.

Nothing is configured yet; that is for the packages' own scripts, in a container.
"""

from __future__ import annotations

import io
from fnmatch import fnmatchcase
from typing import IO, TYPE_CHECKING, Final

from freezer.errors import IntegrityError
from freezer.image.debian.deb import open_data
from freezer.image.tar.canonical import (
    END,
    CanonicalLayer,
    Entry,
    Hashing,
    Sink,
    clean_path,
    parents,
    write_entry,
)

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterable
    from pathlib import Path

LEFT_OUT: Final = (
    "/usr/share/doc/*",
    "/usr/share/groff/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
    "/usr/share/linda/*",
    "/usr/share/locale/*",
    # Not the folders man1 to man9 themselves: some packages' scripts link into them.
    "/usr/share/man/*/*",
)
"""What no training reads, as dpkg patterns (an asterisk also stands for slashes)."""
KEPT: Final = ("/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias")
"""What stays for all that: licences want to go with what they license."""

_MERGED = {
    "x86_64": ("bin", "lib", "lib64", "sbin"),
    "aarch64": ("bin", "lib", "sbin"),
}
_FOLDER_MODE = 0o755


def write_root(
    target: Sink, packages: Iterable[tuple[str, Path]], architecture: str, epoch: int
) -> CanonicalLayer:
    """Write the files of some packages as a layer; ``packages`` are names and ``.deb`` files.

    ``/bin``, ``/lib`` and ``/sbin`` are links to ``/usr`` from the start, as every Debian since 12
    wants it. Raises ``IntegrityError`` for a package that is broken or holds what no package
    should: devices, paths that lead out of the root, whiteouts.
    """
    root = _Root(Hashing(target), _MERGED[architecture], epoch)
    root.begin()
    for name, path in packages:
        with open_data(path, name) as archive:
            for member in archive:
                root.add(name, archive, member)
    root.end()
    return root.sink.layer()


def is_left_out(path: str) -> bool:
    """Return whether a path (relative) is one of those that dpkg is told to leave out."""
    name = f"/{path}"
    return any(fnmatchcase(name, pattern) for pattern in LEFT_OUT) and not any(
        fnmatchcase(name, pattern) for pattern in KEPT
    )


class _Root:
    """A root under way: what it holds so far, and where it goes."""

    def __init__(self, sink: Hashing, merged: tuple[str, ...], epoch: int) -> None:
        self.sink = sink
        self._merged = merged
        self._epoch = epoch
        self._kinds: dict[str, str] = {}

    def begin(self) -> None:
        """Lay out the merged /usr, and what dpkg wants to find before it is itself installed."""
        for folder in ("usr", *(f"usr/{name}" for name in self._merged)):
            self._write(Entry(folder, "dir", _FOLDER_MODE))
        for name in self._merged:
            self._write(Entry(name, "symlink", 0o777, target=f"usr/{name}"))

    def add(self, package: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Write one member of a package, unless it is there or left out."""
        path = self._path(member.name)
        if not path or is_left_out(path):
            return
        if (member.isdir() or member.issym()) and path in self._kinds:
            return  # folders are shared; later packages bring the merged links themselves
        entry = self._entry(package, path, member)
        self._folders(path)
        self._write(entry, archive.extractfile(member) if entry.kind == "file" else None)

    def end(self) -> None:
        """Write what the first run of dpkg needs and no package brings, and the tar's end."""
        self._folders("var/lib/dpkg/updates/any")
        for file in ("var/lib/dpkg/status", "var/lib/dpkg/available"):
            if file not in self._kinds:
                self._write(Entry(file, "file", 0o644), io.BytesIO())
        if "usr/bin/sh" not in self._kinds:
            self._write(Entry("usr/bin/sh", "symlink", 0o777, target="dash"))
        self.sink.write(END)

    def _path(self, name: str) -> str:
        """Return where a member goes once /usr is merged."""
        path = clean_path(name)
        first = path.partition("/")[0]
        return f"usr/{path}" if first in self._merged and path != first else path

    def _folders(self, path: str) -> None:
        for folder in parents([path]):
            if folder not in self._kinds:
                self._write(Entry(folder, "dir", _FOLDER_MODE))

    def _entry(self, package: str, path: str, member: tarfile.TarInfo) -> Entry:
        if path.rsplit("/", 1)[-1].startswith(".wh."):
            raise _refused(package, path, "a whiteout, which would delete from the base")
        mode = member.mode & 0o7777
        if member.isreg():
            return Entry(path, "file", mode, member.size, uid=member.uid, gid=member.gid)
        if member.isdir():
            return Entry(path, "dir", mode, uid=member.uid, gid=member.gid)
        if member.issym():
            return Entry(path, "symlink", mode, target=member.linkname)
        if member.islnk():
            target = self._path(member.linkname)
            if self._kinds.get(target) != "file":
                raise _refused(package, path, f"a hard link to {target}, which is not there")
            return Entry(path, "hardlink", mode, target=target, uid=member.uid, gid=member.gid)
        raise _refused(package, path, "a device, socket or pipe")

    def _write(self, entry: Entry, data: IO[bytes] | None = None) -> None:
        self._kinds[entry.path] = entry.kind
        write_entry(self.sink, entry, data, self._epoch)


def _refused(package: str, path: str, found: str) -> IntegrityError:
    return IntegrityError(
        f"{package} holds {path}, which no base is made of",
        found=found,
        hint="check that the archive which serves this package is a Debian one",
    )
