"""A small conda channel of real packages, made of Debian packages and Python wheels.

Tests that asked a channel of others would hang on its being there, and staying as it is. This one
is a function of the Debian packages and wheels that it is made of: two builds are the same bytes. It
is made once (25 s) and kept in the tests' own store.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
import threading
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from freezer.fetch.store.store import Store
from freezer.model.lock import CondaPackage
from tests.support.conda import channel_libraries, channel_python
from tests.support.conda.channel_files import Package, locked, record
from tests.support.conda.channel_libraries import Bench
from tests.support.conda.channel_sources import Debs, relocatable, wheels
from tests.support.debian.bases import kept_store

SUBDIRS = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}
FLAVOURS = ("openblas", "netlib")
_MEMO = "tests-channel"


@dataclass(frozen=True)
class Channel:
    """A channel in a folder."""

    name: str
    folder: Path
    subdir: str
    packages: tuple[CondaPackage, ...]

    @property
    def url(self) -> str:
        """Its address as files."""
        return self.folder.resolve().as_uri()

    def path(self, package: CondaPackage) -> Path:
        """Return where a package's archive lies."""
        return self.folder / package.subdir / package.file

    def named(self, *names: str) -> tuple[CondaPackage, ...]:
        """Return packages by ``name`` or ``name=build``, in the order asked for."""
        return tuple(self._one(*name.partition("=")[::2]) for name in names)

    def _one(self, name: str, build: str) -> CondaPackage:
        found = [p for p in self.packages if p.name == name and p.build.endswith(build)]
        assert len(found) == 1, (name, build, [p.build for p in found])
        return found[0]


def build_channel(folder: Path, *, name: str = "real", mkl: bool = False) -> Channel:
    """Write the channel into an empty folder; with ``mkl`` it offers MKL too (x86-64, 250 MB)."""
    store, subdir = kept_store(), SUBDIRS[platform.machine()]
    flavours = (*FLAVOURS, "mkl") if mkl else FLAVOURS
    key = json.dumps([_recipes(), subdir, flavours])
    known = store.get_memo(_MEMO, key)
    if not isinstance(known, list) or not all(store.has(item["sha256"]) for item in known):
        known = make_records(subdir, flavours, store)
        store.put_memo(_MEMO, key, known)
    for directory in (subdir, "noarch"):
        mine = {item["fn"]: item for item in known if item["subdir"] == directory}
        (folder / directory).mkdir(parents=True)
        (folder / directory / "repodata.json").write_text(json.dumps(_repodata(directory, mine)))
        for file, item in mine.items():
            # A link, as other tests may take a copy of this store's file for spoiling.
            (folder / directory / file).symlink_to(store.verified(item["sha256"]))
    packages = tuple(locked(item, name) for item in known)
    return Channel(name, folder, subdir, packages)


def make_records(
    subdir: str, flavours: Sequence[str], store: Store, only: Container[str] | None = None
) -> list[dict[str, Any]]:
    """Pack every package into the store, or ``only`` some; return records with file names."""
    names = (*channel_libraries.DEBS, *channel_python.DEBS)
    if subdir != "linux-64":
        names = tuple(deb for deb in names if deb != "libquadmath0")
    more = (channel_libraries.MKL, channel_libraries.OPENMP) if "mkl" in flavours else ()
    machine = next(machine for machine, known in SUBDIRS.items() if known == subdir)
    bench = Bench(
        Debs(names, machine, store), wheels([*channel_python.WHEELS, *more], store), subdir
    )
    with tempfile.TemporaryDirectory() as scratch:
        every = _packages(bench, tuple(flavours))
        wanted = [item for item in every if only is None or item.name in only]
        return [_packed(item, Path(scratch), store) for item in wanted]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP on the loopback interface; give its address."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:  # type: ignore[override]
        """Say nothing."""


def _packages(bench: Bench, flavours: tuple[str, ...]) -> Iterator[Package]:
    yield from channel_libraries.libraries(bench)
    yield from channel_libraries.blas(bench, flavours)
    yield from channel_python.python(bench)
    yield from channel_python.packages(bench)


def _packed(package: Package, scratch: Path, store: Store) -> dict[str, Any]:
    if package.noarch is None:
        package = replace(package, files=relocatable(package.files, scratch))
    data = package.packed()
    store.put_bytes(data)
    return {**record(package, data), "fn": f"{package.stem}.conda"}


def _repodata(subdir: str, records: dict[str, dict[str, Any]]) -> dict[str, Any]:
    listed = {file: {k: v for k, v in item.items() if k != "fn"} for file, item in records.items()}
    return {
        "info": {"subdir": subdir},
        "packages": {},
        "packages.conda": listed,
        "repodata_version": 1,
    }


def _recipes() -> str:
    """Return a digest of the recipes: a channel made by others is made anew."""
    here = Path(__file__).parents[2]
    every = [path.read_bytes() for path in sorted(here.glob("channel*.py"))]
    return hashlib.sha256(b"\0".join(every)).hexdigest()
