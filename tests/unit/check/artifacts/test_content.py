"""Content digests: what a clock or a name changes is left out; spoiled and hostile files are bytes."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.check.artifacts import archives, hdf5
from freezer.check.artifacts.content import content_digest
from freezer.check.artifacts.hdf5 import lookup3
from freezer.check.artifacts.names import stable_path
from tests.support.examples import examples


def zipped(
    members: dict[str, bytes], *, year: int = 2000, method: int = zipfile.ZIP_STORED
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), data, method)
    return stream.getvalue()


def tarred(members: dict[str, bytes], mtime: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), mtime
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def keras(address: int, date: str, rate: float = 0.1) -> bytes:
    config = {"layers": [{"name": "a", "shared_object_id": address}], "rate": rate}
    return zipped(
        {
            "metadata.json": json.dumps({"keras_version": "3", "date_saved": date}).encode(),
            "config.json": json.dumps(config).encode(),
            "model.weights.h5": b"weights",
        }
    )


def event(*fields: bytes, wall: float) -> bytes:
    data = b"\x09" + struct.pack("<d", wall) + b"".join(fields)
    return struct.pack("<Q", len(data)) + b"crc1" + data + b"crc2"


def events(start: float, value: bytes = b"\x3f") -> bytes:
    version = b"\x1a\x0dbrain.Event:2"
    return event(version, wall=start) + event(b"\x10\x01\x2a\x01" + value, wall=start + 1)


def length(number: int, data: bytes) -> bytes:
    """Return a field of a protocol buffer that has a length."""
    return bytes([number << 3 | 2, len(data)]) + data


def onnx(guid: bytes, graph: bytes = b"graph") -> bytes:
    metadata = length(14, length(1, b"model_guid") + length(2, guid))
    return b"\x08\x08" + length(7, graph) + metadata + length(14, length(1, b"a") + length(2, b"b"))


def sentencepiece(folder: bytes, threads: int, score: bytes = b"\0\0\0\0") -> bytes:
    piece = length(1, b"<unk>") + b"\x15" + score
    trainer = length(1, folder + b"/c.txt") + length(2, folder) + b"\x80\x01" + bytes([threads])
    return length(1, piece) + length(2, trainer + b"\x18\x05")


def old_header(seconds: int, data: bytes = b"data") -> bytes:
    time = b"\x12\x00\x08\x00\x00\x00\x00\x00\x01\x00\x00\x00" + struct.pack("<I", seconds)
    return b"\x89HDF\r\n\x1a\n" + bytes(40) + time + data


def new_header(seconds: int, data: bytes = b"data", *, spoiled: bool = False) -> bytes:
    head = b"OHDR\x02\x20" + struct.pack("<IIII", *[seconds] * 4) + bytes([len(data)]) + data
    checksum = struct.pack("<I", lookup3(head) ^ spoiled)
    return b"\x89HDF\r\n\x1a\n" + bytes(40) + head + checksum + b"rest"


def duckdb(identifier: bytes, data: bytes = b"data") -> bytes:
    checksum = identifier[:8]
    return (checksum + b"DUCK" + bytes(112) + identifier).ljust(4096, b"\0") + data


def npy(data: bytes, *, padding: int = 3, version: int = 1, descr: str = "<f8") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}".encode()
    header += b" " * padding + b"\n"
    size = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


ALIKE = [
    ("x.onnx", onnx(b"1"), onnx(b"22")),
    ("x.model", sentencepiece(b"/one", 1), sentencepiece(b"/other", 2)),
    ("x.h5", old_header(1), old_header(2)),
    ("x.h5", new_header(1), new_header(2)),
    ("x.db", duckdb(b"1" * 16), duckdb(b"2" * 16)),
    ("x.npy", npy(b"12345678"), npy(b"12345678", padding=19, version=2)),
    (
        "x.npz",
        zipped({"a.npy": npy(b"1"), "b": b"2"}),
        zipped({"b": b"2", "a.npy": npy(b"1", padding=9)}, method=zipfile.ZIP_DEFLATED),
    ),
    ("x.zip", zipped({"a": b"1", "b": b"2"}), zipped({"b": b"2", "a": b"1"}, year=2020)),
    ("x.zip", zipped({"a": b"1"}), zipped({"a": b"1"}, method=zipfile.ZIP_DEFLATED)),
    ("x.pt", zipped({"one/data.pkl": b"1"}), zipped({"two/data.pkl": b"1"})),
    ("x.keras", keras(1, "today"), keras(2, "tomorrow")),
    ("x.gz", gzip.compress(b"x", mtime=1), gzip.compress(b"x", 1, mtime=2)),
    ("x.tar.gz", tarred({"a": b"1", "b": b"2"}, 1), tarred({"b": b"2", "a": b"1"}, 2)),
    ("events.out.tfevents.1.host", events(1.0), events(2.0)),
    (
        "m.txt",
        b"tree\nversion=v4\n[num_threads: 1]\nx\n",
        b"tree\nversion=v4\n[num_threads: 2]\nx\n",
    ),
]
UNLIKE = [
    ("x.onnx", onnx(b"1"), onnx(b"1", b"other")),
    ("x.model", sentencepiece(b"/one", 1), sentencepiece(b"/one", 1, b"\0\0\0\1")),
    ("x.h5", old_header(1), old_header(1, b"else")),
    ("x.h5", new_header(1), new_header(1, b"else")),
    ("x.h5", new_header(1, spoiled=True), new_header(2, spoiled=True)),
    ("x.db", duckdb(b"1" * 16), duckdb(b"1" * 16, b"else")),
    ("x.npy", npy(b"12345678"), npy(b"12345679")),
    ("x.npy", npy(b"12345678"), npy(b"12345678", descr="<i8")),
    ("x.npz", zipped({"a.npy": npy(b"1")}), zipped({"a.npy": npy(b"2")})),
    ("x.npz", zipped({"a.npy": npy(b"1")}), zipped({"b.npy": npy(b"1")})),
    ("x.zip", zipped({"a": b"1"}), zipped({"a": b"2"})),
    ("x.zip", zipped({"a": b"1"}), zipped({"b": b"1"})),
    ("x.pt", zipped({"one/data.pkl": b"1", "one/w": b"1"}), zipped({"one/data.pkl": b"1", "one/w": b"2"})),
    ("x.keras", keras(1, "today"), keras(1, "today", rate=0.2)),
    ("x.gz", gzip.compress(b"x"), gzip.compress(b"y")),
    ("x.tar.gz", tarred({"a": b"1"}, 1), tarred({"a": b"2"}, 1)),
    ("events.out.tfevents.1.host", events(1.0), events(1.0, b"\x40")),
    ("events.out.tfevents.1.host", events(1.0), events(1.0) + event(wall=3.0)),
    ("m.txt", b"tree\nversion=v4\nx\n", b"tree\nversion=v4\ny\n"),
]  # fmt: skip


def digests(folder: Path, name: str, *contents: bytes) -> list[tuple[str, str] | None]:
    found = []
    for number, data in enumerate(contents):
        (folder / str(number)).mkdir(exist_ok=True)
        (folder / str(number) / name).write_bytes(data)
        found.append(content_digest(folder / str(number) / name))
    return found


# Names of their own: archives hold the time, and workers must collect the same tests.
@pytest.mark.parametrize(("name", "first", "second"), ALIKE, ids=range(len(ALIKE)))
def test_what_says_nothing_of_content_is_left_out(tmp_path, name, first, second) -> None:
    one, other = digests(tmp_path, name, first, second)
    assert first != second
    assert one == other is not None


@pytest.mark.parametrize(("name", "first", "second"), UNLIKE, ids=range(len(UNLIKE)))
def test_other_content_has_another_digest(tmp_path, name, first, second) -> None:
    one, other = digests(tmp_path, name, first, second)
    assert one is not None
    assert other is not None
    assert one[0] == other[0]
    assert one[1] != other[1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x01\x00\xff\xff",
        b"PK\x03\x04 and no more",
        b"12345678DUCK",
    ],
)
def test_what_is_not_known_or_spoiled_has_none(tmp_path: Path, data: bytes) -> None:
    assert digests(tmp_path, "x.bin", data) == [None]


@pytest.mark.parametrize("size", range(40))
def test_a_tar_that_is_cut_anywhere_in_its_header_has_none(tmp_path: Path, size: int) -> None:
    assert digests(tmp_path, "x.tar.gz", tarred({"a": b"1"}, 1)[:size]) == [None]


SEEDS = [(name, data) for name, *both in ALIKE for data in both]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=examples(400),
    deadline=None,
)
@given(st.sampled_from(SEEDS), st.data())
def test_any_damage_is_another_digest_or_none_and_never_an_error(tmp_path, seed, data) -> None:
    name, whole = seed
    place = data.draw(st.integers(0, len(whole) - 1))
    kind = data.draw(st.sampled_from(["cut", "flip", "insert"]))
    spoiled = {
        "cut": whole[:place],
        "flip": whole[:place]
        + bytes([whole[place] ^ data.draw(st.integers(1, 255))])
        + whole[place + 1 :],
        "insert": whole[:place] + b"\xff" * 3 + whole[place:],
    }[kind]
    [found] = digests(tmp_path, name, spoiled)
    assert found is None or len(found[1]) == 64


def test_a_bomb_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST", 1 << 20)
    assert digests(
        tmp_path, "x.zip", zipped({"a": bytes(2 << 20)}, method=zipfile.ZIP_DEFLATED)
    ) == [None]
    assert digests(tmp_path, "x.gz", gzip.compress(bytes(2 << 20))) == [None]
    monkeypatch.setattr(archives, "MOST", 3)
    assert digests(tmp_path, "x.zip", zipped(dict.fromkeys("abcde", b""))) == [None]


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"", 0xDEADBEEF), (b"Four score and seven years ago", 0x17770551)],
)
def test_the_checksum_of_hdf5_is_the_published_one(data: bytes, value: int) -> None:
    assert lookup3(data) == value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.sampled_from([old_header, new_header]), max_size=6),
    st.lists(st.integers(0, 90), min_size=6, max_size=6),
    st.integers(20, 200),
)
def test_times_are_found_wherever_blocks_end(tmp_path, monkeypatch, kinds, gaps, block) -> None:
    head = b"\x89HDF\r\n\x1a\n"
    first, second = (
        head + b"".join(bytes(gap) + kind(seconds) for kind, gap in zip(kinds, gaps, strict=False))
        for seconds in (7, 1_800_000_000)
    )
    whole = digests(tmp_path, "x.h5", first, second)
    assert whole[0] == whole[1]
    monkeypatch.setattr(hdf5, "_BLOCK", block)
    monkeypatch.setattr(hdf5, "_LONGEST", 100)
    assert digests(tmp_path, "x.h5", first, second) == whole


@pytest.mark.parametrize(
    ("path", "stable"),
    [
        ("model.pt", "model.pt"),
        ("set/part=1/78fea7ec571f4f078ee480261b41a18e-0.parquet", "set/part=1/*-0.parquet"),
        ("s/part-00000-8d7f2a1c-0b1e-4c3d-9f00-112233445566-c000.snappy.parquet", "s/part-00000-*-c000.snappy.parquet"),
        ("logs/events.out.tfevents.1793491200.host.17.0", "logs/events.out.tfevents.*"),
        ("78fea7ec571f4f078ee480261b41a18e.pt", "78fea7ec571f4f078ee480261b41a18e.pt"),
        (f"{'ab' * 32}.parquet", f"{'ab' * 32}.parquet"),
    ],
)  # fmt: skip
def test_what_of_a_path_stays(path: str, stable: str) -> None:
    assert stable_path(path) == stable
