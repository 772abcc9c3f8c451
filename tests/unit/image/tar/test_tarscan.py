"""Reading back the layers that Freezer wrote: every member, where it lies, as tarfile sees it."""

from __future__ import annotations

import io
import tarfile

import pytest

from freezer.errors import IntegrityError
from freezer.image.tar.canonical import END, Entry, write_entry
from freezer.image.tar.scan import scan

LONG = "opt/env/" + "deep/" * 30 + "ünicode.py"
ENTRIES = [
    (Entry("opt", "dir", 0o755), b""),
    (Entry("opt/a.py", "file", 0o644, 5), b"a = 1"),
    (Entry(LONG, "file", 0o600, 700), bytes(700)),
    (Entry("opt/empty", "file", 0o644, 0), b""),
    (Entry("opt/link", "symlink", 0o777, target="t" * 120), b""),
    (Entry("opt/twin", "hardlink", 0o644, target="opt/a.py"), b""),
]


def written(end: bytes = b"") -> io.BytesIO:
    stream = io.BytesIO()
    for entry, data in ENTRIES:
        write_entry(stream, entry, io.BytesIO(data), 0)
    stream.write(end)
    return stream


@pytest.mark.parametrize("end", [b"", END], ids=["a piece", "a layer"])
def test_members_are_those_that_were_written(end: bytes) -> None:
    stream = written(end)
    found = list(scan(stream))
    assert [(one.path, one.kind, one.size) for one in found] == [
        (entry.path, entry.kind, entry.size) for entry, _ in ENTRIES
    ]
    for one, (_, data) in zip(found, ENTRIES, strict=True):
        stream.seek(one.offset)
        assert stream.read(one.size) == data


def test_tarfile_sees_the_same() -> None:
    stream = written(END)
    found = list(scan(stream))
    stream.seek(0)
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        seen = [(one.name, one.offset_data, one.size) for one in archive]
    assert [(one.path, one.offset, one.size) for one in found] == seen


@pytest.mark.parametrize("damage", [lambda data: data[:700], lambda data: b"x" * 512 + data])
def test_what_is_no_archive_is_refused(damage: object) -> None:
    data = written().getvalue()
    with pytest.raises(IntegrityError, match="chunk in the store"):
        list(scan(io.BytesIO(damage(data))))  # type: ignore[operator]
