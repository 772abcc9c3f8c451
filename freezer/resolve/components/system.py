"""Numeric components of a base and its Debian packages, recognised by package name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from freezer.model.lock import Component

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.lock import Base, BasePackage, DebianPackage, Target

Role = Literal["libc", "libstdc++", "compiler", "blas", "lapack", "openmp"]

_KNOWN: tuple[tuple[Role, str, str], ...] = (
    ("libc", "glibc", r"libc6"),
    ("libstdc++", "libstdc++", r"libstdc\+\+6"),
    ("compiler", "gcc", r"gcc-\d+"),
    ("compiler", "g++", r"g\+\+-\d+"),
    ("compiler", "gfortran", r"gfortran-\d+"),
    ("compiler", "clang", r"clang-\d+"),
    ("blas", "OpenBLAS", r"libopenblas0-(?:pthread|openmp|serial)|libopenblas64-0-\w+"),
    ("blas", "netlib", r"libblas3|libblas64-3"),
    ("blas", "BLIS", r"libblis\d+-\w+"),
    ("blas", "ATLAS", r"libatlas3-base"),
    ("blas", "MKL", r"libmkl-rt"),
    ("lapack", "netlib", r"liblapack3|liblapack64-3"),
    ("openmp", "libgomp", r"libgomp1"),
    ("openmp", "libomp", r"libomp5(?:-\d+)?"),
    ("openmp", "libiomp", r"libiomp5"),
)
"""Role, name, and pattern of their packages in Debian and Ubuntu. Metapackages are left out."""


def system_components(
    target: Target, base: Base, debian: Sequence[DebianPackage]
) -> tuple[Component, ...]:
    """Return Python and the components of the base and of the Debian packages above it.

    A package above the base replaces the base's own of that name.
    """
    above = {package.name: package for package in debian}
    below = {item.name: item for item in base.packages if item.name not in above}
    found = [
        *(_component(item, "base") for item in below.values()),
        *(_component(item, f"debian:{item.name}") for item in above.values()),
    ]
    python = _python(target, above)
    return (python, *(item for item in found if item is not None))


def _component(package: BasePackage | DebianPackage, provider: str) -> Component | None:
    for role, name, pattern in _KNOWN:
        if re.fullmatch(pattern, package.name):
            return Component(role=role, name=name, version=package.version, provider=provider)
    return None


def _python(target: Target, above: dict[str, DebianPackage]) -> Component:
    package = f"python{target.python.minor}"
    interpreters = [name for name in _interpreters(package) if name in above]
    return Component(
        role="python",
        name="CPython",
        version=target.python.version,
        provider=f"debian:{interpreters[0]}" if interpreters else "base",
    )


def _interpreters(package: str) -> Iterator[str]:
    yield f"{package}-minimal"
    yield package
