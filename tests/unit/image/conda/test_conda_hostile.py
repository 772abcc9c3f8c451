"""Hostile and broken conda packages: refused by name, before anything of them is kept."""

from __future__ import annotations

import bz2
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from freezer.errors import HostError
from tests.support.conda.channel_files import PLACEHOLDER, File, Link, Package, tar_zst, zipped
from tests.support.conda.condapackages import Shop, made

GOOD = made({"lib/a": File(b"a")})


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "store")


def packed(*headers: tarfile.TarInfo, data: bytes = b"", listed: bool = True) -> bytes:
    """Return a package whose files are these members, each of them listed as a file."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for header in headers:
            archive.addfile(header, io.BytesIO(data) if header.size else None)
    files = zstandard.ZstdCompressor().compress(target.getvalue())
    names = [header.name for header in headers if listed]
    paths = [{"_path": name, "path_type": "hardlink"} for name in names]
    info = GOOD.info() | {"info/paths.json": json.dumps({"paths": paths}).encode()}
    return zipped(GOOD.parts(files, tar_zst({key: File(value) for key, value in info.items()})))


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> Any:
    header = tarfile.TarInfo(name)
    header.type, header.linkname, header.size = kind, target, size
    return header


@pytest.mark.parametrize(
    "name", ["../a", "/etc/passwd", "lib/../../a", "a//b", "lib/./a", "a\nb", "a\x1b[2Jb", ".."]
)
def test_a_path_that_leads_out_or_cannot_be_shown(shop: Shop, name: str) -> None:
    assert "unsafe name" in shop.refusal(shop.take(GOOD, packed(member(name))))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../a", "a/../../../b", ""])
def test_a_link_that_leads_out(shop: Shop, target: str) -> None:
    header = member("lib/a", tarfile.SYMTYPE, target)
    assert "is a link out of it" in shop.refusal(shop.take(GOOD, packed(header)))


def test_a_link_to_the_top_of_the_prefix_is_inside(shop: Shop) -> None:
    found = shop.files(shop.take(made({"lib64": Link("lib"), "lib/up": Link("..")})))
    assert found["opt/env/lib/up"] == ".."


def test_a_link_that_leads_out_only_where_it_is_linked_to(shop: Shop) -> None:
    package = made({"python-scripts/a/b": Link("../../x")}, noarch="python")
    assert shop.files(shop.take(package))["opt/env/bin/a/b"] == "../../x"
    package = made({"python-scripts/b": Link("../../x")}, noarch="python")
    assert "is a link out of it" in shop.refusal(shop.take(package))


@pytest.mark.parametrize(
    "kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE], ids=["char", "block", "pipe"]
)
def test_a_device(shop: Shop, kind: bytes) -> None:
    assert "is a device" in shop.refusal(shop.take(GOOD, packed(member("dev/a", kind))))


def test_a_file_with_holes(shop: Shop) -> None:
    header = member("lib/a", tarfile.GNUTYPE_SPARSE)
    assert "holes" in shop.refusal(shop.take(GOOD, packed(header)))


def test_hard_links_are_files_of_their_own(shop: Shop) -> None:
    first, second = member("lib/a", size=1), member("lib/b", tarfile.LNKTYPE, "lib/a")
    found = shop.files(shop.take(GOOD, packed(first, second, data=b"a")))
    assert found["opt/env/lib/b"] == b"a"


@pytest.mark.parametrize("target", ["/etc/passwd", "lib/none"])
def test_a_hard_link_to_nowhere(shop: Shop, target: str) -> None:
    header = member("lib/a", tarfile.LNKTYPE, target)
    assert "which it does not hold" in shop.refusal(shop.take(GOOD, packed(header)))


def test_a_hard_link_to_itself(shop: Shop) -> None:
    header = member("lib/a", tarfile.LNKTYPE, "lib/a")
    assert "is a link to itself" in shop.refusal(shop.take(GOOD, packed(header)))


def test_a_file_behind_a_link(shop: Shop) -> None:
    headers = (member("lib/a", tarfile.SYMTYPE, "../etc"), member("lib/a/b"))
    assert "'lib/a/b' is below a link" in shop.refusal(shop.take(GOOD, packed(*headers)))


def test_a_file_twice(shop: Shop) -> None:
    refusal = shop.refusal(shop.take(GOOD, packed(member("lib/a"), member("./lib/a"))))
    assert "holds 'lib/a' twice" in refusal


def test_a_description_that_comes_with_the_files(shop: Shop) -> None:
    refusal = shop.refusal(shop.take(GOOD, packed(member("info/index.json"), listed=False)))
    assert "holds 'info/index.json' twice" in refusal


def test_two_files_for_one_place(shop: Shop) -> None:
    package = made(
        {"bin/demo": File(b""), "site-packages/a.py": File(b"")},
        noarch="python",
        entry_points=("demo = a:main",),
    )
    assert "two of its files have the path 'bin/demo'" in shop.refusal(shop.take(package))


@pytest.mark.parametrize("path", ["conda-meta/other-1.0-0.json", "conda-meta/history"])
def test_a_package_that_speaks_for_others(shop: Shop, path: str) -> None:
    assert "which is conda's own" in shop.refusal(shop.take(made({path: File(b"{}")})))


@pytest.mark.parametrize(
    "point", ["demo", "../demo = a:b", "demo = a:b; import os", "demo = a b:c"]
)
def test_an_entry_point_that_is_none(shop: Shop, point: str) -> None:
    package = made({"site-packages/a.py": File(b"")}, noarch="python", entry_points=(point,))
    assert "entry point" in shop.refusal(shop.take(package))


@pytest.mark.parametrize("data", [b"other", f"other {PLACEHOLDER}".encode()])
def test_a_file_that_is_not_what_the_package_says(shop: Shop, data: bytes) -> None:
    package, other = made({"lib/a": File(data)}), made({"lib/a": File(data + b"!")})
    archive = package.packed_with(other.info())
    assert "'lib/a' does not match its paths.json" in shop.refusal(shop.take(package, archive))


@pytest.mark.parametrize("key", ["name", "version", "build"])
def test_another_package_than_the_locked_one(shop: Shop, key: str) -> None:
    index = {**GOOD.index(), key: "9other"}
    info = {**GOOD.info(), "info/index.json": json.dumps(index).encode()}
    refusal = shop.refusal(shop.take(GOOD, GOOD.packed_with(info)))
    assert "9other" in refusal
    assert "not demo 1.0 h0_0" in refusal


PATHS: dict[str, Any] = {
    "a file that is not there": {"paths": [{"_path": "lib/none"}]},
    "a file twice": {"paths": [{"_path": "lib/a"}, {"_path": "lib/a"}]},
    "its own description": {"paths": [{"_path": "info/index.json"}]},
    "a folder outside": {"paths": [{"_path": "../a", "path_type": "directory"}]},
    "no paths": {},
    "no list": {"paths": 7},
    "no path": {"paths": [{"path_type": "hardlink"}]},
    "no entry": {"paths": ["lib/a"]},
    "no hash": {"paths": [{"_path": "lib/a", "sha256": "123"}]},
    "no document": [],
}


@pytest.mark.parametrize("document", PATHS.values(), ids=PATHS)
def test_a_list_of_files_that_cannot_be(shop: Shop, document: Any) -> None:
    info = {**GOOD.info(), "info/paths.json": json.dumps(document).encode()}
    assert shop.refusal(shop.take(GOOD, GOOD.packed_with(info)))


@pytest.mark.parametrize("name", ["info/index.json", "info/paths.json"])
@pytest.mark.parametrize("data", [b"{", b"\xff\xfe", b"[" * 100_000], ids=["cut", "bytes", "deep"])
def test_an_unreadable_description(shop: Shop, name: str, data: bytes) -> None:
    refusal = shop.refusal(shop.take(GOOD, GOOD.packed_with({**GOOD.info(), name: data})))
    assert f"its {name} is unreadable" in refusal


@pytest.mark.parametrize(
    "link", [{"noarch": {"entry_points": 3}}, {"noarch": {"entry_points": "a"}}]
)
def test_an_unreadable_list_of_entry_points(shop: Shop, link: Any) -> None:
    package = made({"site-packages/a.py": File(b"")}, noarch="python")
    info = {**package.info(), "info/link.json": json.dumps(link).encode()}
    assert "entry points" in shop.refusal(shop.take(package, package.packed_with(info)))


def bomb(_: Package) -> bytes:
    files = zstandard.ZstdCompressor().compress(bytes(400 << 20))
    return zipped(GOOD.parts(files, tar_zst({})))


BROKEN: dict[str, Callable[[Package], bytes]] = {
    "no archive": lambda _: b"garbage",
    "nothing": lambda _: b"",
    "cut": lambda package: package.packed()[:-40],
    "an empty zip": lambda _: zipped({}),
    "no files": lambda package: zipped({f"info-{package.stem}.tar.zst": b""}),
    "another packing": lambda p: zipped(
        {f"info-{p.stem}.tar.gz": b"", f"pkg-{p.stem}.tar.gz": b""}
    ),
    "no zstandard": lambda package: zipped(package.parts(b"garbage", b"garbage")),
    "cut zstandard": lambda p: zipped(p.parts(tar_zst(p.files)[:-8], tar_zst({}))),
    "no tar": lambda p: zipped(
        p.parts(zstandard.compress(b"x" * 2000), zstandard.compress(b"y" * 700))
    ),
    "two of a kind": lambda p: zipped(p.parts(b"", b"") | {"pkg-b.tar.zst": b""}),
    "a bomb": bomb,
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
def test_a_broken_archive(shop: Shop, make: Callable[[Package], bytes]) -> None:
    package = shop.take(GOOD, make(GOOD))
    before = {path for path in shop.store.root.rglob("*") if path.is_file()}
    assert shop.refusal(package)
    assert {path for path in shop.store.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "data", [b"garbage", b"", bz2.compress(b"x" * 3000), bz2.compress(b"")], ids=[*"abcd"]
)
def test_a_broken_archive_of_the_first_format(shop: Shop, data: bytes) -> None:
    assert shop.refusal(shop.take(GOOD, data, suffix=".tar.bz2"))


def test_a_format_that_is_none(shop: Shop) -> None:
    assert "does not end with .conda" in shop.refusal(shop.take(GOOD, suffix=".zip"))


def test_an_archive_that_is_not_in_the_store(shop: Shop) -> None:
    package = shop.take(GOOD).model_copy(update={"sha256": "0" * 64})
    with pytest.raises(HostError, match="does not contain"):
        shop.link(package)
