"""What `accelerator:` and `blas:` ask of conda, with the real solver on small channels."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import ResolveError, SpecError
from freezer.resolve.accelerator.conda import (
    conda_constraints,
    name_of,
    names_a_build,
    require_gpu_builds,
    virtual_packages,
)
from tests.support.conda.condaindex import VIRTUAL, Room, pins, record
from tests.support.python.accelerators import asks_conda, conda, gpu


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path)
    room.channel(
        "forge",
        record("cuda-version", "12.4", constrains=["__cuda >=12"]),
        record("cuda-version", "12.9", constrains=["__cuda >=12"]),
        record("cudnn", "9.3.0.75", depends=["cuda-version >=12,<13"]),
        record("cudnn", "8.9.7.29", depends=["cuda-version >=12,<13"]),
        record("pytorch", "2.8.0", "cpu_generic_1"),
        record(
            "pytorch",
            "2.6.0",
            "cuda124_1",
            depends=["cuda-version 12.4.*", "cudnn >=8", "__cuda", "libblas"],
        ),
        record("pytorch", "2.8.0", "cuda129_1", depends=["cuda-version 12.9.*", "cudnn", "__cuda"]),
        record("libblas", "3.9.0", "1_openblas", depends=["libopenblas"]),
        record("libblas", "3.9.0", "1_mkl", depends=["mkl"]),
        record("libopenblas", "0.3.30"),
        record("mkl", "2026.0"),
    )
    return room


@pytest.mark.process
def test_without_constraints_a_solver_takes_the_cpu_build_without_a_word(room: Room) -> None:
    declared = {**VIRTUAL, "__cuda": "12.4"}
    found = room.solve("pytorch", "cuda-version 12.4.*", virtual_packages=declared)
    assert ("pytorch", "2.8.0", "cpu_generic_1") in {
        (p.name, p.version, p.build) for p in found.packages
    }
    with pytest.raises(ResolveError, match="these are CPU builds") as caught:
        require_gpu_builds(found.packages, asks_conda("pytorch"))
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("request pytorch=*=*cuda*;")


@pytest.mark.process
def test_constraints_bring_the_gpu_build_of_the_cuda_and_the_cudnn(room: Room) -> None:
    spec = gpu("12.4", "8")
    found = room.solve(
        "pytorch",
        virtual_packages=virtual_packages(spec, "2.36", "linux-64"),
        constraints=conda_constraints(spec, "mkl"),
    )
    assert pins(found) == {
        "cuda-version": "12.4 0",
        "cudnn": "8.9.7.29 0",
        "libblas": "3.9.0 1_mkl",
        "mkl": "2026.0 0",
        "pytorch": "2.6.0 cuda124_1",
    }
    require_gpu_builds(found.packages)


@pytest.mark.process
def test_constraints_ask_for_nothing_by_themselves(room: Room) -> None:
    found = room.solve("mkl", constraints=conda_constraints(gpu("12.4"), "openblas"))
    assert pins(found) == {"mkl": "2026.0 0"}


@pytest.mark.process
def test_a_cuda_without_gpu_build_is_refused_by_the_solver(room: Room) -> None:
    spec = gpu("12.6")
    with pytest.raises(ResolveError):
        room.solve(
            "pytorch",
            virtual_packages=virtual_packages(spec, "2.36", "linux-64"),
            constraints=conda_constraints(spec, None),
        )


@pytest.mark.process
def test_a_build_that_the_user_names_is_theirs(room: Room) -> None:
    asked = asks_conda("pytorch=*=cpu*", "libblas=*=*openblas", "pytorch-cpu")
    constraints = conda_constraints(gpu("12.4"), "mkl", asked)
    assert not {name_of(text) for text in constraints} & {"pytorch", "libblas", "pytorch-cpu"}
    found = room.solve("pytorch=*=cpu*", constraints=constraints)
    require_gpu_builds(found.packages, asked)


@pytest.mark.process
def test_the_parts_of_a_chosen_cpu_build_are_cpu_builds_too(room: Room) -> None:
    room.channel(
        "forge",
        record("pytorch", "2.8.0", "cpu_1", depends=["libtorch 2.8.0 cpu_1"]),
        record("libtorch", "2.8.0", "cpu_1"),
        record("libtorch", "2.8.0", "cuda129_1"),
    )
    asked = asks_conda("pytorch=*=cpu*")
    found = room.solve("pytorch=*=cpu*", constraints=conda_constraints(gpu("12.9"), None, asked))
    assert pins(found)["libtorch"] == "2.8.0 cpu_1"
    require_gpu_builds(found.packages, asked)
    with pytest.raises(ResolveError, match="these are CPU builds"):
        require_gpu_builds(found.packages, asks_conda("pytorch"))


def test_packages_that_are_cpu_builds_by_name() -> None:
    with pytest.raises(ResolveError) as caught:
        require_gpu_builds([conda("pytorch-cpu", "2.8.0", "cpu_mkl_1")])
    assert "pytorch-gpu" in str(caught.value)
    require_gpu_builds([conda("pytorch-cpu", "2.8.0", "cpu_mkl_1")], asks_conda("pytorch-cpu"))


@pytest.mark.parametrize(
    "build", ["cuda126_mkl_py312_h8bb5dc9_300", "py3.11_cuda12.1_cudnn8.9.2_0"]
)
def test_gpu_builds_of_both_great_channels_are_known(build: str) -> None:
    require_gpu_builds([conda("pytorch", "2.6.0", build), conda("numpy", "2.2", "py312_0")])


def test_without_an_accelerator_nothing_is_asked() -> None:
    assert conda_constraints(None, None) == ()
    assert virtual_packages(None, "2.36", "linux-64") == VIRTUAL


def test_each_blas_by_its_builds() -> None:
    assert conda_constraints(None, "netlib") == (
        "libblas * *netlib",
        "libcblas * *netlib",
        "liblapack * *netlib",
        "liblapacke * *netlib",
        "blas * *netlib",
    )
    assert not any("lapack" in text for text in conda_constraints(None, "blis"))


def test_the_declared_driver_says_which_cuda_hosts_have() -> None:
    assert virtual_packages(gpu("12.4"), "2.36", "linux-64")["__cuda"] == "12.4"
    newer = virtual_packages(gpu("12.4", driver=">=570.26"), "2.36", "linux-aarch64")
    assert newer["__cuda"] == "12.8"
    assert newer["__archspec"] == "aarch64"
    older = virtual_packages(gpu("12.4", driver=">=525.60.13"), "2.36", "linux-64")
    assert older["__cuda"] == "12.4"
    future = virtual_packages(gpu("13.5", driver=">=999"), "2.36", "linux-64")
    assert future["__cuda"] == "13.5"


def test_a_cuda_that_there_is_not() -> None:
    with pytest.raises(SpecError, match=r"12\.7"):
        conda_constraints(gpu("12.7"), None)


@pytest.mark.parametrize(
    ("text", "name", "build"),
    [
        ("pytorch", "pytorch", False),
        ("pytorch=2.8", "pytorch", False),
        ("pytorch=2.8=cpu_*", "pytorch", True),
        ("pytorch==2.8=cuda*", "pytorch", True),
        ("pytorch=*=*", "pytorch", False),
        ("pytorch 2.8.*", "pytorch", False),
        ("pytorch 2.8.* *", "pytorch", False),
        ("pytorch 2.8.* cpu*", "pytorch", True),
        ("conda-forge::pytorch=*=cpu*", "pytorch", True),
        ("pytorch[version='>=2',build='cpu*']", "pytorch", True),
        ("pytorch[build_number=3]", "pytorch", False),
        ("pytorch>=2.8,<3", "pytorch", False),
        ("Libblas=*=*mkl", "libblas", True),
        ("", "", False),
    ],
)
def test_reading_match_specs(text: str, name: str, build: bool) -> None:
    assert name_of(text) == name
    assert names_a_build(text) is build
