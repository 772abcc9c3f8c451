"""Canonical tars: one form for equal content, readable by everyone, closed to tricks."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import IntegrityError
from freezer.image.tar.canonical import (
    DEBIAN_NOISE,
    END,
    Entry,
    Folder,
    canonicalise,
    clean_path,
    header,
    parents,
)

EPOCH = 1793491200


def pack(
    members: list[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.GNU_FORMAT
) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    stream.seek(0)
    return stream


def member(name: str, **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def canonical(stream: io.BytesIO, drop: Any = lambda _: False) -> bytes:
    target = io.BytesIO()
    layer = canonicalise(stream, target, epoch=EPOCH, drop=drop)
    assert layer.diff_id == f"sha256:{hashlib.sha256(target.getvalue()).hexdigest()}"
    assert layer.size == len(target.getvalue())
    return target.getvalue()


def read(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {info.name: info for info in archive}


names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=130)
paths = st.lists(names.filter(lambda n: n not in (".", "..")), min_size=1, max_size=3).map("/".join)


@given(st.dictionaries(paths, st.binary(max_size=600), min_size=1, max_size=6), st.randoms())
def test_order_time_owner_names_and_dialect_leave_no_mark(
    files: dict[str, bytes], random: Any
) -> None:
    first = [(member(path, mode=0o644, mtime=1), data) for path, data in files.items()]
    second = [
        (member(f"./{path}", mode=0o644, mtime=random.random() * 1e9, uname="me"), data)
        for path, data in files.items()
    ]
    random.shuffle(second)
    one = canonical(pack(first, tarfile.PAX_FORMAT))
    assert one == canonical(pack(second, tarfile.GNU_FORMAT))
    assert one == canonical(io.BytesIO(one))
    found = read(one)
    assert {path: found[path].size for path in files} == {p: len(d) for p, d in files.items()}


@pytest.mark.process
def test_system_tar_reads_it_back(tmp_path: Path) -> None:
    long = "deep/" * 40 + "file"
    data = canonical(
        pack(
            [
                (member("ü/é.txt", mode=0o640), b"hello"),
                (member(long), b"x" * 1000),
                (member("link", type=tarfile.SYMTYPE, linkname="/".join(["target"] * 30)), b""),
            ]
        )
    )
    (tmp_path / "layer.tar").write_bytes(data)
    subprocess.run(["tar", "-xf", "layer.tar"], cwd=tmp_path, check=True)
    assert (tmp_path / "ü" / "é.txt").read_text() == "hello"
    assert (tmp_path / long).stat().st_size == 1000
    assert (tmp_path / "ü" / "é.txt").stat().st_mtime == EPOCH
    assert str((tmp_path / "link").readlink()) == "/".join(["target"] * 30)


def test_the_first_name_of_a_hard_link_holds_the_data() -> None:
    def linked(holder: str, other: str) -> bytes:
        hard = member(other, type=tarfile.LNKTYPE, linkname=holder)
        return canonical(pack([(member(holder, mode=0o755), b"data"), (hard, b"")]))

    assert linked("b", "a") == linked("a", "b")
    found = read(linked("b", "a"))
    assert found["a"].isreg()
    assert found["b"].islnk()
    assert found["b"].linkname == "a"


def test_modes_owners_and_capabilities_survive() -> None:
    info = member("bin/ping", mode=0o4755, uid=5, gid=3_000_000)
    info.pax_headers = {"SCHILY.xattr.security.capability": "\x01\x00\x00\x02", "comment": "gone"}
    found = read(canonical(pack([(info, b"x")], tarfile.PAX_FORMAT)))["bin/ping"]
    assert (found.mode, found.uid, found.gid) == (0o4755, 5, 3_000_000)
    assert found.pax_headers["SCHILY.xattr.security.capability"] == "\x01\x00\x00\x02"
    assert "comment" not in found.pax_headers


def test_the_last_of_two_members_with_one_name_counts() -> None:
    data = canonical(pack([(member("a"), b"old"), (member("./a"), b"newer")]))
    assert read(data)["a"].size == 5


def test_byte_code_tied_to_a_time_goes_and_hash_validated_stays() -> None:
    timed, hashed = bytes(16), b"\xa7\r\r\n\x01" + bytes(11)
    found = read(canonical(pack([(member("a.pyc"), timed), (member("b.pyc"), hashed)])))
    assert list(found) == ["b.pyc"]


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes_are_refused(kind: bytes) -> None:
    with pytest.raises(IntegrityError, match="device"):
        canonical(pack([(member("dev/x", type=kind), b"")]))


@pytest.mark.parametrize("name", ["../etc/passwd", "a/../../b", "a\0b"])
def test_paths_out_of_the_root_are_refused(name: str) -> None:
    with pytest.raises(IntegrityError):
        clean_path(name)


def test_a_hard_link_to_nowhere_is_refused() -> None:
    with pytest.raises(IntegrityError, match="hard link"):
        canonical(pack([(member("a", type=tarfile.LNKTYPE, linkname="b"), b"")]))


@pytest.mark.parametrize(
    ("path", "noise"),
    [
        ("var/log/dpkg.log", True),
        ("var/log", False),
        ("var/cache/ldconfig/aux-cache", True),
        ("var/lib/apt/lists/x_InRelease", True),
        ("var/lib/dpkg/status-old", True),
        ("var/lib/dpkg/status", False),
        ("var/cache/debconf/config.dat", False),
        ("var/cache/debconf/config.dat-old", True),
        ("etc/resolv.conf", True),
        ("etc/passwd", False),
        ("etc/passwd-", True),
        ("tmp/.wh.x", True),
        ("usr/bin/.wh.perl", False),
        ("home/user/var/log/x", False),
    ],
)
def test_noise(path: str, noise: bool) -> None:
    assert DEBIAN_NOISE(path) is noise


def test_noise_is_left_out() -> None:
    found = read(canonical(pack([(member("var/log/x"), b""), (member("a"), b"")]), DEBIAN_NOISE))
    assert list(found) == ["a"]


def test_bytes_are_pinned() -> None:
    data = header(Entry("a" * 101, "file", 0o644, 3), EPOCH) + b"abc".ljust(512, b"\0") + END
    assert hashlib.sha256(data).hexdigest() == PINNED


PINNED = "63be51d0f9531c5706410377ad40dda48f962553f5d653e51db68c6390c299a6"


def test_parents() -> None:
    assert parents(["a/b/c", "a/d"]) == ["a", "a/b"]


def test_what_engines_say_differently_of_folders_is_left_out() -> None:
    def made(*members: tuple[str, int, int, bytes | None]) -> list[str]:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for name, mode, gid, data in members:
                info = tarfile.TarInfo(name)
                info.mode, info.gid, info.size = mode, gid, len(data or b"")
                info.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
                archive.addfile(info, io.BytesIO(data or b""))
        stream.seek(0)
        target = io.BytesIO()
        below = {"usr": Folder(0o755, 0, 0), "etc": Folder(0o755, 0, 0)}
        canonicalise(stream, target, epoch=0, drop=lambda _: False, below=below)
        target.seek(0)
        with tarfile.open(fileobj=target) as archive:
            return archive.getnames()

    overlay2 = made(
        ("usr", 0o755, 0, None), ("usr/new", 0o755, 0, None), ("usr/new/.wh..wh..opq", 0, 0, b""),
        ("usr/new/file", 0o644, 0, b"x"),
    )  # fmt: skip
    podman = made(("usr/new", 0o755, 0, None), ("usr/new/file", 0o644, 0, b"x"))
    assert overlay2 == podman == ["usr/new", "usr/new/file"]
    # What does say something stays: another owner, another mode, an old folder that was emptied.
    assert made(("usr", 0o755, 8, None)) == ["usr"]
    assert made(("usr", 0o700, 0, None)) == ["usr"]
    assert made(("etc/.wh..wh..opq", 0, 0, b"")) == ["etc/.wh..wh..opq"]
