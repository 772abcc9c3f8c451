from __future__ import annotations

import lzma
from pathlib import Path

import pytest
import zstandard

from freezer.errors import IntegrityError
from freezer.image.debian.deb import build_time, open_data
from tests.support.debian.debs import BUILT, PACK, ar, folder, make_deb, member, tar


def read(path: Path) -> dict[str, bytes]:
    with open_data(path, "x.deb") as archive:
        return {info.name: archive.extractfile(info).read() for info in archive if info.isreg()}


@pytest.mark.parametrize("pack", PACK)
def test_every_compression_is_read(tmp_path: Path, pack: str) -> None:
    content = bytes(range(256)) * 5000
    deb = make_deb(tmp_path / "x.deb", [folder("./usr"), member("./usr/a", content)], pack=pack)
    assert read(deb) == {"./usr/a": content}


def test_build_time_is_that_of_the_archive(tmp_path: Path) -> None:
    assert build_time(make_deb(tmp_path / "x.deb", []), "x.deb") == BUILT


def test_members_of_odd_size_and_slashes_behind_names_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "x.deb"
    path.write_bytes(ar([("debian-binary/", b"2.0"), ("data.tar/", tar([member("./a", b"1")]))]))
    assert read(path) == {"./a": b"1"}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "no ar archive"),
        (b"<html>not found</html>", "no ar archive"),
        (b"!<arch>\n", "no data.tar in it"),
        (b"!<arch>\nshort", "broken header at byte 8"),
        (ar([("debian-binary", b"2.0\n")]), "no data.tar in it"),
        (ar([("data.tar.lz", b"LZIP")]), "data.tar.lz"),
        (ar([("debian-binary", b"2.0\n")], moment=-1), "broken header at byte 8"),
        (ar([("debian-binary", b"2.0\n")], moment=99_999_999_999), "broken header at byte 8"),
        (ar([("data.tar.xz", b"not xz at all")]), ""),
        (ar([("data.tar.gz", b"not gz at all")]), ""),
        (ar([("data.tar.zst", b"not zst at all")]), ""),
        (ar([("data.tar", b"not a tar" * 100)]), ""),
        (ar([("data.tar.xz", lzma.compress(tar([member("./a", b"1" * 9999)]))[:60])]), ""),
        (ar([("data.tar", tar([member("./a", b"1" * 9999)]))])[:2000], ""),
    ],
)
def test_what_is_no_package_is_refused_by_name(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "x.deb"
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match=r"x\.deb is not a readable Debian package") as caught:
        read(path)
    assert found in (caught.value.found or "")


def test_an_empty_archive_has_no_build_time(tmp_path: Path) -> None:
    path = tmp_path / "x.deb"
    path.write_bytes(b"!<arch>\n")
    with pytest.raises(IntegrityError, match=r"x\.deb"):
        build_time(path, "x.deb")


def test_a_member_with_a_negative_size_does_not_send_the_reader_round_in_circles(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.deb"
    path.write_bytes(ar([("data", b"")]).replace(b"0         `", b"-60       `"))
    with pytest.raises(IntegrityError, match=r"x\.deb"):
        read(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = member("./bomb")[0]
    bomb.size = 1 << 40
    packer = zstandard.ZstdCompressor().compressobj()
    data = packer.compress(bomb.tobuf())
    data += b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    path = tmp_path / "x.deb"
    path.write_bytes(ar([("debian-binary", b"2.0"), ("data.tar.zst", data)]))
    with pytest.raises(IntegrityError, match=r"x\.deb unpacks to suspiciously many bytes"):
        drain(path)


def drain(path: Path) -> None:
    with open_data(path, "x.deb") as archive:
        stream = archive.extractfile(archive.next())
        while stream.read(1 << 20):
            pass
