"""CUDA-related releases on the user's indexes: versions of torch, NVIDIA's wheel lists."""

from __future__ import annotations

import hashlib
import io
import zipfile
from email.parser import HeaderParser
from typing import TYPE_CHECKING, Final

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.http.client import get_bytes
from freezer.fetch.http.zip_errors import zip_errors
from freezer.fetch.python.filenames import version_of
from freezer.model.cuda import checked
from freezer.resolve.accelerator.nvidia_wheels import starts_with
from freezer.resolve.accelerator.pip import TOOLKIT
from freezer.resolve.python.index.releases import is_newer, releases

if TYPE_CHECKING:
    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.python.simple_api import IndexFile
    from freezer.fetch.store.store import Store

_LIMIT: Final = 1 << 20
_METADATA: Final = ".dist-info/METADATA"
"""Bytes of a ``cuda-toolkit`` wheel; they have about two thousand."""
_MEMO: Final = "cuda-toolkit-1"


def offered_torch(index: PythonIndex, as_of: str) -> list[str]:
    """Return the versions of torch on indexes and link pages, with local versions.

    Empty when the indexes cannot be reached.
    """
    indexed = [item.version for item in releases(index, "torch", as_of) if not item.yanked]
    linked = [version_of(file.name) for file in index.linked("torch")]
    return [str(version) for version in sorted({*indexed, *filter(None, linked)})]


def toolkit_requirements(
    index: PythonIndex, cuda: str, as_of: str, store: Store
) -> list[tuple[str, ...]]:
    """Return the ``Requires-Dist`` lines of each ``cuda-toolkit`` release of a CUDA release.

    Empty when the indexes cannot be reached or have none. Raises ``IntegrityError`` when a file
    does not match the index's hash.
    """
    cuda = checked(cuda)
    try:
        files = [file for file in index.files(TOOLKIT) if _fits(file, cuda, as_of)]
        return [_requirements(file, store) for file in files]
    except FetchError:
        return []


def _fits(file: IndexFile, cuda: str, as_of: str) -> bool:
    version = version_of(file.name)
    return (
        file.name.endswith(".whl")
        and version is not None
        and starts_with(str(version), cuda)
        and file.yanked is None
        and not is_newer(file, as_of)
    )


def _requirements(file: IndexFile, store: Store) -> tuple[str, ...]:
    if file.sha256 and isinstance(memo := store.get_memo(_MEMO, file.sha256), list):
        return tuple(map(str, memo))
    data = get_bytes(file.url, limit=_LIMIT)
    found = hashlib.sha256(data).hexdigest()
    if file.sha256 not in (None, found):
        raise IntegrityError(
            f"{file.name} does not match its hash in the index",
            found=f"sha256 {found}",
            expected=f"sha256 {file.sha256}",
            hint="the index serves a corrupt file; use another index",
        )
    lines = read_requirements(data, file.name)
    store.put_memo(_MEMO, found, list(lines))
    return lines


def read_requirements(wheel: bytes, name: str) -> tuple[str, ...]:
    """Return the ``Requires-Dist`` lines of a wheel. Raises ``IntegrityError`` for no wheel."""

    def refused(why: str) -> IntegrityError:
        return IntegrityError(f"{name} is not a readable wheel", found=why)

    with zip_errors(refused), zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        names = (info for info in archive.infolist() if info.filename.endswith(_METADATA))
        member = next(names, None)
        if member is None:
            raise refused(f"it has no {_METADATA}")
        if member.file_size > _LIMIT:
            raise refused("its METADATA is too large")
        text = archive.read(member).decode("utf-8", "replace")
    return tuple(HeaderParser().parsestr(text).get_all("Requires-Dist", []))
