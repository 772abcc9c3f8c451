"""Reading a release: what it says, and what is no release at all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from freezer.errors import IntegrityError
from freezer.fetch.debian.release import ListedFile, read_release, require_suite, split_signed
from tests.support.debian.archives import Archive, stanza

ADDRESS = "https://user:secret@mirror.example.org/dists/bookworm/InRelease"
SIGNED = b"""\
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Label: Debian
- -- dashed
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCgAdFiEETKkPogMz4Q==
=Ab12
-----END PGP SIGNATURE-----
"""


def text(tmp_path: Path, **fields: str) -> str:
    archive = Archive(tmp_path, **fields)
    archive.add(stanza("hello"))
    return archive.release


def test_a_release_is_read(tmp_path: Path) -> None:
    archive = Archive(tmp_path, label="Debian-Security", by_hash=True)
    archive.add(stanza("hello"))
    release = read_release(archive.release.encode(), ADDRESS)
    assert release.source == "debian-security"
    assert release.names == ("bookworm", "bookworm")
    assert release.date == datetime(2026, 7, 11, 10, 16, 37, tzinfo=UTC)
    assert (release.by_hash, release.separate_all) == (True, False)
    assert release.components == ("main",)
    listed = release.files["main/binary-amd64/Packages"]
    assert isinstance(listed, ListedFile)
    assert listed.size == len(stanza("hello"))


def test_another_time_zone_is_converted(tmp_path: Path) -> None:
    release = read_release(text(tmp_path, date="Sat, 11 Jul 2026 12:00:00 +0200").encode(), ADDRESS)
    assert release.date == datetime(2026, 7, 11, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("label", "source"),
    [("NVIDIA CUDA", "nvidia-cuda"), (" Ubuntu ", "ubuntu"), ("", "test"), ("../x", "x")],
)
def test_a_label_becomes_a_name_fit_for_locks(tmp_path: Path, label: str, source: str) -> None:
    assert read_release(text(tmp_path, label=label).encode(), ADDRESS).source == source


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("Label: Debian\nOrigin: Test", "", "no Label"),
        ("Date: Sat, 11 Jul 2026 10:16:37 UTC", "Date: yesterday", "the date 'yesterday'"),
        ("Date:", "Data:", "the date ''"),
        ("Suite: bookworm\n", "Suite: bookworm\nSuite: trixie\n", "the field suite twice"),
        ("SHA256:", "MD5Sum:", "no SHA256"),
        ("SHA256:\n", "SHA256:\n zz 12 main/Packages\n", "no hash, size and path"),
        ("Suite:", "<html>", "a line that is no field"),
    ],
)
def test_what_is_no_release_is_refused(tmp_path: Path, old: str, new: str, found: str) -> None:
    original = text(tmp_path).replace("Origin: Test\nLabel: Debian", "Label: Debian\nOrigin: Test")
    assert old in original
    with pytest.raises(IntegrityError) as caught:
        read_release(original.replace(old, new).lstrip("\n").encode(), ADDRESS)
    assert (caught.value.found or "").startswith(found)
    assert "secret" not in str(caught.value)


def test_random_bytes_are_no_release() -> None:
    with pytest.raises(IntegrityError):
        read_release(bytes(range(256)), ADDRESS)


def test_the_signed_text_is_taken_out() -> None:
    assert split_signed(SIGNED, ADDRESS) == (b"Label: Debian\n-- dashed\n", True)


def test_unsigned_text_is_said_to_be_unsigned() -> None:
    assert split_signed(b"Label: Debian\n", ADDRESS) == (b"Label: Debian\n", False)


@pytest.mark.parametrize(
    "data",
    [
        b"Label: Evil\n" + SIGNED,
        SIGNED + b"Label: Evil\n",
        SIGNED + SIGNED,
        SIGNED.replace(b"Hash: SHA256\n\n", b"Hash: SHA256\nLabel: Evil\n\n"),
        SIGNED.replace(b"-----END PGP SIGNATURE-----\n", b""),
        SIGNED.replace(b"\n\niQI", b"\nComment: <b>\n\niQI"),
    ],
    ids=["before", "after", "twice", "in the header", "no end", "in the signature"],
)
def test_nothing_may_stand_around_the_signed_text(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="not a release file"):
        split_signed(data, ADDRESS)


@pytest.mark.parametrize("suite", ["bookworm", "bookworm/updates", "flat/", "/"])
def test_the_right_suite_passes(tmp_path: Path, suite: str) -> None:
    require_suite(read_release(text(tmp_path).encode(), ADDRESS), suite, ADDRESS)


def test_another_suite_is_refused(tmp_path: Path) -> None:
    release = read_release(text(tmp_path).encode(), ADDRESS)
    with pytest.raises(IntegrityError) as caught:
        require_suite(release, "trixie", ADDRESS)
    assert (caught.value.found, caught.value.expected) == ("bookworm / bookworm", "trixie")
    assert "secret" not in str(caught.value)
