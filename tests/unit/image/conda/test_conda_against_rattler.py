"""Freezer's linking compared with rattler's own: the same paths, contents, links and modes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from freezer.image.conda.chunks import conda_chunks
from freezer.image.wheel.install import Layout
from freezer.model.lock import CondaPackage
from tests.support.conda.channel_files import PLACEHOLDER, File, Link, Package, Tree
from tests.support.conda.condapackages import EPOCH, LAYOUT, Shop
from tests.support.conda.rattler_install import rattler_prefix

pytestmark = pytest.mark.process

TEXT = f"home = {PLACEHOLDER}/share:{PLACEHOLDER}/lib\n".encode()
BINARY = b"\x7fELF\0" + PLACEHOLDER.encode() + b"/lib:" + PLACEHOLDER.encode() + b"/x\0after\0"
FILES: Tree = {
    "bin/run": File(f"#!{PLACEHOLDER}/bin/sh -e\nexec {PLACEHOLDER}/bin/x\n".encode(), True),
    "bin/python-run": File(f"#!{PLACEHOLDER}/bin/python\n".encode(), True),
    "etc/text": File(TEXT),
    "etc/odd name ü": File(b"plain"),
    "lib/libx.so.1": File(BINARY, True),
    "lib/unended": File(b"\0" + PLACEHOLDER.encode() + b"/tail"),
    "lib/libx.so": Link("libx.so.1"),
    "share/up": Link("../etc/text"),
    "share/dangling": Link("nowhere"),
}
PYTHON: Tree = {"bin/python3.11": File(b"\x7fELF", True), "bin/python": Link("python3.11")}
NOARCH: Tree = {
    "site-packages/pure/__init__.py": File(b"x = 1\n"),
    "site-packages/pure/data.txt": File(TEXT),
    "python-scripts/pure-script": File(b"#!/usr/bin/env python\n", True),
    "share/pure.txt": File(b"p"),
}
PACKAGES = (
    Package("native", "1.0", "h0_0", "linux-64", FILES),
    Package("python", "3.11.2", "h1_0_cpython", "linux-64", PYTHON),
    Package(
        "pure",
        "2.0",
        "pyhd8ed1ab_0",
        "noarch",
        NOARCH,
        depends=("python >=3.9",),
        noarch="python",
        entry_points=("pure = pure.cli:main", "pure.x-y=pure:App.run"),
    ),
    Package("plain", "1.0", "h0_0", "noarch", {"site-packages/x.py": File(b"")}, noarch="generic"),
)


def delivered(folder: Path, shop: Shop, *, old: bool) -> list[tuple[CondaPackage, Path]]:
    """Put the packages into the store and into a folder, as a channel would have them."""
    found = []
    suffix = ".tar.bz2" if old else ".conda"
    for package in PACKAGES:
        data = package.packed_bz2() if old else package.packed()
        locked = shop.take(package, data, suffix=suffix)
        path = folder / package.subdir / locked.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        assert hashlib.sha256(data).hexdigest() == locked.sha256
        found.append((locked, path))
    return found


def own_prefix(
    shop: Shop, packages: list[CondaPackage], layout: Layout
) -> dict[str, tuple[bool, bytes | str]]:
    chunks = conda_chunks(packages, layout=layout, epoch=EPOCH, store=shop.store, report=shop.heard)
    found = {
        member.name.removeprefix(f"{layout.root}/"): (bool(member.mode & 0o100), data)
        for chunk in chunks
        for member, data in shop.members(chunk)
    }
    return {path: fact for path, fact in found.items() if not path.startswith("conda-meta/")}


def compared(folder: Path, layout: Layout, *, old: bool = False) -> None:
    shop = Shop(folder / "store")
    packages = delivered(folder / "channel", shop, old=old)
    theirs = rattler_prefix(packages, folder, layout.prefix)
    assert len(theirs) == sum(len(package.files) for package in PACKAGES) + 2
    assert own_prefix(shop, [package for package, _ in packages], layout) == theirs


def test_the_same_prefix(tmp_path: Path) -> None:
    compared(tmp_path, LAYOUT)


def test_the_same_prefix_from_packages_of_the_first_format(tmp_path: Path) -> None:
    compared(tmp_path, LAYOUT, old=True)


def test_the_same_prefix_where_first_lines_grow_too_long(tmp_path: Path) -> None:
    compared(tmp_path, Layout("/opt/" + "long" * 30, "3.11"))
