"""Debian packages made for a test: an ar archive around a tar, as dpkg-deb writes it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BUILT = 1_700_000_000
PACK = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def member(name: str, data: bytes = b"", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, data


def folder(name: str, **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, mode=0o755, **changes)


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.SYMTYPE, mode=0o777, linkname=target)


def tar(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def ar(members: Iterable[tuple[str, bytes]], moment: int = BUILT) -> bytes:
    parts = [b"!<arch>\n"]
    for name, data in members:
        parts.append(f"{name:<16}{moment:<12}0     0     100644  {len(data):<10}`\n".encode())
        parts.append(data + b"\n" * (len(data) % 2))
    return b"".join(parts)


def make_deb(
    path: Path,
    members: Iterable[tuple[tarfile.TarInfo, bytes]],
    *,
    control: str = "",
    scripts: Iterable[tuple[str, str]] = (),
    pack: str = ".xz",
    moment: int = BUILT,
) -> Path:
    programs = [member(f"./{name}", text.encode(), mode=0o755) for name, text in scripts]
    about = tar([member("./control", control.encode()), *programs])
    data = PACK[pack](tar(members))
    path.write_bytes(
        ar(
            [
                ("debian-binary", b"2.0\n"),
                ("control.tar.gz", gzip.compress(about)),
                (f"data.tar{pack}", data),
            ],
            moment,
        )
    )
    return path
