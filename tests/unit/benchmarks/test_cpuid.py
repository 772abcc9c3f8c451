"""What a CPU answers, as a kernel would tell it."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.other_cpu import cpuid
from freezer.inside.freezer_inside.fingerprint import cpu_info, level
from freezer.inside.freezer_inside.kernels import caches


def words(text: str) -> tuple[int, ...]:
    raw = text.encode().ljust(16, b"\0")
    return tuple(int.from_bytes(raw[at : at + 4], "little") for at in range(0, 16, 4))


def answers(vendor: str, **further: tuple[int, int, int, int]) -> Any:
    """Return what a CPU without any flag answers, and what is given by leaf and index."""
    found: dict[Any, Any] = {(leaf, 0): (0, 0, 0, 0) for leaf in (1, 7, 0x80000001)}
    ebx, edx, ecx, _ = words(vendor)
    found[0, 0] = (13, ebx, ecx, edx)
    for place, leaf in enumerate((0x80000002, 0x80000003, 0x80000004)):
        found[leaf, 0] = words("Made up "[place * 4 :][:4])
    for index in range(5):
        found[4, index] = (0, 0, 0, 0)
    found[0x80000005, 0] = found[0x80000006, 0] = (0, 0, 0, 0)
    for name, four in further.items():
        leaf, _, index = name.removeprefix("leaf_").partition("_")
        found[int(leaf, 16), int(index or 0)] = four
    return found


def test_an_intel_tells_its_caches_by_ways_lines_and_sets() -> None:
    data = (1 | 1 << 5, 7 << 22 | 63, 63, 0)
    shared = (3 | 3 << 5, 15 << 22 | 63, 16383, 0)
    found = cpuid.read(answers("GenuineIntel", leaf_4_0=data, leaf_4_1=shared))
    assert found.vendor == "GenuineIntel"
    assert found.caches == ((1, "Data", 32), (3, "Unified", 16384))


def test_an_amd_tells_them_by_size() -> None:
    near, far = (0, 0, 32 << 24, 64 << 24), (0, 0, 512 << 16, 16 << 18)
    found = cpuid.read(answers("AuthenticAMD", leaf_80000005=near, leaf_80000006=far))
    assert found.caches == (
        (1, "Data", 32), (1, "Instruction", 64), (2, "Unified", 512), (3, "Unified", 8192),
    )  # fmt: skip


def test_what_is_laid_over_this_hosts_files_is_read_as_the_other_cpu(tmp_path: Path) -> None:
    cpu = cpuid.Cpu("GenuineIntel", "Some Core", ("cx16", "sse4_2"), ((1, "Data", 32),))
    told = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: EPYC\nflags\t\t: avx2 fma\n"
    file, folder = cpuid.write(cpu, f"{told}\n{told}", tmp_path / "one")
    found = cpu_info(file.read_text())
    assert (found["vendor_id"], found["model name"]) == ("GenuineIntel", "Some Core")
    assert found["flags"] == "cx16 sse4_2"
    assert file.read_text().count("GenuineIntel") == 2
    assert caches(f"{folder}/index*") == ["32k"]


@pytest.mark.process
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instruction is there on x86 alone")
def test_this_cpu_answers_as_its_kernel_says() -> None:
    found, told = cpuid.ask([sys.executable]), cpu_info(Path("/proc/cpuinfo").read_text())
    assert found.vendor == told["vendor_id"]
    flags = told["flags"].split()
    assert set(found.flags) >= {"ssse3", "cx16"} & set(flags)
    assert level("x86_64", list(found.flags)) >= level("x86_64", flags)
    assert 0 < found.rsqrtps < 2.0**-11
