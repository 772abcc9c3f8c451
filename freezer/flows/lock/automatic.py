"""`system: auto`: Debian packages of shared libraries that locked wheels need.

These libraries are known only once the Python packages are resolved, and those are resolved for the
Python and glibc of the Debian packages. So Debian is resolved first, without such packages or with
those of the old lock, and again if the wheels need others. The Python packages are not resolved
again.
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
    """Soname to the names of the wheels that need the library."""


def with_libraries(
    project: Project, request: LockRequest, below: Below, options: IndexOptions
) -> DebianAnswer:
    """Return the Debian result with packages of the libraries that the wheels need.

    Wheels with native code are fetched, as only verified files are inspected. Raises
    ``FetchError``, ``IntegrityError``, and the errors of resolving Debian.
    """
    result = below.debian
    if below.conda.packages:
        project.report.warn(
            "`system: auto` adds nothing to an environment with conda, whose packages contain "
            "libraries of their own"
        )
        return result
    needed = _needed(project, below, options)
    old = automatic_packages(result.packages)
    missing = _missing(needed, below, result.packages, without=old)
    reasons, without_package = _reasons(missing, old.__contains__)
    if without_package or reasons.keys() != old.keys():
        table_has = _archives(project, request, below)
        reasons, without_package = _reasons(missing, table_has)
        if reasons.keys() != old.keys():
            if old:  # their dependencies may hide what is needed without them
                plain = DebianResolver().with_packages(
                    project, replace(request, release={}), below, {}
                )
                missing = _missing(needed, below, plain.packages)
                reasons, without_package = _reasons(missing, table_has)
            result = DebianResolver().with_packages(project, request, below, reasons)
    for soname in without_package:
        project.report.warn(
            f"{', '.join(missing[soname])}: {soname} is needed, and `system: auto` finds no Debian "
            "package of it: add the package that has it to `system`"
        )
    return replace(result, packages=tuple(_explained(result.packages, reasons)))


def _needed(project: Project, below: Below, options: IndexOptions) -> Libraries:
    """Return the system libraries that the wheels need; wheels with native code are fetched."""
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
    """Return libraries that neither the base nor Debian packages, except ``without``, provide."""
    names = {item.name for item in (*below.base.packages, *packages)} - set(without)
    return {name: by for name, by in needed.items() if not is_installed(name, names)}


def _reasons(
    missing: Libraries, has: Callable[[str], bool]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the packages of libraries with reasons, and the libraries without a package."""
    found: dict[str, list[str]] = {}
    without_package = []
    for soname in missing:
        name = next(filter(has, debian_packages(soname)), None)
        if name is None:
            without_package.append(soname)
        else:
            found.setdefault(name, []).append(soname)
    reasons = {
        name: reason_of_library(
            sonames, sorted({wheel for soname in sonames for wheel in missing[soname]})
        )
        for name, sonames in sorted(found.items())
    }
    return reasons, tuple(without_package)


def _archives(project: Project, request: LockRequest, below: Below) -> Callable[[str], bool]:
    """Return a function whether the archives have a package; indices are read once."""
    from freezer.resolve.debian.packages import PackageTable

    table = PackageTable(debian_indices(project, request, below.base))
    return lambda name: table.newest(name) is not None


def _explained(
    packages: Iterable[DebianPackage], reasons: Mapping[str, str]
) -> Iterable[DebianPackage]:
    """Yield the packages; the reason of automatic ones lists the wheels that need them now."""
    automatic = automatic_packages(packages := tuple(packages))
    for one in packages:
        new = reasons.get(one.name) if one.name in automatic else None
        yield one if new is None else one.model_copy(update={"reason": new})
