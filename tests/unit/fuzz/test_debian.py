"""Debian packages, and what archives, apt and dpkg say of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from freezer.engine.interface import ImageInfo, RunResult
from freezer.fetch.debian.apt_sources import parse_sources
from freezer.fetch.debian.packages_index import Index, _unpacked
from freezer.fetch.debian.release import read_release, require_suite, split_signed
from freezer.image.debian.deb import build_time
from freezer.image.debian.root import write_root
from freezer.image.debian.system import folders_of
from freezer.resolve.base.probe import _facts, _output_lines
from freezer.resolve.debian.apt import parse_plan
from freezer.resolve.debian.bootstrap import choose
from freezer.resolve.debian.packages import PackageTable, parse_clause
from tests.support.debian.archives import Archive, stanza
from tests.support.debian.debs import ar, folder, link, make_deb, member, tar
from tests.support.fuzz import Target, as_file, hold

HERE = "https://deb.example/dists/bookworm/InRelease"
MEMBERS = [
    folder("./usr/"), folder("./usr/bin/"), member("./usr/bin/demo", b"#!/bin/sh\n", mode=0o755),
    link("./usr/bin/d", "demo"), member("./usr/share/doc/demo/copyright", b"free"),
    member("./usr/bin/e", type=b"1", linkname="./usr/bin/demo"),
]  # fmt: skip
SIGNED = (
    b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n%s-----BEGIN PGP SIGNATURE-----\n\n"
    b"iQIzBAEBCAAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n"
)
SOURCES = b"""# comment
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://deb.example/debian bookworm main contrib
deb-src http://deb.example/debian bookworm main
deb http://deb.example/flat ./
"""
DEB822 = b"""Types: deb
URIs: http://deb.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
"""
PACKAGES = "\n".join(
    [
        stanza(
            "demo",
            Depends="libc6 (>= 2.36), python3:any | python3.11, awk",
            Provides="thing (= 1), other",
        ),
        stanza("libc6", "2.36-9+deb12u4", Essential="yes", Priority="required", Pre_Depends="base"),
        stanza(
            "base", "1:2~rc1-1", Conflicts="old (<< 1)", Priority="required", Multi_Arch="foreign"
        ),
        *(
            stanza(name, "1", Priority="required")
            for name in ("apt", "dpkg", "debian-archive-keyring")
        ),
        stanza("mawk", "1", Provides="awk", Description="x\n more\n ."),
    ]
).encode()
APT = b"""NOTE: This is only a simulation!
Remv old [1.0]
Inst libgomp1 [1.0] (12.2.0-14 Debian:12.5/stable, Debian-Security:12/stable [amd64]) []
Inst gcc-12-base (12.2.0-14 Debian:12.5/stable [amd64])
Conf libgomp1 (12.2.0-14 Debian:12.5/stable [amd64])
"""
FACTS = b"""os-release\tVERSION_ID="12"
os-release\tID=debian
glibc\t2.36
has\tdpkg
package\tinstalled zlib1g 1:1.2.13 amd64
apt-file\t/etc/apt/sources.list
apt-line\tdeb http://deb.example/debian bookworm main
python\t3.11.2 cp311 cpython final /usr/bin/python3.11
"""
FOLDERS = b"755 0 0 /\0" + b"1777 0 0 /tmp\0" + b"755 0 42 /usr\0"


def made(path: Path) -> object:
    build_time(path, "demo.deb")
    target = io.BytesIO()
    return write_root(target, [("demo", path)], "x86_64", 0)


def packed(data: bytes, suffix: str = ".deb") -> bytes:
    """Return a whole package around the tar of its files."""
    return ar([("debian-binary", b"2.0\n"), ("control.tar.gz", gzip.compress(tar([member("./control")]))),
               ("data.tar", data)])  # fmt: skip


def release(data: bytes) -> object:
    text, _ = split_signed(data, HERE)
    found = read_release(text, HERE)
    require_suite(found, "bookworm", HERE)
    return found


def index(data: bytes) -> Index:
    return Index(source="debian", suite="bookworm", component="main", root="file:/x", date="2026-07-11T10:16:37Z",
                 inrelease=b"", release_signed=True, unpack=lambda: data, packages_path="Packages", packed=b"", packed_sha256="0" * 64)  # fmt: skip


def table(data: bytes) -> object:
    found = PackageTable([index(data)])
    for name in found.names[:50]:
        for one in found.candidates(name):
            one.relations("depends", "pre-depends", "conflicts", "provides")
            one.package(requested=True, reason="a test")
        found.providers(name)
    found.marked("essential", "yes")
    return choose("bookworm", [index(data)])


def sources(data: bytes) -> object:
    return parse_sources(data.decode("utf-8", "replace"), "sources.list")


def facts(data: bytes) -> object:
    result = RunResult(0, data, b"", False, False, 1.0)
    info = ImageInfo("sha256:" + "0" * 64, (), (), (), 0, "amd64", "linux", {}, {}, "", "")
    return _facts("base", info, _output_lines("base", result))


def folders(data: bytes) -> object:
    class Engine:
        def run(self, *_: Any, **__: Any) -> RunResult:
            return RunResult(0, data, b"", False, False, 1.0)

    return folders_of(Engine(), "base")  # type: ignore[arg-type]


def deb(pack: str) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        return make_deb(
            Path(place, "demo.deb"), MEMBERS, control="Package: demo\n", pack=pack
        ).read_bytes()


def inrelease() -> bytes:
    archive = Archive(Path("/nowhere"))
    archive.add(stanza("demo"))
    return archive.release.encode()


PARSE = as_file("demo.deb", made)
TARGETS = [
    *(Target(f"deb: data.tar{pack}", PARSE, [deb(pack)]) for pack in ("", ".gz", ".bz2", ".xz", ".zst")),
    Target("deb: the tar within", lambda data: PARSE(packed(data)), [tar(MEMBERS)]),
    Target("Debian: Release", release, [inrelease()], "text"),
    Target("Debian: InRelease", release, [SIGNED % inrelease()], "text"),
    Target("Debian: Packages", table, [PACKAGES], "text"),
    Target("Debian: Packages.xz", partial(_unpacked, served="Packages.xz", address=HERE), [lzma.compress(PACKAGES)]),
    Target("Debian: Packages.gz", partial(_unpacked, served="Packages.gz", address=HERE), [gzip.compress(PACKAGES)]),
    Target("Debian: a relation", lambda data: parse_clause(data.decode("utf-8", "replace"), "demo"),
           [b"libc6 (>= 2.36) | python3:any"]),
    Target("apt: sources.list", sources, [SOURCES], "text"),
    Target("apt: .sources", sources, [DEB822], "text"),
    Target("apt: its answer", lambda data: parse_plan(data.decode("utf-8", "replace")), [APT], "text"),
    Target("base: what it says of itself", facts, [FACTS], "text"),
    Target("base: its folders", folders, [FOLDERS]),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)


def test_the_seeds_mean_what_they_should() -> None:
    assert hashlib.sha256(deb(".xz")).digest()
    assert table(PACKAGES)
    assert len(sources(SOURCES)) == 2  # type: ignore[arg-type]
    assert len(sources(DEB822)) == 2  # type: ignore[arg-type]
