"""The inventory of folders that are laid out like images."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest

from freezer.inside.freezer_inventory import report
from freezer.inside.freezer_inventory.owners import owners
from freezer.inside.freezer_inventory.report import elf_files, inventory
from freezer.inside.freezer_inventory.roles import kind_of
from tests.support.host.elf import Library, elf, write_elf

SITE = "lib/python3.11/site-packages"
OPENBLAS = b"junk\0OpenBLAS 0.3.30 DYNAMIC_ARCH NO_AFFINITY\0junk"


@pytest.fixture(autouse=True)
def _no_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine has is no part of the folders below."""
    monkeypatch.setattr(report, "read_cache", dict)
    monkeypatch.setattr(report, "configured", list)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """An environment with NumPy's wheel as it is: a module, and a BLAS of its own."""
    env = tmp_path.resolve() / "env"
    site = env / SITE
    write_elf(
        site / "numpy" / "core.so",
        needed=("libscipy_openblas64_-ab12cd34.so", "libm.so.6"),
        rpath="$ORIGIN/../numpy.libs",
        comment=("GCC: (GNU) 14.2.1",),
    )
    write_elf(
        site / "numpy.libs" / "libscipy_openblas64_-ab12cd34.so",
        soname="libscipy_openblas64_-ab12cd34.so",
        needed=("libgfortran-040039e1.so.5.0.0",),
        rpath="$ORIGIN",
        constants=OPENBLAS,
    )
    write_elf(
        site / "numpy.libs" / "libgfortran-040039e1.so.5.0.0",
        soname="libgfortran-040039e1.so.5.0.0",
        constants=b"\0GFORTRAN_8\0GFORTRAN_10.2\0",
    )
    record(site, "numpy", "2.4.6")
    return env


def record(site: Path, name: str, version: str, *further: str) -> None:
    """Write down what a package has installed: everything below its two folders."""
    own = [path for part in (name, f"{name}.libs") for path in (site / part).rglob("*")]
    lines = [f"{path.relative_to(site)},," for path in own if path.is_file()]
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("\n".join([*lines, *further]) + "\n")


def by_name(document: dict[str, object]) -> dict[str, dict[str, object]]:
    return {item["name"]: item for item in document["libraries"]}  # type: ignore[index,attr-defined]


def test_what_does_the_arithmetic_and_who_loads_it(env: Path) -> None:
    document = inventory(str(env), [])
    blas = by_name(document)["OpenBLAS"]
    path = env / SITE / "numpy.libs" / "libscipy_openblas64_-ab12cd34.so"
    assert blas == {
        "name": "OpenBLAS",
        "roles": ["blas", "lapack"],
        "version": "0.3.30",
        "file": str(path),
        "soname": path.name,
        "needed": ["libgfortran-040039e1.so.5.0.0"],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "owner": "pip:numpy",
        "owner_version": "2.4.6",
        "loaders": [str(env / SITE / "numpy" / "core.so")],
        "loaded_by": ["pip:numpy"],
    }
    fortran = by_name(document)["libgfortran"]
    assert (fortran["version"], fortran["loaded_by"]) == ("GFORTRAN_10.2", ["pip:numpy"])
    assert document["compilers"] == [
        {"compiler": "GCC: (GNU) 14.2.1", "files": 1, "packages": ["pip:numpy"]}
    ]


def test_the_same_files_give_the_same_document(env: Path) -> None:
    assert json.dumps(inventory(str(env), [])) == json.dumps(inventory(str(env), []))


def test_debians_alternatives_are_told_apart_by_what_is_in_them(env: Path, tmp_path: Path) -> None:
    system = tmp_path.resolve() / "usr"
    for folder, constants in (
        ("openblas", OPENBLAS),
        ("blis", b"\0BLIS_ARCH_TYPE\0"),
        ("blas", b""),
    ):
        write_elf(system / folder / "libblas.so.3", soname="libblas.so.3", constants=constants)
    document = inventory(str(env), [str(system)])
    found = {
        Path(str(item["file"])).parent.name: (item["name"], item["version"])
        for item in document["libraries"]  # type: ignore[attr-defined]
        if item["soname"] == "libblas.so.3"
    }
    assert found == {
        "openblas": ("OpenBLAS", "0.3.30"),
        "blis": ("BLIS", ""),
        "blas": ("netlib", ""),
    }


def test_a_libblas_that_hands_its_calls_on_is_what_computes(env: Path, tmp_path: Path) -> None:
    """As Debian has OpenBLAS and ATLAS; netlib's LAPACK on top of them stays netlib's."""
    system = tmp_path.resolve() / "usr" / "lib"
    write_elf(system / "libopenblasp-r0.3.21.so", soname="libopenblas.so.0", constants=OPENBLAS)
    (system / "libopenblas.so.0").symlink_to("libopenblasp-r0.3.21.so")
    needs = {"blas": "libopenblas.so.0", "lapack": "libopenblas.so.0"}
    for name, needed in needs.items():
        soname = f"lib{name}.so.3"
        write_elf(system / soname, soname=soname, needed=(needed,), rpath="$ORIGIN")
    reference = system / "netlib" / "liblapack.so.3.11.0"
    write_elf(reference, soname="liblapack.so.3", needed=("libblas.so.3",), rpath="$ORIGIN/..")
    document = inventory(str(env), [str(system)])
    found = {
        str(Path(str(item["file"])).relative_to(system)): (item["name"], item["version"])
        for item in document["libraries"]  # type: ignore[attr-defined]
        if str(item["file"]).startswith(f"{system}/")
    }
    assert found == {
        "libopenblasp-r0.3.21.so": ("OpenBLAS", "0.3.30"),
        "libblas.so.3": ("OpenBLAS", "0.3.30"),
        "liblapack.so.3": ("OpenBLAS", "0.3.30"),
        "netlib/liblapack.so.3.11.0": ("netlib", "3.11.0"),
    }
    blas = next(item for item in document["libraries"] if item["soname"] == "libblas.so.3")  # type: ignore[attr-defined]
    assert blas["roles"] == ["blas"]


def test_netlibs_lapack_on_a_blas_of_another_stays_netlibs(env: Path, tmp_path: Path) -> None:
    system = tmp_path.resolve() / "usr" / "lib"
    mark = b"\0BLIS_ARCH_TYPE\0"
    write_elf(system / "libblas.so.3", soname="libblas.so.3", constants=mark)
    needs = {"needed": ("libblas.so.3",), "rpath": "$ORIGIN"}
    write_elf(system / "liblapack.so.3", soname="liblapack.so.3", **needs)
    found = {
        item["soname"]: item["name"] for item in inventory(str(env), [str(system)])["libraries"]
    }  # type: ignore[attr-defined]
    assert found["libblas.so.3"] == "BLIS"
    assert found["liblapack.so.3"] == "netlib"


def test_what_frameworks_have_linked_in(env: Path) -> None:
    constants = b"\0MKL_VERBOSE oneMKL %d.%d\0info,oneDNN v%d.%d.%d (commit %s)\0"
    site = env / SITE
    write_elf(site / "torch" / "lib" / "libtorch_cpu.so", constants=constants)
    write_elf(site / "torch" / "lib" / "libother.so", constants=constants)
    record(site, "torch", "2.13.0+cpu")
    assert [
        (item["name"], item["owner"], item["owner_version"])
        for item in inventory(str(env), [])["linked_in"]  # type: ignore[attr-defined]
    ] == [("MKL", "pip:torch", "2.13.0+cpu"), ("oneDNN", "pip:torch", "2.13.0+cpu")]


def test_conda_owns_what_its_packages_hold(env: Path) -> None:
    (env / "conda-meta").mkdir()
    blas = env / "lib" / "libopenblasp-r0.3.30.so"
    write_elf(blas, soname="libopenblas.so.0", constants=OPENBLAS)
    listed = {"name": "libopenblas", "version": "0.3.30", "build": "pthreads_h1"}
    (env / "conda-meta" / "libopenblas-0.3.30-pthreads_h1.json").write_text(
        json.dumps({**listed, "files": ["lib/libopenblasp-r0.3.30.so"]})
    )
    for name, text in {"broken": "{", "other": '{"files": 3}', "list": "[]"}.items():
        (env / "conda-meta" / f"{name}.json").write_text(text)
    found = owners([str(blas)], str(env), [])
    assert tuple(found[str(blas)]) == ("conda", "libopenblas", "0.3.30 pthreads_h1")


def test_dpkg_names_paths_through_links_and_packages_with_their_architecture(
    tmp_path: Path,
) -> None:
    root = tmp_path.resolve()
    library = write_elf(root / "usr" / "lib" / "libm.so.6", soname="libm.so.6")
    (root / "lib").symlink_to(root / "usr" / "lib")
    dpkg = root / "dpkg"
    (dpkg / "info").mkdir(parents=True)
    (dpkg / "info" / "libc6:amd64.list").write_text(f"/.\n{root}/lib\n{root}/lib/libm.so.6\n")
    (dpkg / "status").write_text(
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n"
        "Description: x\n more: y\n\nPackage: other\nVersion: 1\n"
    )
    found = owners([str(library)], str(root), [], str(dpkg))
    assert tuple(found[str(library)]) == ("debian", "libc6", "2.36-9")


def test_hostile_records_own_nothing(env: Path) -> None:
    site = env / SITE
    (site / "evil").mkdir()
    record(
        site, "evil", "1", '"unclosed.so', "../../../../../../etc/passwd.so,,", "\0.so,,", ",,.so"
    )
    (site / "-1.dist-info").mkdir()
    (site / "-1.dist-info" / "RECORD").write_text("numpy/core.so,,\n")
    blas = by_name(inventory(str(env), []))["OpenBLAS"]
    assert blas["owner"] == "pip:numpy"


def test_links_and_loops_among_folders_are_not_followed(env: Path) -> None:
    (env / "lib64").symlink_to(env / "lib")
    (env / "lib" / "loop").symlink_to(env)
    (env / "lib" / "libdangling.so").symlink_to(env / "nothing")
    found = elf_files([str(env), str(env / "lib64"), str(env / "none")])
    assert len(found) == 3


def test_a_script_that_is_called_a_library_is_none(env: Path) -> None:
    (env / "lib" / "libblas.so").write_text("INPUT(AS_NEEDED(libopenblas.so))\n")
    (env / "lib" / "libmkl_core.so.2").write_bytes(elf(Library())[:60])
    assert set(by_name(inventory(str(env), []))) == {"OpenBLAS", "libgfortran"}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("libopenblas.so.0", "OpenBLAS"),
        ("libopenblasp-r0.3.21.so", "OpenBLAS"),
        ("libopenblas64_p-r0-15028c96.3.21.so", "OpenBLAS"),
        ("libscipy_openblas-6cdc3b4a.so", "OpenBLAS"),
        ("libmkl_rt.so.2", "MKL"),
        ("libmkl_avx512.so.2", "MKL"),
        ("libblis.so.4", "BLIS"),
        ("libcblas.so.3", "netlib"),
        ("liblapack.so.3.11.0", "netlib"),
        ("libgomp-e985bcbb.so.1.0.0", "libgomp"),
        ("libgomp.so.1", "libgomp"),
        ("libiomp5.so", "libiomp5"),
        ("libomp.so.5", "libomp"),
        ("libcudart.so.12.4.127", "CUDA runtime"),
        ("libcublasLt.so.12", "cuBLAS"),
        ("libcudnn_engines_precompiled.so.9", "cuDNN"),
        ("libnccl.so.2", "NCCL"),
        ("libnvrtc.alt.so.12", "NVRTC"),
        ("libdnnl.so.3", "oneDNN"),
        ("libm.so.6", "libm"),
        ("libm-2.31.so", "libm"),
        ("libc.so.6", "libc"),
        ("libstdc++.so.6.0.30", "libstdc++"),
        ("libgfortran-040039e1-0352e75f.so.5.0.0", "libgfortran"),
        ("libc-client.so.2007e", None),
        ("libcrypt.so.1", None),
        ("libmagic.so.1", None),
        ("libblastrampoline.so.5", None),
        ("libnvrtc-builtins.so.12.4", None),
        ("core.cpython-311-x86_64-linux-gnu.so", None),
    ],
)
def test_libraries_are_known_by_their_names(file: str, name: str | None) -> None:
    kind = kind_of(f"/any/{file}")
    assert (kind and kind.name) == name


def test_a_thousand_files_take_moments(tmp_path: Path) -> None:
    site = tmp_path / "env" / SITE
    for number in range(1000):
        write_elf(site / "p" / f"m{number}.so", needed=(f"m{number - 1}.so",), runpath="$ORIGIN")
    start = time.process_time()
    inventory(str(tmp_path / "env"), [])
    assert time.process_time() - start < 5
