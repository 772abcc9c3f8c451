"""Reading ELF files, whole ones and hostile ones."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.inside.freezer_inventory.elf import Elf, read_elf
from tests.support.examples import examples
from tests.support.host.elf import AARCH64, I386, Library, elf, write_elf

WHOLE = Library(
    soname="libopenblas.so.0",
    needed=("libm.so.6", "libgfortran.so.5", "libm.so.6"),
    rpath="$ORIGIN/../lib::/opt/lib",
    runpath="$ORIGIN",
    comment=("GCC: (Debian 12.2.0-14) 12.2.0", "clang version 21\x1b[31m", ""),
    constants=b"OpenBLAS 0.3.30",
)


def parse(data: bytes, folder: Path) -> Elf | None:
    path = folder / "file.so"
    path.write_bytes(data)
    return read_elf(str(path))


@pytest.mark.parametrize(
    ("wide", "order", "machine"), [(True, "<", 62), (True, ">", 22), (False, "<", I386)]
)
def test_every_class_and_byte_order(tmp_path: Path, wide: bool, order: str, machine: int) -> None:
    library = Library(**{**vars(WHOLE), "wide": wide, "order": order, "machine": machine})
    found = parse(elf(library), tmp_path)
    assert found is not None
    assert (found.machine, found.soname) == (machine, "libopenblas.so.0")
    assert found.needed == ("libm.so.6", "libgfortran.so.5")
    assert found.rpath == ("$ORIGIN/../lib", "/opt/lib")
    assert found.runpath == ("$ORIGIN",)
    assert found.compilers == ("GCC: (Debian 12.2.0-14) 12.2.0", "clang version 21 [31m")
    start, end = found.constants
    assert elf(library)[start:end] == b"OpenBLAS 0.3.30"


def test_stripped_of_its_sections_it_still_says_what_it_needs(tmp_path: Path) -> None:
    found = parse(elf(Library(soname="a", needed=("b",), sections=False)), tmp_path)
    assert found is not None
    assert (found.needed, found.compilers, found.constants) == (("b",), (), (0, 0))


@pytest.mark.process
@pytest.mark.skipif(shutil.which("readelf") is None, reason="binutils are not installed")
def test_binutils_reads_the_same_of_this_python(tmp_path: Path) -> None:
    found = read_elf(sys.executable)
    assert found is not None
    said = subprocess.run(
        ["readelf", "-d", sys.executable], capture_output=True, text=True, check=True
    ).stdout
    needed = [line.partition("[")[2].rstrip("]") for line in said.splitlines() if "NEEDED" in line]
    assert list(found.needed) == needed


@pytest.mark.parametrize("size", [0, 3, 4, 51, 52, 63, 64, 100, 200, 300])
def test_a_truncated_file_is_no_elf_file_or_says_less(tmp_path: Path, size: int) -> None:
    found = parse(elf(WHOLE)[:size], tmp_path)
    assert found is None or found.compilers == ()


def test_other_files_are_none(tmp_path: Path) -> None:
    assert parse(b"INPUT(-lblas)\n" * 10, tmp_path) is None
    assert parse(b"\x7fELF" + b"\xff" * 100, tmp_path) is None
    assert read_elf(str(tmp_path)) is None
    assert read_elf(str(tmp_path / "none.so")) is None


def patched(at: int, form: str, value: int) -> bytes:
    data = bytearray(elf(WHOLE))
    struct.pack_into(form, data, at, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        (32, "<Q", 2**64 - 1),  # program headers beyond everything
        (32, "<Q", 2**63 - 8),
        (54, "<H", 0),  # program headers of no size
        (56, "<H", 0xFFFF),  # far more program headers than there are
        (64 + 56 + 8, "<Q", 2**64 - 16),  # the dynamic section beyond the file
        (64 + 56 + 32, "<Q", 2**64 - 1),  # a dynamic section without end
    ],
)
def test_broken_headers_end_in_nothing(tmp_path: Path, at: int, form: str, value: int) -> None:
    found = parse(patched(at, form, value), tmp_path)
    assert found is None or found.needed in ((), ("libm.so.6", "libgfortran.so.5"))


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        (40, "<Q", 2**64 - 1),  # sections beyond everything
        (40, "<Q", 2**63),
        (60, "<H", 0xFFFF),  # more sections than there are
        (62, "<H", 0xFFFE),  # no such table of names
        (58, "<H", 0),  # sections of no size
    ],
)
def test_broken_sections_leave_the_needs(tmp_path: Path, at: int, form: str, value: int) -> None:
    found = parse(patched(at, form, value), tmp_path)
    assert found is not None
    assert found.needed == ("libm.so.6", "libgfortran.so.5")


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_nothing_that_bytes_can_be_gets_past_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(elf(WHOLE))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(4, len(whole) - 8))
        value = data.draw(st.sampled_from([0, 1, 0xFF, 2**31, 2**63, 2**64 - 1]))
        struct.pack_into("<Q", whole, at, value)
    read = parse(
        bytes(whole[: data.draw(st.integers(0, len(whole)))]), tmp_path_factory.getbasetemp()
    )
    if read is not None:
        assert len(read.needed) <= 4096
        assert all(text.isprintable() for text in read.compilers)


def test_a_library_of_another_machine(tmp_path: Path) -> None:
    found = read_elf(str(write_elf(tmp_path / "a" / "libb.so", machine=AARCH64)))
    assert found is not None
    assert found.machine == AARCH64
