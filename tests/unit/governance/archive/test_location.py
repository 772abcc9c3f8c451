"""Which place a text means, and places that are none."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import FreezerError
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.fetch.archive_storage.interface import Storage
from freezer.fetch.archive_storage.location import is_registry, open_storage
from freezer.fetch.archive_storage.registry import RegistryStorage
from freezer.fetch.archive_storage.s3 import S3Storage
from freezer.fetch.config import Config


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("/srv/archive", FolderStorage, "/srv/archive"),
        ("archive", FolderStorage, "archive"),
        ("../archive", FolderStorage, "../archive"),
        ("./registry.example.org/x", FolderStorage, "registry.example.org/x"),
        ("some/archive", FolderStorage, "some/archive"),
        ("registry.example.org/ml/archive", RegistryStorage, "registry.example.org/ml/archive"),
        ("localhost/archive", RegistryStorage, "localhost/archive"),
        ("localhost:5000/archive", RegistryStorage, "localhost:5000/archive"),
        ("127.0.0.1:5000/ml", RegistryStorage, "127.0.0.1:5000/ml"),
        ("oci://registry/ml", RegistryStorage, None),
        ("s3://bucket", S3Storage, "s3://bucket"),
        ("s3://bucket/", S3Storage, "s3://bucket"),
        ("S3://bucket/a/b/", S3Storage, "s3://bucket/a/b"),
    ],
)
def test_places(
    text: str, kind: type[Storage], address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    found = open_storage(text, Config())
    assert isinstance(found, kind)
    assert address is None or found.address == address


def test_a_folder_that_is_there_is_no_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_registry("my.archives/ml")
    (tmp_path / "my.archives").mkdir()
    assert not is_registry("my.archives/ml")


@pytest.mark.parametrize(
    "text",
    [
        "", "a\0b", "s3://", "s3://Bucket/x", "s3://b/x", "s3://key:secret-planted@bucket/x",
        "s3://bucket/a/../b", "s3://bucket/a//b", "s3://bucket/\n", "gs://bucket/x",
        "https://user:secret-planted@example.org/x", "file:///srv", "oci://",
        "registry.example.org/archive:latest", f"registry.example.org/x@sha256:{'0' * 64}",
        "registry.example.org/Upper", "registry.example.org/",
    ],
)  # fmt: skip
def test_texts_that_name_no_place(text: str) -> None:
    with pytest.raises(FreezerError) as raised:
        open_storage(text, Config())
    assert "secret-planted" not in str(raised.value)


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_an_error(text: str) -> None:
    with suppress(FreezerError):
        open_storage(text, Config())
