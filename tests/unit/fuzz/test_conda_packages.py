"""Conda packages in both formats, their own descriptions, and the indexes of channels."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
import zstandard

from freezer.errors import Where
from freezer.fetch.conda.channels import channel_name, read_channels
from freezer.fetch.conda.repodata_text import IndexText
from freezer.fetch.conda.source import _base_url
from freezer.fetch.config import Config
from freezer.image.conda.archive import open_conda
from freezer.image.conda.link import content, link
from freezer.image.conda.paths import read_about
from freezer.image.wheel.install import Layout
from freezer.model.lock import CondaPackage
from freezer.resolve.conda.matchspec import read_spec
from tests.support.conda.channel_files import PLACEHOLDER, File, Link, Package, tar_zst, zipped
from tests.support.fuzz import Target, as_file, hold, within

LAYOUT = Layout("/opt/env", "3.11")
DEMO = Package(
    "demo", "1.0", "h0_0", "linux-64",
    {
        "lib/libdemo.so.1": File(b"\x7fELF" + PLACEHOLDER.encode() + b"\0rest"),
        "lib/libdemo.so": Link("libdemo.so.1"),
        "bin/demo": File(f"#!{PLACEHOLDER}/bin/python\nprint(1)\n".encode(), executable=True),
        "share/x": File(b"x"),
    },
    depends=["python >=3.11", "libgcc"],
)  # fmt: skip
PURE = Package(
    "pure", "1.0", "h0_0", "noarch",
    {"site-packages/pure/__init__.py": File(b"x = 1\n"), "python-scripts/run": File(b"#!python\n")},
    noarch="python", entry_points=["pure = pure:main"],
)  # fmt: skip
OLD_FILES = {
    "info/has_prefix": f'{PLACEHOLDER} binary lib/libdemo.so.1\n"{PLACEHOLDER}" text "bin/demo"\nshare/x\n'.encode(),
    "info/files": b"lib/libdemo.so.1\nbin/demo\nshare/x\nlib/libdemo.so\n",
}


def linked(package: Package, suffix: str, path: Path) -> object:
    """Do with a package all that a build does, except for writing a layer."""
    data = path.read_bytes()
    entry = CondaPackage(
        source="conda", file=package.stem + suffix, size=len(data), sha256=hashlib.sha256(data).hexdigest(),
        name=package.name, version="1.0", build="h0_0", build_number=0, channel="c", subdir=package.subdir,
        reason="-",
    )  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_conda(path, entry, Path(scratch)) as archive,
    ):
        about = read_about(archive)
        made = link(archive, about, LAYOUT, LAYOUT.site_packages)
        for item in made:
            with content(archive, item, LAYOUT) as (_, stream):
                stream.read()
        return made


def parser(package: Package, suffix: str = ".conda"):  # type: ignore[no-untyped-def]
    return as_file(package.stem + suffix, partial(linked, package, suffix))


def described(package: Package) -> dict[str, bytes]:
    return package.info()


def pack(package: Package, info: Mapping[str, bytes]) -> bytes:
    return package.packed_with(info)


def part(
    package: Package, name: str, more: Mapping[str, bytes] | None = None, form: str = "json"
) -> Target:
    info = described(package) | dict(more or {})
    if more:
        del info["info/paths.json"]
    parse = within(info, name, partial(pack, package), parser(package))
    return Target(f"conda: {package.name}'s {name}", parse, [info[name]], form)  # type: ignore[arg-type]


def tarred(data: bytes) -> object:
    """Parse the bytes of the inner tar: compressed anew, so that what is edited is what is read."""
    packed = zstandard.ZstdCompressor(level=1).compress(data)
    info = tar_zst({path: File(body) for path, body in DEMO.info().items()})
    return parser(DEMO)(zipped(DEMO.parts(packed, info)))


def inner_tar() -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(tar_zst(DEMO.files))


def repodata(packed: bool, data: bytes) -> object:
    kept: list[bytes] = []
    text = IndexText(
        kept.append, packed=packed, shown="https://channel.example/noarch/repodata.json"
    )
    for start in range(0, len(data), 50):
        text.feed(data[start : start + 50])
    text.close()
    return kept


def base_url(path: Path) -> object:
    return _base_url(path.as_uri())


def channel(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    channel_name(text, Config(), folder=Path("/"))
    return read_channels([(text, Where("environment.yml", 1))], folder=Path("/"), config=Config())


def spec(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return read_spec(text, Where("environment.yml", 1), folder=Path("/"), config=Config())


REPODATA = b'{"info": {"subdir": "noarch", "base_url": "../files/"}, "packages": {}, "packages.conda": {}, "x": "indexed_timestamp"}'
TARGETS = [
    Target("conda: .conda", parser(DEMO), [DEMO.packed()]),
    Target("conda: noarch", parser(PURE), [PURE.packed()]),
    Target("conda: .tar.bz2", parser(DEMO, ".tar.bz2"), [DEMO.packed_bz2()]),
    Target("conda: the tar within", tarred, [inner_tar()]),
    part(DEMO, "info/index.json"),
    part(DEMO, "info/paths.json"),
    part(PURE, "info/link.json"),
    part(DEMO, "info/has_prefix", OLD_FILES, "text"),
    part(DEMO, "info/files", OLD_FILES, "text"),
    Target("conda: repodata.json", partial(repodata, False), [REPODATA], "json"),
    Target("conda: repodata.json.zst", partial(repodata, True), [zstandard.ZstdCompressor().compress(REPODATA)]),
    Target("conda: where archives are", as_file("repodata.json", base_url), [REPODATA], "text"),
    Target("conda: a channel", channel, [b"conda-forge", b"https://u:p@host.example/t/token/channel/linux-64", b"./folder"]),
    Target("conda: a match spec", spec,
           [b"conda-forge/linux-64::numpy[version='>=1,<2',build=py311*]", b"scipy >=1.2,<2 *_cpython", b"pytorch=2.1=cuda*"]),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)
