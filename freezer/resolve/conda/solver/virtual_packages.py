"""Virtual packages: what a solver is told of the target, and nothing of this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.resolve.conda.solver.interface import Subdir

KERNEL = "5.10"
"""The oldest Linux that hosts may have; conda-lock assumes the same."""
_CPU = {"linux-64": "x86_64", "linux-aarch64": "aarch64"}
SUBDIRS: Mapping[str, Subdir] = {"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64"}
"""Platform of a spec to conda's name for it."""


def virtual_packages(glibc: str, subdir: Subdir, cuda: str | None = None) -> dict[str, str]:
    """Return what to declare for a target: its glibc, and the CUDA that its drivers have."""
    found = {
        "__archspec": _CPU[subdir],
        "__glibc": glibc,
        "__linux": KERNEL,
        "__unix": "0",
    }
    return found if cuda is None else {**found, "__cuda": cuda}


def elsewhere(declared: Mapping[str, str], subdir: Subdir) -> dict[str, str]:
    """Return what was declared for one platform as it is for another: the CPU differs."""
    cpu = {"__archspec": _CPU[subdir]} if "__archspec" in declared else {}
    return {**declared, **cpu}


def solver_form(name: str, version: str) -> tuple[str, str, str]:
    """Return name, version and build; the CPU family of ``__archspec`` is its build."""
    return (name, "1", version) if name == "__archspec" else (name, version, "0")
