"""A local copy of OSV's records: a folder of JSON files, or a zip of them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError, IntegrityError, Where
from freezer.fetch.http.zip_errors import zip_errors
from freezer.governance.policy.osv import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST: Final = 16 << 20
"""Bytes of one record."""
_MOST: Final = 1_000_000
"""Records."""


def read_database(path: Path, shown: str) -> Database:
    """Return the records of a folder (with all below it) or a zip.

    Raises ``HostError`` where there is neither, or something in it is no record.
    """
    database = Database()
    for name, data in _files(path, shown):
        try:
            database.add(data)
        except (ValueError, RecursionError) as error:
            raise HostError(
                "this is no OSV record",
                where=Where(f"{shown}/{name}"),
                found=str(error)[:200],
                hint="download the records anew, or leave this file out",
            ) from None
        if database.records > _MOST:
            raise HostError(f"more than {_MOST} records", where=Where(shown))
    if not database.records:
        raise HostError(
            "there are no OSV records here",
            where=Where(shown),
            expected="files such as PYSEC-2024-1.json",
            hint="download the ecosystem's all.zip from OSV, or write the folder that has them",
        )
    return database


def _files(path: Path, shown: str) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            if file.is_file() and file.stat().st_size <= _LARGEST:
                yield str(file.relative_to(path)), file.read_bytes()
        return
    if not path.is_file():
        raise HostError(
            "there is no such folder or zip",
            where=Where(shown),
            hint="correct `rules: vulnerabilities: database` in policy.yaml",
        )

    def refused(why: str) -> IntegrityError:
        return IntegrityError(f"{shown} is not a readable zip", found=why)

    with zip_errors(refused), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.endswith(".json") and info.file_size <= _LARGEST:
                yield info.filename, archive.read(info)
