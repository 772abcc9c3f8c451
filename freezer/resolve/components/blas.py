"""`blas:` in each ecosystem: what can answer it, and what is to be said where nothing can.

conda answers by builds of ``libblas`` (`freezer.resolve.accelerator.conda`). Debian answers by
alternatives: every package that needs a BLAS loads ``libblas.so.3``, which is that of the installed
implementation with the highest priority. Python wheels cannot answer: those of NumPy and SciPy
bundle OpenBLAS (https://github.com/MacPython/openblas-libs), torch's x86-64 wheels hold MKL, and no
installer can exchange either.
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
    """A Debian package that offers ``libblas.so.3``."""

    blas: str
    pattern: str
    """What its package is called, in Debian and Ubuntu, from bullseye on."""
    ask: tuple[str, ...]
    """What to install for it; empty for one that a spec cannot choose."""
    priority: int
    """In update-alternatives, as its maintainer script registers ``libblas.so.3``."""


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
"""As in bookworm. Variants of one implementation differ by a few; none reaches the next one's."""
_NAMES: Final = {"OpenBLAS": "openblas", "MKL": "mkl", "netlib": "netlib", "BLIS": "blis"}


@cache
def _bundled() -> Mapping[str, str]:
    """Return the wheels that users' arithmetic runs through, and the BLAS that each bundles."""
    return {
        name: item.bundled_blas
        for item in described()
        if item.bundled_blas
        for name in item.packages
    }


def debian_additions(blas: Blas, names: Iterable[str]) -> tuple[str, ...]:
    """Return what to install besides some Debian packages so that ``libblas.so.3`` is a BLAS.

    ``names`` are all packages of the image. Empty where nothing there needs a BLAS, where it is
    that BLAS already, and where a stronger one stands in the way (`check_blas` says so).
    """
    chosen = chosen_alternative(names)
    wanted = next(item for item in ALTERNATIVES if item.blas == blas)
    if chosen is None or chosen.blas == blas or chosen.priority > wanted.priority:
        return ()
    return wanted.ask


def chosen_alternative(names: Iterable[str]) -> Alternative | None:
    """Return which of some installed Debian packages ``libblas.so.3`` is; None without any."""
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
    """Compare a lock with the BLAS that is asked for; return warnings, a sentence each. Pure.

    ``debian`` are the names of all Debian packages of the image, the base's included. Raises
    ``ResolveError`` where the arithmetic would run through another BLAS.
    """
    _require_alternative(blas, debian)
    _require_builds(blas, conda)
    _require_wheels(blas, pip)
    answered = [
        *(f"conda's {item.name} {item.build}" for item in conda if item.name == "libblas"),
        *(f"pip's {item.name}" for item in pip if _bundled().get(item.name) == blas),
    ]
    if (alternative := chosen_alternative(debian)) and alternative.blas == blas:
        answered.append("Debian's libblas.so.3")
    warnings = list(_others(blas, components))
    if not answered:
        warnings.append(f"blas: {blas} is asked for, and nothing in the environment needs a BLAS")
    return tuple(warnings)


def _require_alternative(blas: Blas, debian: Sequence[str]) -> None:
    chosen = chosen_alternative(debian)
    if chosen is None or chosen.blas == blas:
        return
    stronger = sorted(name for name in debian if re.fullmatch(chosen.pattern, name))
    wanted = next(item for item in ALTERNATIVES if item.blas == blas)
    there = any(re.fullmatch(wanted.pattern, name) for name in debian)
    add = f"add {' and '.join(wanted.ask)} under `system:`"
    out = f"{' and '.join(stronger)}, which has the higher priority in Debian's alternatives"
    hint = f"leave out {out}" if there else add
    if not there and chosen.priority > wanted.priority:
        hint = f"{add}, in the place of {out}"
    raise ResolveError(
        f"Debian's libblas.so.3 would be that of {chosen.blas}",
        where=Where(SPEC_FILE, key="blas"),
        found=", ".join(stronger),
        expected=blas,
        hint=hint,
    )


def _require_builds(blas: Blas, conda: Sequence[CondaPackage]) -> None:
    """Refuse builds of another BLAS: a user named one, or an existing lock was taken over."""
    wrong = [item for item in conda if item.name == "libblas" and not item.build.endswith(blas)]
    if wrong:
        raise ResolveError(
            "another BLAS is locked among the conda packages than the one that is asked for",
            where=Where(SPEC_FILE, key="blas"),
            found=f"libblas {wrong[0].version} {wrong[0].build} ({wrong[0].reason})",
            expected=f"libblas=*=*{blas}",
            hint="change `blas:`, or the match spec or lock that names the build",
        )


def _require_wheels(blas: Blas, pip: Sequence[PipPackage]) -> None:
    """Refuse wheels that bundle another BLAS; one that is built from source takes the image's."""
    wrong = [
        item
        for item in pip
        if item.file.endswith(".whl") and _bundled().get(item.name, blas) != blas
    ]
    if not wrong:
        return
    names = [item.name for item in wrong]
    raise ResolveError(
        f"Python wheels cannot be had with {blas}",
        where=Where(SPEC_FILE, key="blas"),
        details=[
            f"{item.name} {item.version}: its wheel bundles {_bundled()[item.name]}"
            for item in wrong
        ],
        hint=f"take {' and '.join(names)} from conda (`conda:`), where blas: {blas} chooses the "
        f"build; or build from source (`allow-sdist: [{', '.join(names)}]`); or, for programs that "
        "Debian's own /usr/bin/python3 runs, from Debian "
        f"(`system: [{', '.join(f'python3-{name}' for name in names)}]`); or set `blas: openblas`",
    )


def _others(blas: Blas, components: Sequence[Component]) -> Iterator[str]:
    """Yield what else in the environment computes with a BLAS of its own."""
    for item in components:
        theirs = _NAMES.get(item.name)
        own = item.provider.startswith("pip:")
        if item.role == "blas" and own and theirs not in (None, blas):
            yield (
                f"{item.provider} bundles {item.name} {item.version} and computes with that, "
                f"whatever `blas: {blas}` says"
            )
