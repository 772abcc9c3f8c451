"""Wheels and source distributions: whole archives, and each of their documents."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from freezer.errors import IntegrityError
from freezer.fetch.http.zip_errors import zip_errors
from freezer.image.wheel.archive import open_wheel
from freezer.image.wheel.install import Layout, install, record
from freezer.model.lock import PipPackage
from freezer.resolve.components.wheels import inspect
from freezer.resolve.python.index.local_server import _metadata_of
from freezer.resolve.python.sdist import declared_requires
from tests.support.fuzz import Target, as_file, hold, within
from tests.support.python.indexes import sdist, wheel

LAYOUT = Layout("/opt/env", "3.11")
ENTRY_POINTS = b"[console_scripts]\ndemo = demo.cli:main\nother-demo = demo:run [extra]\n"
CONFIG = (
    b'CONFIG = {"Build Dependencies": {"blas": {"name": "scipy-openblas", "version": "0.3.27"}}}\n'
)
WHEEL = wheel(
    "demo",
    requires=["numpy>=1", "torch; python_version < '3.9'"],
    files={
        "demo/__init__.py": b"x = 1\n",
        "demo/__config__.py": CONFIG,
        "demo.libs/libopenblas-r0-f650aae0.3.3.so": b"\x7fELF OpenBLAS 0.3.27 \0",
        "demo-1.0.data/scripts/run": b"#!python\nprint(1)\n",
        "demo-1.0.data/data/share/x": b"1",
        "demo-1.0.dist-info/entry_points.txt": ENTRY_POINTS,
    },
)


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(parts: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return target.getvalue()


def installed(path: Path) -> object:
    """Do with a wheel all that a build does, except for writing a layer."""
    package = PipPackage(
        source="pypi", file="demo-1.0-py3-none-any.whl", size=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(), name="demo", version="1.0", reason="-",
    )  # fmt: skip
    with open_wheel(path, package) as opened:
        rows = []
        for placed in install(opened, LAYOUT):
            placed.entry(LAYOUT)
            with placed.open() as stream:
                rows.append((placed.path, hashlib.sha256(stream.read()).hexdigest(), placed.size))
        return record(opened, LAYOUT, rows)


def looked_into(data: bytes) -> object:
    """Do what locking does with a wheel that it does not fetch whole."""
    with zip_errors(IntegrityError), zipfile.ZipFile(io.BytesIO(data)) as archive:
        return inspect(archive)


def metadata(data: bytes) -> object:
    return _metadata_of(io.BytesIO(data), "demo-1.0-py3-none-any.whl")


PARTS = members(WHEEL)
INSTALL = as_file("demo-1.0-py3-none-any.whl", installed)


def part(name: str) -> Target:
    file = f"demo-1.0.dist-info/{name}"
    return Target(f"wheel: {name}", within(PARTS, file, pack, INSTALL), [PARTS[file]], "text")


def _sdist(name: str) -> Target:
    parse = as_file(name, lambda path: declared_requires(path, name))
    packed = sdist("demo", pyproject='[build-system]\nrequires = ["setuptools>=40", "wheel"]\n')
    zipped = pack({"demo-1.0/pyproject.toml": b'[build-system]\nrequires = ["hatchling"]\n'})
    return Target(f"sdist: {name}", parse, [zipped if name.endswith(".zip") else packed])


TARGETS = [
    Target("wheel", INSTALL, [WHEEL]),
    part("RECORD"),
    part("WHEEL"),
    part("METADATA"),
    part("entry_points.txt"),
    Target("wheel: what it brings", looked_into, [WHEEL]),
    Target(
        "wheel: __config__.py",
        within(PARTS, "demo/__config__.py", pack, looked_into),
        [CONFIG],
        "text",
    ),
    Target("wheel: metadata read in parts", metadata, [WHEEL]),
    _sdist("demo-1.0.tar.gz"),
    _sdist("demo-1.0.zip"),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)
