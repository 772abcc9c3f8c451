"""Signatures of releases, with throwaway keys and the real gpgv."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.errors import HostError, IntegrityError
from freezer.fetch.debian.signature import find_keyring, verify_release
from tests.support.debian.archives import SigningKey

TEXT = b"Label: Debian\nSuite: bookworm\n"

pytestmark = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg makes the keys of these tests"
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningKey]:
    key = SigningKey(tmp_path_factory.mktemp("k") / "gpg")
    yield key
    key.close()


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningKey]:
    key = SigningKey(
        tmp_path_factory.mktemp("x") / "gpg", created="20200101T000000", expires="2020-02-01"
    )
    yield key
    key.close()


@pytest.mark.process
def test_a_rightly_signed_text_is_returned(key: SigningKey) -> None:
    assert verify_release(key.sign(TEXT), key.keyring) == TEXT


@pytest.mark.process
def test_an_armoured_keyring_serves_as_well(key: SigningKey) -> None:
    assert verify_release(key.sign(TEXT), key.armoured) == TEXT


@pytest.mark.process
def test_one_trusted_signature_of_two_is_enough(
    key: SigningKey, expired: SigningKey, tmp_path: Path
) -> None:
    both = tmp_path / "both.gpg"
    both.write_bytes(expired.keyring.read_bytes() + key.keyring.read_bytes())
    assert verify_release(key.sign(TEXT), both) == TEXT


@pytest.mark.process
def test_an_altered_text_is_refused(key: SigningKey) -> None:
    altered = key.sign(TEXT).replace(b"bookworm", b"bookwurm")
    with pytest.raises(IntegrityError) as caught:
        verify_release(altered, key.keyring)
    assert "altered" in (caught.value.found or "")
    assert "do not use this mirror" in (caught.value.hint or "")


@pytest.mark.process
def test_a_strangers_signature_is_refused(key: SigningKey, expired: SigningKey) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify_release(key.sign(TEXT), expired.keyring)
    assert "lacks" in (caught.value.found or "")


@pytest.mark.process
def test_an_expired_key_is_refused_by_that_name(expired: SigningKey) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify_release(expired.sign(TEXT), expired.keyring)
    assert "expired" in (caught.value.found or "")
    assert "debian-archive-keyring" in (caught.value.hint or "")


@pytest.mark.process
def test_an_unsigned_text_is_refused(key: SigningKey) -> None:
    with pytest.raises(IntegrityError, match="is not signed"):
        verify_release(TEXT, key.keyring)


@pytest.mark.process
def test_an_unsigned_text_before_the_signed_one_is_refused(key: SigningKey) -> None:
    with pytest.raises(IntegrityError):
        verify_release(b"Label: Evil\n" + key.sign(TEXT), key.keyring)


@pytest.mark.process
def test_a_file_that_is_no_keyring_trusts_nobody(key: SigningKey, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("not a keyring")
    with pytest.raises(IntegrityError):
        verify_release(key.sign(TEXT), tmp_path / "keys")


@pytest.mark.process
def test_a_missing_keyring_is_named(key: SigningKey, tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        find_keyring(str(tmp_path / "none.gpg"))
    assert "none.gpg" in str(caught.value)
    assert "debian-keyring" in (caught.value.hint or "")
    with pytest.raises(HostError):
        verify_release(key.sign(TEXT), tmp_path / "none.gpg")


def test_a_configured_keyring_is_taken(tmp_path: Path) -> None:
    (tmp_path / "keys.gpg").write_bytes(b"")
    assert find_keyring(str(tmp_path / "keys.gpg")) == tmp_path / "keys.gpg"


@pytest.mark.process
def test_a_host_without_gpgv_is_told_what_to_install(
    key: SigningKey, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    signed = key.sign(TEXT)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError) as caught:
        verify_release(signed, key.keyring)
    assert "gpgv" in (caught.value.hint or "")
