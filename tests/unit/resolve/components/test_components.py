"""What wheels bring along, read without downloading them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import Indexes
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.model.lock import Component, PipPackage
from freezer.resolve.components.bundled import Found, by_config, by_package, libraries, version_in
from freezer.resolve.components.wheels import wheel_components
from tests.support.project.asking import TARGET
from tests.support.python.indexes import FakeIndex, File, serve

TAGS = "cp311-cp311-manylinux_2_17_x86_64"
CONFIG = b"""\
from enum import Enum
CONFIG = _cleanup(
    {
        "Compilers": {
            "c": {"name": "gcc", "version": "14.2.1", "args": r""},
            "c++": {"name": "gcc", "version": "14.2.1"},
            "fortran": {"name": "flang", "version": "19"},
            "cython": {"name": "cython", "version": "3.2.4"},
        },
        "Build Dependencies": {
            "blas": {
                "name": "scipy-openblas",
                "found": bool("True".lower().replace("false", "")),
                "version": "0.3.31",
            },
            "lapack": {"name": "scipy-openblas", "version": "0.3.31"},
        },
    }
)
"""


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as served:
        yield served


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def package(file: File, name: str, **more: str) -> PipPackage:
    return PipPackage(
        **{"source": "pypi", **more},
        file=file.name,
        size=len(file.data),
        sha256=hashlib.sha256(file.data).hexdigest(),
        name=name,
        version="1.0",
        reason="a test",
    )


def found(index: FakeIndex, store: Store, *packages: PipPackage) -> list[tuple[str, str, str]]:
    return [(c.role, c.name, c.version) for c in components(index, store, *packages)]


def components(index: FakeIndex, store: Store, *packages: PipPackage) -> tuple[Component, ...]:
    return wheel_components(
        packages,
        target=TARGET,
        index=PythonIndex(Indexes(index.simple)),
        store=store,
        report=SilentReporter(),
    )


def numpy(index: FakeIndex) -> PipPackage:
    file = index.add(
        "numpy",
        tags=TAGS,
        members={
            "numpy/__config__.py": CONFIG,
            "numpy.libs/libscipy_openblas64_-32a4b2a6.so": b"\0OpenBLAS 0.3.99 \0",
            "numpy.libs/libgfortran-040039e1.so.5.0.0": b"\0GFORTRAN_8\0\0GFORTRAN_10.2\0",
        },
    )
    return package(file, "numpy")


def test_a_configuration_and_libraries_together(index: FakeIndex, store: Store) -> None:
    assert components(index, store, numpy(index)) == tuple(
        Component(role=role, name=name, version=version, provider="pip:numpy", file=file)
        for role, name, version, file in [
            ("blas", "OpenBLAS", "0.3.31", "libscipy_openblas64_-32a4b2a6.so"),
            ("compiler", "flang", "19", None),
            ("compiler", "g++", "14.2.1", None),
            ("compiler", "gcc", "14.2.1", None),
            ("compiler", "libgfortran", "GFORTRAN_10.2", "libgfortran-040039e1.so.5.0.0"),
            ("lapack", "OpenBLAS", "0.3.31", "libscipy_openblas64_-32a4b2a6.so"),
        ]
    )


def test_the_store_s_copy_tells_the_same(index: FakeIndex, store: Store, tmp_path: Path) -> None:
    locked = numpy(index)
    remote = components(index, store, locked)
    index.requests.clear()
    other = Store.open(tmp_path / "other")
    other.put_bytes(index.files["numpy"][0].data)
    assert components(index, other, locked) == remote
    assert index.requests == []


def test_a_wheel_is_looked_into_once(index: FakeIndex, store: Store) -> None:
    locked = numpy(index)
    first = components(index, store, locked)
    index.requests.clear()
    assert components(index, store, locked) == first
    assert index.requests == []


def test_only_parts_are_read(index: FakeIndex, store: Store) -> None:
    noise = hashlib.shake_256(b"noise").digest(2 << 20)
    file = index.add("big", tags=TAGS, members={"a.bin": noise, "big.libs/libgomp-1.so.1.0.0": b""})
    assert found(index, store, package(file, "big")) == [("openmp", "libgomp", "unknown")]
    ranges = [span for _, span in index.asked(".whl")]
    assert ranges
    assert all(ranges)
    assert sum(_length(span or "", len(file.data)) for span in ranges) < len(file.data) / 2


def _length(span: str, size: int) -> int:
    first, _, last = span.removeprefix("bytes=").partition("-")
    return min(int(last) + 1, size) - int(first)


def test_a_server_without_ranges_has_the_wheel_fetched(index: FakeIndex, store: Store) -> None:
    index.ranges = False
    locked = numpy(index)
    assert ("blas", "OpenBLAS", "0.3.31") in found(index, store, locked)
    assert store.has(locked.sha256)


def test_wheels_for_every_platform_hold_no_libraries(index: FakeIndex, store: Store) -> None:
    file = index.add("pure", members={"pure/libgomp.so.1": b""})
    assert found(index, store, package(file, "pure")) == []
    assert index.requests == []


def test_a_source_distribution_is_left_alone(index: FakeIndex, store: Store) -> None:
    file = index.add_sdist("src")
    assert found(index, store, package(file, "src")) == []


def test_some_packages_are_the_library_itself(index: FakeIndex, store: Store) -> None:
    file = index.add("nvidia-cublas", tags="py3-none-manylinux_2_27_x86_64")
    assert found(index, store, package(file, "nvidia-cublas")) == [("blas", "cuBLAS", "1.0")]
    assert index.requests == []


def test_a_wheel_of_a_url(index: FakeIndex, store: Store) -> None:
    file = index.add("x", tags=TAGS, members={"x.libs/libgomp-a.so.1": b"\0GOMP_5.0.1\0"})
    url = f"{index.url}/files/{file.name}"
    locked = package(file, "x", source="url", url=url)
    assert found(index, store, locked) == [("openmp", "libgomp", "GOMP_5.0.1")]


def test_a_wheel_that_is_no_archive_is_said(index: FakeIndex, store: Store) -> None:
    file = index.add("x", tags=TAGS)
    file.data = b"not a zip archive at all" * 100
    with pytest.raises(IntegrityError, match="is not a readable wheel"):
        found(index, store, package(file, "x"))


def test_a_spoiled_member_is_said(index: FakeIndex, store: Store) -> None:
    file = index.add("x", tags=TAGS, members={"x.libs/libgomp-a.so.1": b"GOMP" * 3000})
    start = file.data.index(b"libgomp-a.so.1") + 20
    file.data = file.data[:start] + b"\xff" * 8 + file.data[start + 8 :]
    with pytest.raises(IntegrityError, match="is not a readable wheel"):
        found(index, store, package(file, "x"))


def test_a_wheel_that_is_gone_is_said(index: FakeIndex, store: Store) -> None:
    file = File("gone-1.0-cp311-cp311-linux_x86_64.whl", b"x")
    with pytest.raises(FetchError, match=r"no source has gone-1.0"):
        found(index, store, package(file, "gone"))


@pytest.mark.parametrize(
    ("file", "name", "version"),
    [
        ("libopenblas64_p-r0-15028c96.3.21.so", "OpenBLAS", "0.3.21"),
        ("libopenblasp-r0-59ffcd50.3.15.so", "OpenBLAS", "0.3.15"),
        ("libscipy_openblas-6cdc3b4a.so", "OpenBLAS", None),
        ("libopenblas.so.0", "OpenBLAS", None),
        ("libgomp.so.1", "libgomp", None),
        ("libgomp-e985bcbb.so.1.0.0", "libgomp", None),
        ("libiomp5.so", "libiomp5", None),
        ("libomp-1d2.so.5", "libomp", None),
        ("libmkl_core.so.2", "MKL", None),
        ("libstdc++-abc.so.6.0.30", "libstdc++", None),
    ],
)
def test_libraries_by_file_name(file: str, name: str, version: str | None) -> None:
    (library,) = libraries([f"x.libs/{file}"])
    assert (library.name, library.version, library.file) == (name, version, file)


@pytest.mark.parametrize(
    "file", ["blas.py", "libblas_helpers.h", "libompstubs.so", "libomptarget.so", "libmkl_rt.so.2"]
)
def test_files_that_are_no_such_library(file: str) -> None:
    assert list(libraries([f"x/{file}"])) == []


def test_the_greatest_version_counts_by_its_numbers() -> None:
    data = b"\0GLIBCXX_3.4.9\0\0GLIBCXX_3.4.30\0"
    assert version_in(data, rb"\0(GLIBCXX_[\d.]+)\0") == "GLIBCXX_3.4.30"
    assert version_in(b"", rb"(x)") is None


@pytest.mark.parametrize(
    "source",
    [
        "",
        "this is not Python",
        "CONFIG = 3",
        "CONFIG = f()",
        'CONFIG = {"Compilers": 1, "Build Dependencies": {"blas": 2}}',
        'CONFIG = {"Compilers": {"c": {"name": "gcc"}}}',
        'CONFIG = {**other, "Compilers": {}}',
        "\0",
        "import torch\n\ndef show(): ...\n",
    ],
)
def test_any_other_configuration_tells_nothing(source: str) -> None:
    assert by_config(source) == []


def test_a_configuration_is_never_run(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    by_config(f"open({str(victim)!r}, 'w')\nCONFIG = {{}}\n")
    assert not victim.exists()


def test_a_blas_of_another_name() -> None:
    source = 'CONFIG = {"Build Dependencies": {"blas": {"name": "mkl-sdl", "version": "2025.3"}}}'
    assert by_config(source) == [Found("blas", "MKL", "2025.3")]


def test_a_lapack_that_is_a_nameless_part_of_the_blas() -> None:
    lapack = '"lapack": {"name": "dep139639528180752", "version": "1.26.3"}'
    blas = '"blas": {"name": "openblas64", "version": "0.3.23.dev"}'
    source = f'CONFIG = {{"Build Dependencies": {{{blas}, {lapack}}}}}'
    assert [part.role for part in by_config(source)] == ["blas"]


@pytest.mark.parametrize("name", ["mkl", "intel-openmp", "nvidia-cusolver-cu12"])
def test_packages_that_are_libraries(name: str) -> None:
    assert by_package(name, "2") is not None
    assert by_package(f"{name}-devel", "2") is None


def test_a_member_that_claims_to_be_enormous_is_not_read(index: FakeIndex, store: Store) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/__config__.py", b"#" * (2 << 20))
        archive.writestr("x.libs/libgomp.so.1", bytes(41 << 20))
    file = File(f"x-1.0-{TAGS}.whl", target.getvalue())
    index.files["x"] = [file]
    assert found(index, store, package(file, "x")) == [("openmp", "libgomp", "unknown")]


def test_symbol_versions_that_lie_one_after_another_are_all_seen() -> None:
    (library,) = libraries(["x.libs/libgomp-a34b3233.so.1.0.0"])
    data = b"\0OMP_1.0\0GOMP_4.0\0GOMP_4.5\0GOMP_5.0\0GOMP_5.0.1\0"
    assert version_in(data, library.pattern) == "GOMP_5.0.1"
