"""Whatever a spoiled zip archive ends in is told in words, wherever one is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.http.zip_errors import zip_errors
from freezer.resolve.accelerator.available import read_requirements

NAME = "a-1.dist-info/METADATA"
TEXT = "Name: a\nVersion: 1\nRequires-Dist: b\n" * 50
DATA = 30 + len(NAME)
"""Where the bytes of the only member begin."""


def packed(method: int) -> bytearray:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr(NAME, TEXT)
    return bytearray(stream.getvalue())


def spoiled(method: int) -> bytearray:
    data = packed(method)
    data[DATA + 15 : DATA + 35] = b"\xff" * 20
    return data


def marked(at_member: int, at_index: int, value: int) -> bytearray:
    """Return an archive with one byte changed in both of a member's headers."""
    data = packed(zipfile.ZIP_DEFLATED)
    data[at_member] = value
    data[data.index(b"PK\x01\x02") + at_index] = value
    return data


SPOILED = {
    "deflate": lambda: spoiled(zipfile.ZIP_DEFLATED),
    "bzip2": lambda: spoiled(zipfile.ZIP_BZIP2),
    "lzma": lambda: spoiled(zipfile.ZIP_LZMA),
    "stored": lambda: spoiled(zipfile.ZIP_STORED),
    "encrypted": lambda: marked(6, 8, 1),
    "unknown compression": lambda: marked(8, 10, 99),
    "cut off": lambda: packed(zipfile.ZIP_DEFLATED)[:-30],
    "no archive": lambda: bytearray(b"PK"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_wheel_that_is_spoiled_is_refused(how: str) -> None:
    with pytest.raises(IntegrityError, match="not a readable wheel") as caught:
        read_requirements(bytes(SPOILED[how]()), "a-1-py3-none-any.whl")
    assert caught.value.found


def test_a_sound_one_is_read() -> None:
    assert read_requirements(bytes(packed(zipfile.ZIP_DEFLATED)), "a.whl") == ("b",) * 50


def test_a_name_that_is_no_utf_8_is_told() -> None:
    data = packed(zipfile.ZIP_DEFLATED)
    start = data.index(b"PK\x01\x02")
    data[start + 9] |= 8  # says that it is
    data[start + 46] = 0xFF
    with pytest.raises(IntegrityError, match="utf-8"), zip_errors(IntegrityError):
        zipfile.ZipFile(io.BytesIO(data)).infolist()


@pytest.mark.parametrize(
    "error",
    [lambda: OSError(28, "No space left"), lambda: FetchError("gone"), RecursionError],
)
def test_what_is_not_the_archives_passes(error: Callable[[], Exception]) -> None:
    raised = error()
    with pytest.raises(type(raised)) as caught, zip_errors(IntegrityError):
        raise raised
    assert caught.value is raised
