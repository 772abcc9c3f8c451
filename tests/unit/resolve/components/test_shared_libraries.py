"""Shared libraries that wheels need of the system: which are missing, and which package has each."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from freezer.fetch.store.store import Store
from freezer.model.lock import BasePackage, Lock, PipPackage
from freezer.resolve.components.shared_libraries import debian_packages, missing_libraries
from tests.support.host.elf import write_elf
from tests.support.project.locks import make_lock


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def library(tmp_path: Path, *needed: str, soname: str = "") -> bytes:
    path = tmp_path / "made.so"
    write_elf(path, soname=soname, needed=needed)
    return path.read_bytes()


def package(store: Store, name: str, members: dict[str, bytes]) -> PipPackage:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    sha256 = store.put_bytes(target.getvalue())
    return (
        make_lock()
        .pip[0]
        .model_copy(
            update={
                "name": name,
                "sha256": sha256,
                "file": f"{name}-1-cp311-cp311-linux_x86_64.whl",
            }
        )
    )


def lock(*packages: PipPackage, debian: tuple[str, ...] = (), base: tuple[str, ...] = ()) -> Lock:
    made = make_lock(pip=packages, debian=())
    system = tuple(made_package(name) for name in debian)
    held = tuple(BasePackage(name=name, version="1", architecture="amd64") for name in base)
    return make_lock(
        pip=packages, debian=system, base=made.base.model_copy(update={"packages": held})
    )


def made_package(name: str) -> Any:
    return make_lock().debian[0].model_copy(update={"name": name})


def test_a_library_that_nothing_provides_is_named_with_its_package(
    tmp_path: Path, store: Store
) -> None:
    code = library(tmp_path, "libgomp.so.1", "libc.so.6", "libm.so.6", "libstdc++.so.6")
    lightgbm = package(store, "lightgbm", {"lightgbm/lib/lib_lightgbm.so": code})
    (said,) = missing_libraries(lock(lightgbm, base=("libc6", "libstdc++6")), store)
    assert said == (
        "lightgbm: libgomp.so.1 is needed, and nothing in this environment provides it; its "
        "Debian package is libgomp1: add `system: [libgomp1]`"
    )


@pytest.mark.parametrize("where", ["debian", "base"])
def test_the_systems_packages_provide_theirs(tmp_path: Path, store: Store, where: str) -> None:
    code = library(tmp_path, "libgomp.so.1", "libz.so.1", "libglib-2.0.so.0")
    one = package(store, "one", {"one/core.so": code})
    names = ("libgomp1", "zlib1g", "libglib2.0-0t64")
    assert list(missing_libraries(lock(one, **{where: names}), store)) == []


def test_wheels_provide_for_themselves_and_for_each_other(tmp_path: Path, store: Store) -> None:
    """By the name of the file, and by the soname in it; also where another wheel loads it."""
    bundled = library(tmp_path, soname="libgomp-a34b.so.1.0.0")
    named = library(tmp_path, soname="libopenblas.so.0")
    first = package(
        store, "first", {"first.libs/x.so.9": bundled, "first/a.so": library(tmp_path, "x.so.9")}
    )
    second = package(
        store,
        "second",
        {"second/b.so": library(tmp_path, "libgomp-a34b.so.1.0.0", "libopenblas.so.0")},
    )
    third = package(store, "third", {"third/libfoo.so": named})
    assert list(missing_libraries(lock(first, second, third), store)) == []


def test_what_the_host_or_python_provides_is_not_missing(tmp_path: Path, store: Store) -> None:
    code = library(
        tmp_path,
        "libcuda.so.1",
        "libnvidia-ml.so.1",
        "libpython3.11.so.1.0",
        "ld-linux-x86-64.so.2",
    )
    assert list(missing_libraries(lock(package(store, "gpu", {"gpu/x.so": code})), store)) == []


def test_one_library_is_one_warning(tmp_path: Path, store: Store) -> None:
    code = {"x/x.so": library(tmp_path, "libGL.so.1")}
    packages = [package(store, f"p{n}", {**code, f"{n}.txt": b""}) for n in range(5)]
    (said,) = missing_libraries(lock(*packages), store)
    assert said.startswith("p0, p1, p2 and 2 more: libGL.so.1 is needed")
    assert "system: [libgl1]" in said


def test_what_cannot_be_read_is_passed_over(store: Store) -> None:
    odd = package(store, "odd", {"odd/x.so": b"\x7fELF and no more", "odd/y.so": b""})
    gone = odd.model_copy(update={"name": "gone", "sha256": "0" * 64})
    spoiled = odd.model_copy(update={"name": "spoiled", "sha256": store.put_bytes(b"no zip")})
    for _ in range(2):  # read, and remembered
        assert list(missing_libraries(lock(odd, gone, spoiled), store)) == []


def test_a_memo_of_another_form_counts_as_none(tmp_path: Path, store: Store) -> None:
    one = package(store, "one", {"one/core.so": library(tmp_path, "libgomp.so.1")})
    for memo in ({"needs": 1, "provides": []}, [], {"needs": [1], "provides": []}, None):
        store.put_memo("wheel-needs-1", one.sha256, memo)
        assert len(list(missing_libraries(lock(one), store))) == 1


@pytest.mark.parametrize(
    ("soname", "name"),
    [
        ("libgomp.so.1", "libgomp1"),
        ("libX11.so.6", "libx11-6"),
        ("libXext.so.6", "libxext6"),
        ("libGL.so.1", "libgl1"),
        ("libSM.so.6", "libsm6"),
        ("libglib-2.0.so.0", "libglib2.0-0"),
        ("libgthread-2.0.so.0", "libglib2.0-0"),
        ("libsndfile.so.1", "libsndfile1"),
        ("libusb-1.0.so.0", "libusb-1.0-0"),
        ("libgfortran.so.5", "libgfortran5"),
        ("libssl.so.3", "libssl3"),
        ("libpulse.so.0", "libpulse0"),
        ("libdb-5.3.so", "libdb5.3"),
        ("libgdk_pixbuf-2.0.so.0", "libgdk-pixbuf-2.0-0"),
        ("libxcb-render.so.0", "libxcb-render0"),
        ("libz.so.1", "zlib1g"),
    ],
)
def test_the_package_of_a_library(soname: str, name: str) -> None:
    assert name in debian_packages(soname)
