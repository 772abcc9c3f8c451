"""Which wheels a target takes, compared with what pip's own library says."""

from __future__ import annotations

import platform
import sys

import pytest
from packaging.tags import sys_tags

from freezer.errors import ResolveError
from freezer.model.lock import Target
from freezer.resolve.python.tags import best_wheel, glibc_minor, uv_platform, wheel_tags
from tests.support.project.asking import TARGET, host_target


def target(python: str = "3.11.2", glibc: str = "2.36", machine: str = "x86_64") -> Target:
    minor = "".join(python.split(".")[:2])
    found = TARGET.python.model_copy(update={"version": python, "abi": f"cp{minor}"})
    return TARGET.model_copy(update={"glibc": glibc, "architecture": machine, "python": found})


@pytest.mark.skipif(
    sys.implementation.name != "cpython" or platform.libc_ver()[0] != "glibc",
    reason="the comparison is with this host's own tags, which must be CPython's on glibc",
)
def test_for_this_host_the_order_is_that_of_its_own_pip() -> None:
    here = host_target().model_copy(update={"glibc": platform.libc_ver()[1]})
    # Where a plain `linux` tag stands has changed between releases of packaging.
    own = [tag for tag in sys_tags() if not tag.platform.startswith(("musllinux", "linux"))]
    ours = [tag for tag in wheel_tags(here) if not tag.platform.startswith("linux")]
    assert ours == own


@pytest.mark.parametrize(
    ("files", "best"),
    [
        (["a-1-py3-none-any.whl", "a-1-cp311-cp311-manylinux_2_17_x86_64.whl"], 1),
        (
            [
                "a-1-cp311-cp311-manylinux_2_17_x86_64.whl",
                "a-1-cp311-cp311-manylinux_2_28_x86_64.whl",
            ],
            1,
        ),
        (["a-1-cp38-abi3-manylinux2014_x86_64.whl", "a-1-cp311-abi3-manylinux2014_x86_64.whl"], 1),
        (["a-1-cp311-cp311-manylinux1_x86_64.whl"], 0),
        (["a-1-cp311-cp311-linux_x86_64.whl", "a-1-py3-none-any.whl"], 0),
        (["a-1-2-py3-none-any.whl", "a-1-10-py3-none-any.whl", "a-1-py3-none-any.whl"], 1),
        (["a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"], 0),
        (["a-1-cp310-cp310-manylinux_2_17_x86_64.whl"], None),
        (["a-1-cp311-cp311-manylinux_2_39_x86_64.whl"], None),
        (["a-1-cp311-cp311-musllinux_1_2_x86_64.whl"], None),
        (["a-1-cp311-cp311-win_amd64.whl", "nonsense.whl"], None),
        (["a-1-cp312-abi3-manylinux2014_x86_64.whl"], None),
        ([], None),
    ],
)
def test_the_wheel_that_pip_would_take(files: list[str], best: int | None) -> None:
    assert best_wheel(files, target()) == (None if best is None else files[best])


def test_the_order_of_the_index_decides_nothing() -> None:
    files = ["a-1-py2.py3-none-any.whl", "a-1-py3-none-any.whl"]
    assert best_wheel(files, target()) == best_wheel(reversed(files), target())


def test_old_manylinux_is_for_x86_only() -> None:
    assert best_wheel(["a-1-py3-none-manylinux1_aarch64.whl"], target(machine="aarch64")) is None
    assert best_wheel(["a-1-py3-none-manylinux2014_aarch64.whl"], target(machine="aarch64"))


@pytest.mark.parametrize(
    ("glibc", "expected"),
    [
        ("2.17", "x86_64-manylinux_2_17"),
        ("2.27", "x86_64-manylinux_2_17"),
        ("2.28", "x86_64-manylinux_2_28"),
        ("2.36", "x86_64-manylinux_2_36"),
        ("2.43", "x86_64-manylinux_2_40"),
    ],
)
def test_uv_is_never_promised_a_newer_glibc(glibc: str, expected: str) -> None:
    assert uv_platform(target(glibc=glibc)) == expected


def test_the_other_machine() -> None:
    assert uv_platform(target(machine="aarch64")) == "aarch64-manylinux_2_36"


@pytest.mark.parametrize("glibc", ["2.12", "1.2", "3.0", "musl", ""])
def test_a_glibc_that_wheels_do_not_know(glibc: str) -> None:
    with pytest.raises(ResolveError, match="no wheels are made for glibc"):
        glibc_minor(target(glibc=glibc))
