"""What a conda package is made of, and a writer of ``.conda`` archives: equal content, equal bytes.

The format: https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import zstandard

from freezer.model.lock import CondaPackage

PLACEHOLDER = "/opt/" + "placehold_" * 24 + "placeh"
"""Stands for the prefix in files: as long as a prefix may be, as conda-build has it."""
JANUARY = 1768435200
"""2026-01-15T00:00:00Z: when every package of the channel was built."""


@dataclass(frozen=True)
class File:
    """One file of a package."""

    data: bytes
    executable: bool = False

    @property
    def is_elf(self) -> bool:
        return self.data[:4] == b"\x7fELF"


@dataclass(frozen=True)
class Link:
    """A symbolic link of a package."""

    target: str


Tree = dict[str, File | Link]
"""What lies where, by path below the prefix."""


@dataclass(frozen=True)
class Package:
    """One conda package before it is packed."""

    name: str
    version: str
    build: str
    subdir: str
    files: Mapping[str, File | Link] = field(default_factory=dict)
    number: int = 0
    depends: Sequence[str] = ()
    constrains: Sequence[str] = ()
    noarch: str | None = None
    entry_points: Sequence[str] = ()
    license: str = "see upstream"

    @property
    def stem(self) -> str:
        return f"{self.name}-{self.version}-{self.build}"

    def index(self) -> dict[str, Any]:
        """Return ``info/index.json``."""
        noarch = self.subdir == "noarch"
        document: dict[str, Any] = {
            "arch": None if noarch else {"linux-64": "x86_64"}.get(self.subdir, "aarch64"),
            "build": self.build,
            "build_number": self.number,
            "depends": list(self.depends),
            "license": self.license,
            "name": self.name,
            "platform": None if noarch else "linux",
            "subdir": self.subdir,
            "timestamp": JANUARY * 1000,
            "version": self.version,
        }
        extra = {"constrains": list(self.constrains), "noarch": self.noarch}
        return document | {key: value for key, value in extra.items() if value}

    def paths(self) -> list[dict[str, Any]]:
        """Return the entries of ``info/paths.json``."""
        return [_path_entry(path, self.files) for path in sorted(self.files)]

    def info(self) -> dict[str, bytes]:
        """Return the package's own description, by path."""
        paths = self.paths()
        found = {
            "info/about.json": _json({"license": self.license}),
            "info/files": "".join(f"{entry['_path']}\n" for entry in paths).encode(),
            "info/index.json": _json(self.index()),
            "info/paths.json": _json({"paths": paths, "paths_version": 1}),
        }
        if self.noarch == "python":
            about: dict[str, Any] = {"type": "python"}
            if self.entry_points:
                about["entry_points"] = list(self.entry_points)
            found["info/link.json"] = _json({"noarch": about, "package_metadata_version": 1})
        return found

    def packed(self) -> bytes:
        """Return the ``.conda`` archive."""
        return self.packed_with(self.info())

    def packed_with(self, info: Mapping[str, bytes]) -> bytes:
        """Return the ``.conda`` archive with another description of itself."""
        described: Tree = {path: File(data) for path, data in info.items()}
        return zipped(self.parts(tar_zst(self.files), tar_zst(described)))

    def parts(self, files: bytes, info: bytes) -> dict[str, bytes]:
        """Return the members of a ``.conda`` archive, given its two compressed tars."""
        return {
            "metadata.json": b'{"conda_pkg_format_version": 2}',
            f"pkg-{self.stem}.tar.zst": files,
            f"info-{self.stem}.tar.zst": info,
        }

    def packed_bz2(self) -> bytes:
        """Return the archive in conda's first format."""
        files = {path: File(data) for path, data in self.info().items()}
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode="w:bz2") as archive:
            for path, item in {**files, **self.files}.items():
                _add(archive, path, item)
        return target.getvalue()


def record(package: Package, packed: bytes) -> dict[str, Any]:
    """Return the package's line in a channel's index."""
    return {
        **package.index(),
        "md5": hashlib.md5(packed).hexdigest(),
        "sha256": hashlib.sha256(packed).hexdigest(),
        "size": len(packed),
    }


def locked(item: dict[str, Any], channel: str) -> CondaPackage:
    """Return a record as a lock has it."""
    known = CondaPackage.model_fields.keys()
    values = {key: value for key, value in item.items() if key in known}
    return CondaPackage.model_validate(
        {**values, "source": "conda", "file": item["fn"], "channel": channel, "reason": "a test"}
    )


def tar_zst(files: Mapping[str, File | Link]) -> bytes:
    """Return a compressed tar, sorted by path."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(files):
            _add(archive, path, files[path])
    return zstandard.ZstdCompressor(level=3).compress(target.getvalue())


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return a zip archive that stores its members as they are."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return target.getvalue()


def _add(archive: tarfile.TarFile, path: str, item: File | Link) -> None:
    header = tarfile.TarInfo(path)
    if isinstance(item, Link):
        header.type, header.linkname, header.mode = tarfile.SYMTYPE, item.target, 0o777
        archive.addfile(header)
        return
    header.size, header.mode = len(item.data), 0o755 if item.executable else 0o644
    archive.addfile(header, io.BytesIO(item.data))


def _path_entry(path: str, files: Mapping[str, File | Link]) -> dict[str, Any]:
    item = files[path]
    if isinstance(item, Link):
        return {"_path": path, "path_type": "softlink", **_content(_followed(path, files))}
    entry = {"_path": path, "path_type": "hardlink", **_content(item.data)}
    if PLACEHOLDER.encode() in item.data:
        entry["prefix_placeholder"] = PLACEHOLDER
        entry["file_mode"] = "binary" if b"\0" in item.data else "text"
    return entry


def _content(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}


def _followed(path: str, files: Mapping[str, File | Link]) -> bytes:
    """Return what a link leads to; nothing when that is not in the package."""
    item: File | Link | None = files[path]
    while isinstance(item, Link):
        path = f"{path.rpartition('/')[0]}/{item.target}".lstrip("/")
        item = files.get(path)
    return item.data if item is not None else b""


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=2, sort_keys=True).encode()
