"""Opens untrusted wheels.

A wheel's SHA-256 was verified before, but the locked file may still be malformed or hostile. Rules:
https://packaging.python.org/specifications/binary-distribution-format/
"""

from __future__ import annotations

import csv
import stat
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from installer.records import InvalidRecordEntry, parse_record_file
from packaging.utils import canonicalize_name

from freezer.errors import IntegrityError
from freezer.fetch.http.zip_errors import zip_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.model.lock import PipPackage

_MEMBERS = 300_000
_ALLOWANCE = 100 << 20
_RATIO = 60
"""Maximum compression ratio, beyond the allowance. The wheels of torch reach 4."""
_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True)
class Listed:
    """A wheel's RECORD entry of a member: algorithm and unpadded URL-safe base64 digest."""

    algorithm: str
    digest: str


@dataclass(frozen=True)
class Wheel:
    """An open wheel with consistent names, sizes and records."""

    archive: zipfile.ZipFile
    package: PipPackage
    members: dict[str, zipfile.ZipInfo]
    record: dict[str, Listed]
    dist_info: str
    """``numpy-2.4.6.dist-info``"""

    def text(self, name: str) -> str:
        """Return a member of the dist-info folder as text; empty when it does not exist."""
        member = self.members.get(f"{self.dist_info}/{name}")
        if member is None:
            return ""
        return self.archive.read(member).decode("utf-8", "replace")

    @property
    def data_folder(self) -> str:
        """``numpy-2.4.6.data``, the folder of members for other schemes."""
        return self.dist_info.removesuffix(".dist-info") + ".data"


@contextmanager
def open_wheel(path: Path, package: PipPackage) -> Iterator[Wheel]:
    """Open a verified wheel. Raises ``IntegrityError`` with what is wrong with it."""
    with (
        zip_errors(lambda why: refused(package, f"it is not a valid zip archive ({why})")),
        zipfile.ZipFile(path) as archive,
    ):
        members = _members(archive, package, path.stat().st_size)
        dist_info = _dist_info(members, package)
        record = _record(archive, members, dist_info, package)
        wheel = Wheel(archive, package, members, record, dist_info)
        _require_known_version(wheel)
        yield wheel


def refused(package: PipPackage, why: str) -> IntegrityError:
    """Return the error for a wheel that cannot be installed safely."""
    return IntegrityError(
        f"{package.file} is not installed: {why}",
        hint=f"report this to the maintainers of {package.name}, and lock another version",
    )


def _members(
    archive: zipfile.ZipFile, package: PipPackage, packed: int
) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > _MEMBERS:
        raise refused(package, f"it has {len(infos)} members")
    if sum(info.file_size for info in infos) > _ALLOWANCE + _RATIO * packed:
        raise refused(package, "it unpacks to suspiciously many bytes")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _require_plain(info, package)
        if info.is_dir():
            continue
        if info.filename in members:
            raise refused(package, f"it holds {info.filename!r} twice")
        members[info.filename] = info
    return members


def _require_plain(info: zipfile.ZipInfo, package: PipPackage) -> None:
    name, kind = info.filename, stat.S_IFMT(info.external_attr >> 16)
    parts = name.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in name or not name.isprintable():
        raise refused(package, f"a member leads out of it, or has an unsafe name: {name!r}")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refused(package, f"{name!r} is a link or a device")
    if info.flag_bits & 1:
        raise refused(package, f"{name!r} is encrypted")


def _dist_info(members: dict[str, zipfile.ZipInfo], package: PipPackage) -> str:
    found = sorted({n.split("/")[0] for n in members if n.split("/")[0].endswith(".dist-info")})
    if len(found) != 1:
        raise refused(package, f"it has {len(found)} .dist-info folders")
    name, _, version = found[0].removesuffix(".dist-info").partition("-")
    if canonicalize_name(name) != package.name:
        raise refused(package, f"it holds {name} {version}, not {package.name}")
    return found[0]


def _record(
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    dist_info: str,
    package: PipPackage,
) -> dict[str, Listed]:
    own = {f"{dist_info}/{name}" for name in _SIGNATURES}
    if f"{dist_info}/RECORD" not in members:
        raise refused(package, "it has no RECORD")
    lines = archive.read(f"{dist_info}/RECORD").decode("utf-8", "replace").splitlines()
    try:
        rows = [row for row in parse_record_file(lines) if row[0] not in own]
    except (InvalidRecordEntry, csv.Error) as error:
        raise refused(package, f"its RECORD is unreadable ({error})") from error
    record = {path: Listed(*kind.split("=", 1)) for path, kind, _ in rows if "=" in kind}
    if missing := sorted(record.keys() - members.keys()):
        raise refused(package, f"its RECORD lists {missing[0]!r}, which it does not contain")
    if unlisted := sorted(members.keys() - record.keys() - own):
        raise refused(package, f"it holds {unlisted[0]!r}, which its RECORD has no hash for")
    return record


def _require_known_version(wheel: Wheel) -> None:
    headers = HeaderParser().parsestr(wheel.text("WHEEL"))
    version = headers.get("Wheel-Version", "none")
    if version.split(".")[0] != "1":
        raise refused(wheel.package, f"its Wheel-Version is {version}, and only 1.x is supported")
    metadata = HeaderParser().parsestr(wheel.text("METADATA"))
    found = (canonicalize_name(metadata.get("Name", "")), metadata.get("Version", ""))
    if found != (wheel.package.name, wheel.package.version):
        wanted = f"{wheel.package.name} {wheel.package.version}"
        raise refused(wheel.package, f"its metadata has {' '.join(found)}, the lock {wanted}")
