"""`system: auto`: the Debian packages of shared libraries that locked wheels need.

Which libraries these are is known only once the Python packages are resolved, and those are
resolved for the Python and the glibc that Debian's packages leave. So Debian is resolved first,
without such packages or with those of the old lock, and once more where the wheels need others. The
Python packages are not resolved again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freezer.errors import FetchError
from freezer.flows.lock.debian import (
    DebianResolver,
    automatic_packages,
    debian_indices,
    reason_of_library,
)
from freezer.resolve.components.shared_libraries import (
    debian_packages,
    is_installed,
    needed_libraries,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from freezer.fetch.python.settings import IndexOptions
    from freezer.flows.lock.interface import Below, DebianAnswer, LockRequest
    from freezer.flows.project.project import Project
    from freezer.model.lock import DebianPackage

    Libraries = Mapping[str, tuple[str, ...]]
    """The names of the wheels that need each library, by its soname."""


def with_libraries(
    project: Project, request: LockRequest, below: Below, options: IndexOptions
) -> DebianAnswer:
    """Return Debian's answer with the packages of the libraries that the wheels need.

    Wheels with native code are fetched: what decides is read from verified files only. Raises
    ``FetchError``, ``IntegrityError``, and what resolving Debian raises.
    """
    answer = below.debian
    if below.conda.packages:
        project.report.warn(
            "`system: auto` adds nothing to an environment with conda, whose packages bring "
            "libraries of their own"
        )
        return answer
    needed = _needed(project, below, options)
    old = automatic_packages(answer.packages)
    missing = _missing(needed, below, answer.packages, without=old)
    reasons, unknown = _reasons(missing, old.__contains__)
    if unknown or reasons.keys() != old.keys():
        table_has = _archives(project, request, below)
        reasons, unknown = _reasons(missing, table_has)
        if reasons.keys() != old.keys():
            if old:  # what these brought along may hide what is needed without them
                plain = DebianResolver().with_packages(
                    project, replace(request, release={}), below, {}
                )
                missing = _missing(needed, below, plain.packages)
                reasons, unknown = _reasons(missing, table_has)
            answer = DebianResolver().with_packages(project, request, below, reasons)
    for soname in unknown:
        project.report.warn(
            f"{', '.join(missing[soname])}: {soname} is needed, and `system: auto` finds no Debian "
            "package of it: add the package that has it to `system`"
        )
    return replace(answer, packages=tuple(_explained(answer.packages, reasons)))


def _needed(project: Project, below: Below, options: IndexOptions) -> Libraries:
    """Return what the wheels need of the system; those that may need anything are fetched."""
    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.download import fetch_all

    store = project.store
    native = [
        one
        for one in below.pip.packages
        if one.file.endswith(".whl") and not one.file.endswith("-none-any.whl")
    ]
    absent = [one for one in native if not store.has(one.sha256)]
    if built := [one.file for one in absent if one.source == "git"]:
        raise FetchError(
            f"`system: auto` has to read {', '.join(built)}, which was built from git and is not "
            "in the store",
            hint="run `freeze fetch`, which builds it again, and repeat the command",
        )
    if absent:
        sources = [PythonIndex.from_config(project.config, options)]
        fetch_all(absent, store=store, sources=sources, report=project.report)
    return needed_libraries(native, store)


def _missing(
    needed: Libraries,
    below: Below,
    packages: Iterable[DebianPackage],
    *,
    without: Iterable[str] = (),
) -> Libraries:
    """Return what neither the base nor Debian packages, but those ``without``, provide."""
    names = {item.name for item in (*below.base.packages, *packages)} - set(without)
    return {name: by for name, by in needed.items() if not is_installed(name, names)}


def _reasons(
    missing: Libraries, has: Callable[[str], bool]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the packages of libraries, each with its reason, and the libraries without one."""
    found: dict[str, list[str]] = {}
    unknown = []
    for soname in missing:
        name = next(filter(has, debian_packages(soname)), None)
        if name is None:
            unknown.append(soname)
        else:
            found.setdefault(name, []).append(soname)
    reasons = {
        name: reason_of_library(
            sonames, sorted({wheel for soname in sonames for wheel in missing[soname]})
        )
        for name, sonames in sorted(found.items())
    }
    return reasons, tuple(unknown)


def _archives(project: Project, request: LockRequest, below: Below) -> Callable[[str], bool]:
    """Return a function that says whether the archives have a package; they are read once."""
    from freezer.resolve.debian.packages import PackageTable

    table = PackageTable(debian_indices(project, request, below.base))
    return lambda name: table.newest(name) is not None


def _explained(
    packages: Iterable[DebianPackage], reasons: Mapping[str, str]
) -> Iterable[DebianPackage]:
    """Yield the packages; what was added for wheels with the wheels that need it now."""
    automatic = automatic_packages(packages := tuple(packages))
    for one in packages:
        new = reasons.get(one.name) if one.name in automatic else None
        yield one if new is None else one.model_copy(update={"reason": new})
