"""A bundle is believed only when every byte of it is what its index says, and nothing is besides."""

import io
import json
import tarfile

import pytest

from freezer.errors import IntegrityError
from freezer.image.oci.bundle import INDEX, content_of, read_bundle, write_bundle
from freezer.image.tar.canonical import END, Entry, write_entry

LOCK_ID = "1" * 64
BLOB = b"some bytes" * 1000


class Kept(dict):
    def take(self, sha256, stream):
        data = stream.read()
        if content_of(data).sha256 != sha256:
            raise IntegrityError("other bytes")
        self[sha256] = data


def members():
    blob = content_of(BLOB)
    return {
        f"blobs/sha256/{blob.sha256}": blob,
        "lock/freeze.lock.yaml": content_of(b"lock"),
        "lock/references/x86-64-v4.json": content_of(b"{}"),
    }


def written(tmp_path, contents=None):
    path = tmp_path / "demo.bundle"
    with path.open("wb") as stream:
        write_bundle(stream, "demo", LOCK_ID, contents or members(), 0)
    return path


def rewritten(path, change, *extra):
    """Write the archive anew with its members, as ``change(name, data)`` has them, and some more."""
    with tarfile.open(path) as archive:
        held = [(m.name, archive.extractfile(m).read()) for m in archive.getmembers()]
    with path.open("wb") as stream:
        for info, content in (*(new for one in held for new in change(*one)), *extra):
            if info.isreg():
                entry = Entry(info.name, "file", 0o644, len(content))
                write_entry(stream, entry, io.BytesIO(content), 0)
            else:
                stream.write(info.tobuf(tarfile.USTAR_FORMAT))
        stream.write(END)
    return path


def member(name, data=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, data


def test_a_bundle_comes_back_whole(tmp_path):
    kept = Kept()
    held = read_bundle(written(tmp_path), kept)
    assert (held.index.environment, held.index.lock_id) == ("demo", LOCK_ID)
    assert held.files == {"freeze.lock.yaml": b"lock", "references/x86-64-v4.json": b"{}"}
    assert list(kept.values()) == [BLOB]


def test_equal_members_are_equal_bytes(tmp_path):
    first = written(tmp_path).read_bytes()
    assert written(tmp_path, dict(reversed(members().items()))).read_bytes() == first


def test_every_single_byte_counts(tmp_path):
    path = written(tmp_path)
    whole = path.read_bytes()
    # What the index says of the lock is compared with the lock by who knows what a lock is.
    said = [range(start := whole.index(one), start + len(one)) for one in (b"demo", b"1" * 64)]
    for position in {*range(0, len(whole), 37), *range(1536)} - {*said[0], *said[1]}:
        changed = bytearray(whole)
        changed[position] ^= 1 << position % 8
        path.write_bytes(changed)
        with pytest.raises(IntegrityError):
            read_bundle(path, Kept())


@pytest.mark.parametrize("more", [b"x", bytes(512), b"x" * 512])
def test_nothing_comes_after_the_end(tmp_path, more):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes() + more)
    with pytest.raises(IntegrityError):
        read_bundle(path, Kept())


def test_a_bundle_that_was_cut_off(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(IntegrityError):
        read_bundle(path, Kept())


@pytest.mark.parametrize(
    "extra",
    [
        member("../escape", b"x"),
        member("/etc/passwd", b"x"),
        member("lock/../../x", b"x"),
        member("lock/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("lock/hard", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
        member("lock/device", type=tarfile.CHRTYPE),
        member("lock/folder", type=tarfile.DIRTYPE),
    ],
    ids=lambda extra: extra[0].name,
)
def test_what_the_index_does_not_name_is_refused(tmp_path, extra):
    path = rewritten(written(tmp_path), lambda name, data: [member(name, data)], extra)
    with pytest.raises(IntegrityError, match="is not in its index"):
        read_bundle(path, Kept())


@pytest.mark.parametrize(
    "name", ["../x", "lock/../x", "lock/freeze.yaml", "blobs/md5/1", "lock/references/../x.json"]
)
def test_names_that_bundles_do_not_have_are_refused_even_when_listed(tmp_path, name):
    path = written(tmp_path, {**members(), name: content_of(b"x")})
    with pytest.raises(IntegrityError):
        read_bundle(path, Kept())


def test_a_link_in_the_place_of_a_member_is_refused(tmp_path):
    def change(name, data):
        if name == "lock/freeze.lock.yaml":
            return [member(name, type=tarfile.SYMTYPE, linkname="/etc/passwd")]
        return [member(name, data)]

    with pytest.raises(IntegrityError):
        read_bundle(rewritten(written(tmp_path), change), Kept())


def test_a_missing_member_is_named(tmp_path):
    path = rewritten(
        written(tmp_path),
        lambda name, data: [] if name.startswith("blobs") else [member(name, data)],
    )
    with pytest.raises(IntegrityError) as caught:
        read_bundle(path, Kept())
    assert "1 members are missing" in (caught.value.found or "")


@pytest.mark.parametrize("index", [b"", b"[]", b"{", b'{"schema": "freezer/bundle/2"}'])
def test_an_index_that_cannot_be_read(tmp_path, index):
    path = rewritten(
        written(tmp_path),
        lambda name, data: [member(name, index if name == INDEX else data)],
    )
    with pytest.raises(IntegrityError):
        read_bundle(path, Kept())


def test_a_blob_under_another_name_is_refused(tmp_path):
    blob = content_of(BLOB)
    path = written(tmp_path, {f"blobs/sha256/{'2' * 64}": blob})
    with pytest.raises(IntegrityError):
        read_bundle(path, Kept())


def test_the_index_is_json_that_people_can_read(tmp_path):
    with tarfile.open(written(tmp_path)) as archive:
        index = json.load(archive.extractfile(INDEX))
    assert index["files"]["lock/freeze.lock.yaml"]["size"] == 4
