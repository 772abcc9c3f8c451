"""Numeric components among conda packages, recognised by package name.

Names of conda-forge: https://conda-forge.org/docs/maintainer/knowledge_base/ (BLAS, compilers,
OpenMP, CUDA); those of ``defaults`` where they differ.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from freezer.model.lock import Component

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.lock import CondaPackage

Role = Literal[
    "python", "libstdc++", "compiler", "blas", "lapack", "openmp", "cuda", "cudnn", "nccl"
]

_KNOWN: tuple[tuple[Role, str, str], ...] = (
    ("python", "CPython", r"python"),
    ("libstdc++", "libstdc++", r"libstdcxx"),
    ("compiler", "gcc", r"gcc_impl_linux-\w+"),
    ("compiler", "g++", r"gxx_impl_linux-\w+"),
    ("compiler", "gfortran", r"gfortran_impl_linux-\w+"),
    ("compiler", "clang", r"clang-\d+"),
    ("compiler", "nvcc", r"cuda-nvcc-impl"),
    ("blas", "OpenBLAS", r"libopenblas"),
    ("blas", "MKL", r"mkl"),
    ("blas", "BLIS", r"blis"),
    ("openmp", "libgomp", r"libgomp"),
    ("openmp", "libomp", r"llvm-openmp"),
    ("openmp", "libiomp", r"intel-openmp"),
    ("cuda", "CUDA runtime", r"cuda-cudart"),
    ("cuda", "CUDA", r"cudatoolkit"),
    ("cudnn", "cuDNN", r"libcudnn"),
    ("nccl", "NCCL", r"nccl"),
)
"""Role, name, and pattern of the packages that contain it. Metapackages are left out."""
_NETLIB: tuple[tuple[Literal["blas", "lapack"], str], ...] = (
    ("blas", "libblas"),
    ("lapack", "liblapack"),
)
"""For other builds these only depend on the implementation; the build string names it."""
_MOVED: tuple[tuple[Literal["cudnn", "libstdc++"], str, str, str], ...] = (
    ("cudnn", "cuDNN", "cudnn", "libcudnn"),
    ("libstdc++", "libstdc++", "libstdcxx-ng", "libstdcxx"),
)
"""Packages that used to contain a library; later versions depend on another one instead."""


def conda_components(packages: Sequence[CondaPackage]) -> tuple[Component, ...]:
    """Return Python, numeric libraries and compilers; one component for each package."""
    return tuple(found for package in packages for found in _of(package, packages))


def _of(package: CondaPackage, every: Sequence[CondaPackage]) -> Iterator[Component]:
    for role, name, pattern in _KNOWN:
        if re.fullmatch(pattern, package.name):
            yield _component(role, name, package)
    for role, name in _NETLIB:
        if package.name == name and package.build.endswith("netlib"):
            yield _component(role, "netlib", package)
    for role, name, old, new in _MOVED:
        if package.name == old and not any(item.name == new for item in every):
            yield _component(role, name, package)


def _component(role: Role, name: str, package: CondaPackage) -> Component:
    return Component(
        role=role, name=name, version=package.version, provider=f"conda:{package.name}"
    )
