"""Stand-ins for packages from git in a resolution, which no index can provide.

A stand-in is an empty wheel with the metadata of the built one. Its version has the local label
``git`` and the commit (``1.2+git0123456789ab``), which specifiers match as they match ``1.2`` (PEP
440). In the resolution it is replaced by the built wheel.
"""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.parser import BytesParser
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from freezer.errors import IntegrityError
from freezer.fetch.http.zip_errors import zip_errors
from freezer.resolve.python.interface import PipRequirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.model.lock import PipPackage
    from freezer.resolve.python.git.requirement import GitRequirement
    from freezer.resolve.python.interface import PipRequest, Resolution

_METADATA = 16 << 20
"""Maximum bytes of metadata."""


@dataclass(frozen=True)
class GitWheel:
    """A requirement from git, and the wheel built from it."""

    requirement: GitRequirement
    package: PipPackage
    metadata: bytes


def wheel_metadata(path: Path, file: str) -> tuple[str, str, bytes]:
    """Return normalised name, version and full metadata of a wheel.

    Raises ``IntegrityError`` for a file that is no wheel.
    """

    def refused(why: str) -> IntegrityError:
        return IntegrityError(f"{file} is not a readable wheel", found=why)

    with zip_errors(refused), zipfile.ZipFile(path) as wheel:
        for info in wheel.infolist():
            folder, _, name = info.filename.partition("/")
            if folder.endswith(".dist-info") and name == "METADATA" and info.file_size < _METADATA:
                data = wheel.read(info)
                headers = BytesParser().parsebytes(data, headersonly=True)
                return canonicalize_name(headers["Name"]), str(Version(headers["Version"])), data
    raise refused("it has no metadata")


@contextmanager
def with_git(request: PipRequest, wheels: Sequence[GitWheel], store: Store) -> Iterator[PipRequest]:
    """Yield the request with stand-ins for packages from git; they exist within the block."""
    if not wheels:
        yield request
        return
    with store.scratch() as folder:
        pinned = []
        for wheel in wheels:
            version = _labelled(wheel.package)
            _write(folder, wheel, version)
            extras = f"[{','.join(wheel.requirement.extras)}]" if wheel.requirement.extras else ""
            text = f"{wheel.package.name}{extras}=={version}"
            pinned.append(PipRequirement(Requirement(text), wheel.requirement.where))
        links = (folder.as_uri(), *request.indexes.find_links)
        yield replace(
            request,
            requirements=(*request.requirements, *pinned),
            indexes=replace(request.indexes, find_links=links),
            keep={n: v for n, v in request.keep.items()
                  if n not in {wheel.package.name for wheel in wheels}},
        )  # fmt: skip


def from_git(found: Resolution, wheels: Sequence[GitWheel]) -> Resolution:
    """Return the resolution with the built wheels in place of their stand-ins."""
    built = {wheel.package.name: wheel.package for wheel in wheels}
    packages = tuple(
        built[item.name].model_copy(
            update={"requires": item.requires, "requested": True, "reason": item.reason}
        )
        if item.name in built
        else item
        for item in found.packages
    )
    return replace(found, packages=packages)


def _labelled(package: PipPackage) -> str:
    return f"{Version(package.version).public}+git{(package.commit or '')[:12]}"


def _write(folder: Path, wheel: GitWheel, version: str) -> None:
    """Write an empty wheel with the requirements of the built one; it is never installed."""
    stem = f"{wheel.package.name.replace('-', '_')}-{version}"
    headers, _, _ = wheel.metadata.replace(b"\r\n", b"\n").partition(b"\n\n")
    kept = [
        line for line in headers.strip().split(b"\n") if not line.lower().startswith(b"version:")
    ]
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        info = f"{stem}.dist-info"
        text = b"\n".join([*kept, f"Version: {version}".encode(), b"", b""])
        archive.writestr(f"{info}/METADATA", text)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
