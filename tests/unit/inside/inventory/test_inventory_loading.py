"""Which file the dynamic linker would take, by ld.so's own rules."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest

from freezer.inside.freezer_inventory.elf import read_elf
from freezer.inside.freezer_inventory.loading import (
    Linker,
    closure,
    configured,
    read_cache,
)
from tests.support.host.elf import AARCH64, write_elf


def linker(folder: Path, **more: object) -> Linker:
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and (elf := read_elf(str(path))) is not None:
            files[str(path)] = elf
    values: dict[str, object] = {"cache": {}, "folders": [], **more}
    return Linker(files, **values)  # type: ignore[arg-type]


def loads(folder: Path, name: str, **more: object) -> set[str]:
    graph = linker(folder, **more).graph()
    return {os.path.relpath(path, folder) for path in graph[str(folder / name)]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "root"


def test_a_runpath_goes_before_the_system(root: Path) -> None:
    write_elf(root / "np" / "core.so", needed=("libblas.so.3",), runpath="$ORIGIN/../np.libs")
    write_elf(root / "np.libs" / "libblas.so.3", soname="libblas.so.3")
    write_elf(root / "usr" / "libblas.so.3", soname="libblas.so.3")
    system = {"folders": [str(root / "usr")]}
    assert loads(root, "np/core.so", **system) == {"np.libs/libblas.so.3"}
    (root / "np.libs" / "libblas.so.3").unlink()
    assert loads(root, "np/core.so", **system) == {"usr/libblas.so.3"}


def test_ld_library_path_goes_between_rpath_and_runpath(root: Path) -> None:
    for name in ("own", "forced"):
        write_elf(root / name / "libm.so.6", soname="libm.so.6")
    write_elf(root / "a.so", needed=("libm.so.6",), rpath="${ORIGIN}/own")
    write_elf(root / "b.so", needed=("libm.so.6",), runpath="$ORIGIN/own")
    forced = {"library_path": f":{root}/forced"}
    assert loads(root, "a.so", **forced) == {"own/libm.so.6"}
    assert loads(root, "b.so", **forced) == {"forced/libm.so.6"}


def test_a_runpath_makes_the_rpath_void(root: Path) -> None:
    write_elf(root / "old" / "libx.so", soname="libx.so")
    write_elf(root / "a.so", needed=("libx.so",), rpath="$ORIGIN/old", runpath="$ORIGIN/new")
    write_elf(root / "other" / "libx.so", soname="libx.so")
    assert loads(root, "a.so") == set()


def test_the_cache_goes_before_the_default_folders(root: Path) -> None:
    write_elf(root / "a.so", needed=("libblas.so.3",))
    write_elf(root / "one" / "libblas.so.3", soname="libblas.so.3")
    write_elf(root / "two" / "libblas.so.3", soname="libblas.so.3")
    cache = {"libblas.so.3": [str(root / "two" / "libblas.so.3")]}
    assert loads(root, "a.so", cache=cache, folders=[str(root / "one")]) == {"two/libblas.so.3"}


def test_links_lead_to_the_file_that_is_loaded(root: Path) -> None:
    """As Debian's alternatives have it: two links between the name and the library."""
    write_elf(root / "lib" / "openblas" / "libblas.so.3", soname="libblas.so.3")
    (root / "etc").mkdir()
    (root / "etc" / "libblas").symlink_to(root / "lib" / "openblas" / "libblas.so.3")
    (root / "lib" / "libblas.so.3").symlink_to(root / "etc" / "libblas")
    write_elf(root / "a.so", needed=("libblas.so.3",))
    assert loads(root, "a.so", folders=[str(root / "lib")]) == {"lib/openblas/libblas.so.3"}


def test_links_in_a_circle_lead_nowhere(root: Path) -> None:
    write_elf(root / "a.so", needed=("libblas.so.3",))
    (root / "libblas.so.3").symlink_to(root / "b.so.3")
    (root / "b.so.3").symlink_to(root / "libblas.so.3")
    assert loads(root, "a.so", folders=[str(root)]) == set()


def test_a_library_for_another_machine_is_passed_over(root: Path) -> None:
    write_elf(root / "a.so", needed=("libx.so",))
    write_elf(root / "arm" / "libx.so", soname="libx.so", machine=AARCH64)
    write_elf(root / "amd" / "libx.so", soname="libx.so")
    folders = [str(root / "arm"), str(root / "amd")]
    assert loads(root, "a.so", folders=folders) == {"amd/libx.so"}


def test_a_loaders_rpath_holds_for_what_it_loads(root: Path) -> None:
    write_elf(root / "torch.so", needed=("libcpu.so",), rpath="$ORIGIN/lib:$ORIGIN/nvidia")
    write_elf(root / "lib" / "libcpu.so", soname="libcpu.so", needed=("libcudart.so.12",))
    write_elf(root / "nvidia" / "libcudart.so.12", soname="libcudart.so.12")
    write_elf(root / "stray" / "libcudart.so.12", soname="libcudart.so.12")
    assert loads(root, "lib/libcpu.so") == {"nvidia/libcudart.so.12"}


def test_what_a_package_loads_beforehand_is_found_by_its_name_alone(root: Path) -> None:
    write_elf(root / "jax.so", needed=("libcudnn.so.9",))
    write_elf(root / "nvidia" / "cudnn" / "libcudnn.so.9", soname="libcudnn.so.9")
    assert loads(root, "jax.so") == {"nvidia/cudnn/libcudnn.so.9"}
    write_elf(root / "other" / "libcudnn.so.9", soname="libcudnn.so.9")
    assert loads(root, "jax.so") == set()


def test_needs_in_a_circle_end(root: Path) -> None:
    write_elf(root / "a.so", needed=("b.so", "a.so"), runpath="$ORIGIN")
    write_elf(root / "b.so", needed=("c.so",), runpath="$ORIGIN")
    write_elf(root / "c.so", needed=("a.so", "/etc/passwd"), runpath="$ORIGIN")
    graph = linker(root).graph()
    found = closure(graph, str(root / "a.so"))
    assert {Path(path).name for path in found} == {"a.so", "b.so", "c.so"}


def cache_file(path: Path, *entries: tuple[str, str], count: int | None = None) -> Path:
    """A cache in glibc's format, behind an old one as ldconfig may write it."""
    strings, rows, base = b"", b"", 48 + 24 * len(entries)
    for name, target in entries:
        at = base + len(strings)
        strings += name.encode() + b"\0" + target.encode() + b"\0"
        rows += struct.pack("<iIIIQ", 0x0303, at, at + len(name) + 1, 0, 0)
    number = len(entries) if count is None else count
    head = b"glibc-ld.so.cache1.1" + struct.pack("<II5I", number, len(strings), *[0] * 5)
    path.write_bytes(b"ld.so-1.7.0\0" + b"\0" * 4 + head + rows + strings)
    return path


def test_the_linkers_cache_is_read(tmp_path: Path) -> None:
    path = cache_file(
        tmp_path / "cache",
        ("libblas.so.3", "/lib/one"),
        ("libblas.so.3", "/lib/two"),
        ("libm.so.6", "/lib/libm.so.6"),
    )
    assert read_cache(str(path)) == {
        "libblas.so.3": ["/lib/one", "/lib/two"],
        "libm.so.6": ["/lib/libm.so.6"],
    }


def test_a_broken_cache_is_as_none(tmp_path: Path) -> None:
    assert read_cache(str(tmp_path / "none")) == {}
    path = cache_file(tmp_path / "cache", ("liba.so", "/a"), count=2**32 - 1)
    assert read_cache(str(path)).get("liba.so") == ["/a"]
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        read_cache(str(path))


@pytest.mark.skipif(not Path("/etc/ld.so.cache").exists(), reason="this system has no ld.so.cache")
def test_this_systems_cache_names_its_c_library() -> None:
    if sys.byteorder == "little":
        assert any(Path(path).exists() for path in read_cache()["libc.so.6"])


def test_the_linkers_configuration_follows_its_includes(tmp_path: Path) -> None:
    parts = tmp_path / "ld.so.conf.d"
    parts.mkdir()
    (tmp_path / "ld.so.conf").write_text("include ld.so.conf.d/*.conf\n# nothing\n/opt/lib # own\n")
    (parts / "a.conf").write_text("/usr/lib/a\n")
    (parts / "b.conf").write_text(f"include {tmp_path}/ld.so.conf\nrelative\n")
    found = configured(str(tmp_path / "ld.so.conf"))
    assert found[0] == "/usr/lib/a"
    assert set(found) == {"/usr/lib/a", "/opt/lib"}


def test_what_a_library_opens_when_it_runs_counts_as_loaded(root: Path) -> None:
    """MKL's one library names nothing in its header, and opens Intel's OpenMP all the same."""
    write_elf(root / "libmkl_rt.so.2", soname="libmkl_rt.so.2")
    for name in ("libmkl_core.so.2", "libmkl_intel_thread.so.2", "libmkl_gnu_thread.so.2"):
        write_elf(root / name, soname=name)
    write_elf(root / "libomp.so", soname="libomp.so")
    (root / "libiomp5.so").symlink_to("libomp.so")
    found = loads(root, "libmkl_rt.so.2")
    assert found == {"libmkl_core.so.2", "libmkl_intel_thread.so.2", "libomp.so"}
    assert loads(root, "libomp.so") == set()
