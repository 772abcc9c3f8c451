"""Layers are found by what they hash to, in every form that engines write archives in."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from freezer.engine.images.save import extract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Files = list[tuple[str, bytes | str]]
"""Names and contents; a string is the target of a symbolic link."""


def layer(name: str, size: int = 3000) -> bytes:
    return archive([(name, name.encode() * size)]).getvalue()


def archive(files: Files) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as out:
        for name, data in files:
            header = tarfile.TarInfo(name)
            if isinstance(data, str):
                header.type, header.linkname = tarfile.SYMTYPE, data
                out.addfile(header)
            else:
                header.size = len(data)
                out.addfile(header, io.BytesIO(data))
    buffer.seek(0)
    return buffer


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def blob(data: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"


LOW, HIGH, OTHER = layer("low"), layer("high"), layer("other")

OLD: Files = [
    ("1f/VERSION", b"1.0"),
    ("1f/json", b"{}"),
    ("1f/layer.tar", "../9c/layer.tar"),
    ("3a/layer.tar", OTHER),
    ("5b/layer.tar", HIGH),
    ("9c/layer.tar", LOW),
    ("a" * 64 + ".json", b'{"rootfs":{}}'),
    ("manifest.json", b"[]"),
]
"""Docker to 24: a folder a layer, in the order of their names; repeated layers are links."""

FORMS: dict[str, Files] = {
    "docker 20.10": OLD,
    "flat docker-archive": [("x.tar", HIGH), ("y.tar", LOW), ("z.json", b"{}")],
    "oci layout": [
        ("blobs/", b""),
        (blob(b"{}"), b"{}"),
        *((blob(item), item) for item in (OTHER, HIGH, LOW)),
        ("index.json", b"{}"),
        ("oci-layout", b"{}"),
    ],
    "oci layout, gzip": [(blob(gzip.compress(item)), gzip.compress(item)) for item in (LOW, HIGH)],
    "oci layout, zstd": [
        (blob(zstandard.compress(item)), zstandard.compress(item)) for item in (OTHER, LOW, HIGH)
    ],
    "gzip in an old archive": [("1/layer.tar", gzip.compress(HIGH)), ("2/layer.tar", LOW)],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_layers(form: str, tmp_path: Path) -> None:
    wanted = {digest(LOW): tmp_path / "low", digest(HIGH): tmp_path / "high"}
    assert extract(archive(FORMS[form]), wanted) == set()
    assert (tmp_path / "low").read_bytes() == LOW
    assert (tmp_path / "high").read_bytes() == HIGH
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_not_there_is_returned_and_nothing_is_left(tmp_path: Path) -> None:
    wanted = {digest(b"never"): tmp_path / "never"}
    assert extract(archive(OLD), wanted) == {digest(b"never")}
    assert not list(tmp_path.iterdir())


def test_a_blob_that_lies_about_its_name_is_not_taken(tmp_path: Path) -> None:
    wanted = {digest(LOW): tmp_path / "low"}
    lying = archive([(blob(LOW), OTHER)])
    assert extract(lying, wanted) == {digest(LOW)}
    assert not list(tmp_path.iterdir())


def test_member_names_never_become_paths(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    hostile = archive([("../escaped/layer.tar", LOW), ("/abs/layer.tar", HIGH)])
    assert extract(hostile, {digest(LOW): inner / "low"}) == set()
    assert [path.name for path in tmp_path.rglob("*")] == ["inner", "low"]


@pytest.mark.parametrize("kept", [100, 700, 2000, 9000])
def test_an_archive_that_breaks_off_is_an_error(kept: int, tmp_path: Path) -> None:
    broken = io.BytesIO(archive([("1/layer.tar", HIGH)]).getvalue()[:kept])
    with pytest.raises(tarfile.TarError):
        extract(broken, {digest(HIGH): tmp_path / "high"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("packer", [gzip.compress, zstandard.compress])
def test_a_damaged_compressed_layer_is_never_taken(
    packer: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    data = packer(HIGH)
    damaged = archive([("1/layer.tar", data[: len(data) // 2])])
    with contextlib.suppress(tarfile.TarError):  # zstandard ends quietly where a frame is cut
        assert extract(damaged, {digest(HIGH): tmp_path / "high"}) == {digest(HIGH)}
    assert not list(tmp_path.iterdir())


def test_reading_stops_when_all_is_there(tmp_path: Path) -> None:
    whole = archive([("1/layer.tar", LOW), ("2/layer.tar", layer("far", 3_000_000))])
    assert extract(whole, {digest(LOW): tmp_path / "low"}) == set()
    assert whole.tell() < 3_000_000
