"""A host's numerics class, from what the kernel says of its CPU."""

import pytest

from freezer.inside.freezer_inside.determinism import NUMERICS
from freezer.inside.freezer_inside.fingerprint import (
    cpu_info,
    fingerprint,
    level,
    loaded_libraries,
    numerics_class,
)

V2 = "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"
V3 = f"{V2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "sse2", "x86-64-v1"),
        ("x86_64", V2, "x86-64-v2"),
        ("x86_64", V3, "x86-64-v3"),
        ("x86_64", V4, "x86-64-v4"),
        ("x86_64", V4.replace("avx2 ", ""), "x86-64-v2"),
        ("aarch64", "asimd sve", "aarch64"),
    ],
)
def test_levels(machine, flags, expected):
    assert level(machine, flags.split()) == expected


def test_only_the_first_processor_counts():
    assert cpu_info("model name\t: A\nflags\t: x\n\nmodel name\t: B\n")["model name"] == "A"


def test_libraries_of_a_process():
    maps = "7f-8 r-xp 0 00:00 1 /usr/lib/libm.so.6\n7f-8 rw-p 0 00:00 0\n7f-8 r 0 0 2 [heap]\n"
    assert loaded_libraries(maps) == ["/usr/lib/libm.so.6"]


def test_a_class_is_a_file_name():
    assert numerics_class("x86-64-v4", ["SkylakeX"]) == "x86-64-v4-skylakex"
    assert numerics_class("aarch64", []) == "aarch64"


@pytest.mark.parametrize(
    ("reached", "kernels", "expected"),
    [
        ("x86-64-v3", ["Haswell"], "portable-x86-64-v3"),
        ("x86-64-v4", ["Haswell"], "portable-x86-64-v3"),
        ("x86-64-v4", ["mkl-def"], "portable-x86-64-v3"),
        ("x86-64-v4", [], "portable-x86-64-v3"),
        ("x86-64-v2", ["Nehalem"], "portable-x86-64-v2-nehalem"),
        ("x86-64-v4", ["SkylakeX"], "portable-x86-64-v3-skylakex"),
    ],
)
def test_portable_numerics_are_one_class_where_the_kernels_are_really_taken(
    reached, kernels, expected
):
    assert numerics_class(reached, kernels, "portable") == expected


def test_this_host_has_one(monkeypatch):
    monkeypatch.delenv(NUMERICS, raising=False)
    found = fingerprint()
    assert found["class"].startswith(found["level"])
    assert found["cpus"] >= 1
