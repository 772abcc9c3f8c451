"""`blas:` in each ecosystem: how it selects an implementation, and errors where it cannot.

conda: builds of ``libblas`` (`freezer.resolve.accelerator.conda`). Debian: alternatives; every
package that needs a BLAS loads ``libblas.so.3``, a link to the installed implementation of the
highest priority. Python wheels offer no choice: those of NumPy and SciPy bundle OpenBLAS
(https://github.com/MacPython/openblas-libs), torch's x86-64 wheels contain MKL, and no installer
can exchange either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from freezer.errors import ResolveError, Where
from freezer.frameworks import described

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.model.lock import Component, CondaPackage, PipPackage
    from freezer.model.spec.spec import Blas

SPEC_FILE: Final = "freeze.yaml"


@dataclass(frozen=True)
class Alternative:
    """A Debian package that provides ``libblas.so.3``."""

    blas: str
    pattern: str
    """Pattern of its package name in Debian and Ubuntu, from bullseye on."""
    packages: tuple[str, ...]
    """Packages to install for it; empty for one that a spec cannot choose."""
    priority: int
    """Its priority in update-alternatives, as its maintainer script registers ``libblas.so.3``."""


ALTERNATIVES: Final = (
    Alternative(
        "openblas", r"libopenblas0-(pthread|openmp|serial)", ("libopenblas0-pthread",), 100
    ),
    Alternative(
        "blis", r"libblis\d+-(pthread|openmp|serial)", ("libblis4-pthread", "liblapack3"), 75
    ),
    Alternative("atlas", r"libatlas3-base", (), 35),
    Alternative("netlib", r"libblas3", ("libblas3", "liblapack3"), 10),
    Alternative("mkl", r"libmkl-rt", ("libmkl-rt",), 1),
)
"""Priorities as in bookworm; those of variants differ by a few, and the order is the same."""
_NAMES: Final = {"OpenBLAS": "openblas", "MKL": "mkl", "netlib": "netlib", "BLIS": "blis"}


@cache
def _bundled() -> Mapping[str, str]:
    """Return the wheels that bundle a BLAS, each with its name, such as ``openblas``."""
    return {
        name: item.bundled_blas
        for item in described()
        if item.bundled_blas
        for name in item.packages
    }


def debian_additions(blas: Blas, names: Iterable[str]) -> tuple[str, ...]:
    """Return the packages to add so that ``libblas.so.3`` is the chosen BLAS.

    ``names`` are all Debian packages of the image. Empty when none of them needs a BLAS, when it is
    that BLAS already, and when an implementation of higher priority is installed (`check_blas`
    raises for it).
    """
    chosen = chosen_alternative(names)
    wanted = next(item for item in ALTERNATIVES if item.blas == blas)
    if chosen is None or chosen.blas == blas or chosen.priority > wanted.priority:
        return ()
    return wanted.packages


def chosen_alternative(names: Iterable[str]) -> Alternative | None:
    """Return the installed alternative of the highest priority; None without any."""
    found = [item for name in names for item in ALTERNATIVES if re.fullmatch(item.pattern, name)]
    return max(found, key=lambda item: item.priority, default=None)


def check_blas(
    blas: Blas,
    *,
    debian: Sequence[str] = (),
    conda: Sequence[CondaPackage] = (),
    pip: Sequence[PipPackage] = (),
    components: Sequence[Component] = (),
) -> tuple[str, ...]:
    """Compare locked packages with ``blas:``; return warnings, a sentence each. Pure.

    ``debian`` are the names of all Debian packages of the image, the base's included. Raises
    ``ResolveError`` when packages would use another BLAS.
    """
    _require_alternative(blas, debian)
    _require_builds(blas, conda)
    _require_wheels(blas, pip)
    users = [
        *(f"conda's {item.name} {item.build}" for item in conda if item.name == "libblas"),
        *(f"pip's {item.name}" for item in pip if _bundled().get(item.name) == blas),
    ]
    if (alternative := chosen_alternative(debian)) and alternative.blas == blas:
        users.append("Debian's libblas.so.3")
    warnings = list(_others(blas, components))
    if not users:
        warnings.append(f"blas: {blas} is requested, but nothing in the environment uses a BLAS")
    return tuple(warnings)


def _require_alternative(blas: Blas, debian: Sequence[str]) -> None:
    chosen = chosen_alternative(debian)
    if chosen is None or chosen.blas == blas:
        return
    stronger = sorted(name for name in debian if re.fullmatch(chosen.pattern, name))
    wanted = next(item for item in ALTERNATIVES if item.blas == blas)
    installed = any(re.fullmatch(wanted.pattern, name) for name in debian)
    add = f"add {' and '.join(wanted.packages)} under `system:`"
    out = f"{' and '.join(stronger)}, which has the higher priority in Debian's alternatives"
    hint = f"remove {out}" if installed else add
    if not installed and chosen.priority > wanted.priority:
        hint = f"{add}, and remove {out}"
    raise ResolveError(
        f"Debian's libblas.so.3 would be that of {chosen.blas}",
        where=Where(SPEC_FILE, key="blas"),
        found=", ".join(stronger),
        expected=blas,
        hint=hint,
    )


def _require_builds(blas: Blas, conda: Sequence[CondaPackage]) -> None:
    """Raise ``ResolveError`` for conda builds of another BLAS.

    They come from a match spec that names a build, or from a lock that was taken over.
    """
    wrong = [item for item in conda if item.name == "libblas" and not item.build.endswith(blas)]
    if wrong:
        raise ResolveError(
            "the locked conda packages use another BLAS than the requested one",
            where=Where(SPEC_FILE, key="blas"),
            found=f"libblas {wrong[0].version} {wrong[0].build} ({wrong[0].reason})",
            expected=f"libblas=*=*{blas}",
            hint="change `blas:`, or the match spec or lock that names the build",
        )


def _require_wheels(blas: Blas, pip: Sequence[PipPackage]) -> None:
    """Raise ``ResolveError`` for wheels that bundle another BLAS.

    A package that is built from source links the image's.
    """
    wrong = [
        item
        for item in pip
        if item.file.endswith(".whl") and _bundled().get(item.name, blas) != blas
    ]
    if not wrong:
        return
    names = [item.name for item in wrong]
    raise ResolveError(
        f"these Python wheels are not available with {blas}",
        where=Where(SPEC_FILE, key="blas"),
        details=[
            f"{item.name} {item.version}: its wheel bundles {_bundled()[item.name]}"
            for item in wrong
        ],
        hint=f"install {' and '.join(names)} from conda (`conda:`), where blas: {blas} chooses the "
        f"build; or build from source (`allow-sdist: [{', '.join(names)}]`); or, for programs run "
        "by Debian's own /usr/bin/python3, from Debian "
        f"(`system: [{', '.join(f'python3-{name}' for name in names)}]`); or set `blas: openblas`",
    )


def _others(blas: Blas, components: Sequence[Component]) -> Iterator[str]:
    """Yield warnings of wheels that bundle another BLAS."""
    for item in components:
        theirs = _NAMES.get(item.name)
        own = item.provider.startswith("pip:")
        if item.role == "blas" and own and theirs not in (None, blas):
            yield (
                f"{item.provider} bundles {item.name} {item.version} and uses that, "
                f"regardless of `blas: {blas}`"
            )
