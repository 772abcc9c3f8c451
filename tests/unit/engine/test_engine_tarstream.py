"""Archives that are made while they are sent are what tar reads, and never a lie."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from freezer.engine import tarstream
from freezer.engine.build import context
from freezer.errors import HostError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    (root / "b" / "deep").mkdir(parents=True)
    (root / "b" / "deep" / "z").write_bytes(b"z" * 3_000_000)
    (root / "b" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (root / "b" / "run.sh").chmod(0o700)
    (root / "Dockerfile").write_bytes(b"FROM scratch\n")
    (root / "b" / "link").symlink_to("deep/z")
    return root


def packed(root: Path, **options: int) -> bytes:
    return b"".join(tarstream.stream(context.entries(root, **options), form=tarfile.USTAR_FORMAT))


def test_a_context_says_all_and_nothing_of_this_host(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(folder, epoch=1_700_000_000))) as archive:
        members = archive.getmembers()
        found = {member.name: (member.type, oct(member.mode)) for member in members}
        assert archive.extractfile("b/deep/z").read() == b"z" * 3_000_000  # type: ignore[union-attr]
        assert archive.getmember("b/link").linkname == "deep/z"
    assert list(found) == ["Dockerfile", "b", "b/deep", "b/deep/z", "b/link", "b/run.sh"]
    assert found["b/run.sh"] == (tarfile.REGTYPE, "0o755")
    assert found["Dockerfile"] == (tarfile.REGTYPE, "0o644")
    assert {(item.uid, item.gid, item.uname, item.mtime) for item in members} == {
        (0, 0, "", 1_700_000_000)
    }


def test_the_same_files_are_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = packed(folder)
    os.utime(folder / "Dockerfile", (1, 1))
    (folder / "Dockerfile").chmod(0o600)
    assert packed(folder) == first
    assert first[257:265] == b"ustar\x0000"
    assert len(first) == tarstream.total(list(context.entries(folder)))


def test_no_chunk_is_large(folder: Path) -> None:
    chunks = tarstream.stream(context.entries(folder))
    assert max(len(chunk) for chunk in chunks) <= tarstream.CHUNK


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "deep/../../../x"])
def test_links_that_lead_out_are_refused(folder: Path, target: str) -> None:
    (folder / "b" / "bad").symlink_to(target)
    with pytest.raises(HostError, match="links inside it") as raised:
        packed(folder)
    assert raised.value.found == str(folder / "b" / "bad")


def test_a_link_up_but_not_out_is_fine(folder: Path) -> None:
    (folder / "b" / "deep" / "up").symlink_to("../run.sh")
    assert packed(folder)


def test_devices_and_pipes_are_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(HostError, match="something other than files"):
        packed(folder)


def test_a_name_too_long_for_ustar_is_named(folder: Path) -> None:
    (folder / ("n" * 200)).touch()
    with pytest.raises(HostError, match="cannot be written to a tar") as raised:
        packed(folder)
    assert "n" * 200 in str(raised.value.found)


def test_a_file_that_shrinks_meanwhile_is_an_error(folder: Path) -> None:
    entries = list(context.entries(folder))
    (folder / "b" / "deep" / "z").write_bytes(b"short")
    with pytest.raises(HostError, match="was truncated"):
        b"".join(tarstream.stream(entries))


def test_a_file_that_grows_meanwhile_is_cut_to_what_was_announced(folder: Path) -> None:
    entries = list(context.entries(folder))
    (folder / "Dockerfile").write_bytes(b"FROM scratch\nRUN more\n")
    with tarfile.open(fileobj=io.BytesIO(b"".join(tarstream.stream(entries)))) as archive:
        assert archive.extractfile("Dockerfile").read() == b"FROM scratch\n"  # type: ignore[union-attr]


def test_a_file_that_is_gone_is_named(folder: Path) -> None:
    entries = list(context.entries(folder))
    (folder / "Dockerfile").unlink()
    with pytest.raises(HostError, match="could not be read") as raised:
        b"".join(tarstream.stream(entries))
    assert "Dockerfile" in str(raised.value.found)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="reading the build context"):
        packed(tmp_path / "none")


def test_a_layer_of_more_than_eight_gigabytes_has_a_header() -> None:
    header = tarfile.TarInfo("big")
    header.size = 9 << 30
    block = next(tarstream.stream([tarstream.Entry(header)]))
    assert tarfile.TarInfo.frombuf(block, "utf-8", "strict").size == 9 << 30
