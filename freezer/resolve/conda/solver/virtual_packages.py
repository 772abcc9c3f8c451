"""Virtual packages: a description of the target for the solver, independent of this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.resolve.conda.solver.interface import Subdir

KERNEL = "5.10"
"""The oldest Linux kernel of hosts; conda-lock assumes the same."""
_CPU = {"linux-64": "x86_64", "linux-aarch64": "aarch64"}
SUBDIRS: Mapping[str, Subdir] = {"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64"}
"""Platform of a spec to conda's subdir."""


def virtual_packages(glibc: str, subdir: Subdir, cuda: str | None = None) -> dict[str, str]:
    """Return the virtual packages of a target: its glibc, and the CUDA of its drivers."""
    found = {
        "__archspec": _CPU[subdir],
        "__glibc": glibc,
        "__linux": KERNEL,
        "__unix": "0",
    }
    return found if cuda is None else {**found, "__cuda": cuda}


def for_platform(declared: Mapping[str, str], subdir: Subdir) -> dict[str, str]:
    """Return one platform's virtual packages as those of another: the CPU differs."""
    cpu = {"__archspec": _CPU[subdir]} if "__archspec" in declared else {}
    return {**declared, **cpu}


def solver_form(name: str, version: str) -> tuple[str, str, str]:
    """Return name, version and build; the build of ``__archspec`` is the CPU family."""
    return (name, "1", version) if name == "__archspec" else (name, version, "0")
