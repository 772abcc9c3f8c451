"""First step of a base: the files of its packages as one root, enough to run dpkg.

Nothing is configured yet; the packages' own scripts do that in a container.
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
    # The folders man1 to man9 are kept: some packages' scripts link into them.
    "/usr/share/man/*/*",
)
"""Files of no use to trainings, as dpkg patterns (an asterisk also matches slashes)."""
KEPT: Final = ("/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias")
"""Exceptions that are kept: licences must accompany what they license."""

_MERGED = {
    "x86_64": ("bin", "lib", "lib64", "sbin"),
    "aarch64": ("bin", "lib", "sbin"),
}
_FOLDER_MODE = 0o755


def write_root(
    target: Sink, packages: Iterable[tuple[str, Path]], architecture: str, epoch: int
) -> CanonicalLayer:
    """Write the files of some packages as a layer; ``packages`` are names and ``.deb`` files.

    ``/bin``, ``/lib`` and ``/sbin`` are links to ``/usr`` from the start, as required since Debian
    12. Raises ``IntegrityError`` for a corrupt package or one with devices, whiteouts or paths that
    lead out of the root.
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
    """Return whether dpkg is configured to exclude a path (relative)."""
    name = f"/{path}"
    return any(fnmatchcase(name, pattern) for pattern in LEFT_OUT) and not any(
        fnmatchcase(name, pattern) for pattern in KEPT
    )


class _Root:
    """A root being written: its contents so far, and its target."""

    def __init__(self, sink: Hashing, merged: tuple[str, ...], epoch: int) -> None:
        self.sink = sink
        self._merged = merged
        self._epoch = epoch
        self._kinds: dict[str, str] = {}

    def begin(self) -> None:
        """Write the merged /usr, and files that dpkg needs before it is itself installed."""
        for folder in ("usr", *(f"usr/{name}" for name in self._merged)):
            self._write(Entry(folder, "dir", _FOLDER_MODE))
        for name in self._merged:
            self._write(Entry(name, "symlink", 0o777, target=f"usr/{name}"))

    def add(self, package: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Write one member of a package, unless it exists or is excluded."""
        path = self._path(member.name)
        if not path or is_left_out(path):
            return
        if (member.isdir() or member.issym()) and path in self._kinds:
            return  # folders are shared; later packages contain the merged links themselves
        entry = self._entry(package, path, member)
        self._folders(path)
        self._write(entry, archive.extractfile(member) if entry.kind == "file" else None)

    def end(self) -> None:
        """Write files for the first run of dpkg that no package has, and the tar's end."""
        self._folders("var/lib/dpkg/updates/any")
        for file in ("var/lib/dpkg/status", "var/lib/dpkg/available"):
            if file not in self._kinds:
                self._write(Entry(file, "file", 0o644), io.BytesIO())
        if "usr/bin/sh" not in self._kinds:
            self._write(Entry("usr/bin/sh", "symlink", 0o777, target="dash"))
        self.sink.write(END)

    def _path(self, name: str) -> str:
        """Return a member's path with /usr merged."""
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
        f"{package} holds {path}, which is not allowed in a base",
        found=found,
        hint="check that the archive of this package is a Debian one",
    )
