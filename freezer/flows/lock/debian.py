"""What is installed on the base: Debian packages, and which Python that leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from debian.debian_support import Version

from freezer.errors import ResolveError
from freezer.fetch.debian.packages_index import fetch_indices
from freezer.flows.lock.answers import Installed
from freezer.flows.lock.base import ARCHITECTURES, base_apt_sources, base_facts
from freezer.flows.project.spec_errors import errors_at
from freezer.image.base import engine_base
from freezer.model.events import PartOf
from freezer.model.lock import BasePackage, DebianPackage
from freezer.resolve.base.target import choose_python, debian_python, glibc_of, python_packages
from freezer.resolve.components.blas import debian_additions
from freezer.resolve.debian.bootstrap import bootstrap_sources
from freezer.resolve.debian.resolve import resolve_debian
from freezer.resolve.minimal import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.flows.lock.request import LockRequest
    from freezer.flows.project.project import Project
    from freezer.model.lock import Base


def resolve_installed(project: Project, lock_request: LockRequest, base: Base) -> Installed:
    """Return the closure of the spec's Debian packages, Python among them where the base has none.

    Where conda brings the Python, none is asked of Debian. Raises ``ResolveError`` when the base
    cannot offer what is asked for.
    """
    spec = lock_request.environment.spec
    facts = base_facts(project, base, spec.platform)
    python = None if spec.conda else choose_python(spec.python, facts)
    with errors_at(lock_request.environment, "python"):
        own = () if python or spec.conda else python_packages(spec.python, facts)
    reasons = dict.fromkeys(own, "Freezer's own: the environment's Python")
    with errors_at(lock_request.environment, "system" if spec.system else "python"):
        packages = _packages(project, lock_request, base, reasons)
    if python is None and not spec.conda:
        python = debian_python(spec.python, packages)
    return Installed(
        packages, facts.architecture, glibc_of(facts, packages), facts.distribution, python
    )


def _packages(
    project: Project, lock_request: LockRequest, base: Base, reasons: dict[str, str]
) -> tuple[DebianPackage, ...]:
    """Return the closure, with what ``blas:`` adds to it: known only once the closure is."""
    spec = lock_request.environment.spec
    wanted = tuple(dict.fromkeys((*spec.system, *reasons)))
    packages = _closure(project, lock_request, base, wanted, reasons) if wanted else ()
    if spec.blas is None:
        return packages
    names = [item.name for item in (*base.packages, *packages)]
    more = [name for name in debian_additions(spec.blas, names) if name not in wanted]
    if not more:
        return packages
    with errors_at(lock_request.environment, "blas"):
        why = dict.fromkeys(more, f"`blas: {spec.blas}` in the spec")
        return _closure(project, lock_request, base, (*wanted, *more), {**reasons, **why})


def _closure(
    project: Project,
    lock_request: LockRequest,
    base: Base,
    wanted: Sequence[str],
    reasons: dict[str, str],
) -> tuple[DebianPackage, ...]:
    """Ask apt; for an update as often as it takes to move no more than need be."""
    old = {item.name: item.version for item in lock_request.old.debian} if lock_request.old else {}
    release = lock_request.released("debian")
    if release is None:
        return _asker(project, lock_request, base, reasons)(wanted, old)

    def solve(
        *,
        held: frozenset[str],
        pins: Mapping[str, str],
        floors: Mapping[str, str],
        above: tuple[str, str] | None = None,
    ) -> tuple[DebianPackage, ...]:
        del floors  # apt takes the newest that there is, or what is preferred, and nothing older
        goals = {**{name: old[name] for name in sorted(held)}, **pins}
        if above:
            # What is preferred may hold a package down. Without, apt takes the newest of all: one
            # question, whichever package it is asked for.
            found = ask(_exact(wanted, release.pins), {})
        else:
            # Only what the spec asks for may be asked for: all else is preferred, and looked at
            # after.
            prefer = held or old.keys() - release.names
            kept = {name: old[name] for name in sorted(prefer)}
            found = ask(_exact(wanted, pins), {**kept, **goals})
        versions = {item.name: item.version for item in found}
        # apt takes all that is to be kept, or none of it; and says nothing of which.
        moved = [name for name in goals if versions.get(name, goals[name]) != goals[name]]
        if above and not _exceeds(versions.get(above[0]), above[1]):
            moved = [above[0]]
        if moved:
            said = ", ".join(f"{name} {versions.get(name, '(none)')}" for name in moved)
            raise ResolveError(
                f"apt answers with {said} only",
                expected=", ".join(f"{name} {goals[name]}" for name in moved if name in goals)
                or "something newer",
                hint="Debian's archive holds one version of most packages; with `debian-snapshot` "
                "in the configuration there are earlier ones",
            )
        return found

    with project.report.task("Looking for the fewest Debian packages to move"):
        quiet = replace(project, report=PartOf(project.report))
        ask = _asker(quiet, lock_request, base, reasons)
        settled = settle(
            release, old, {}, solve, lambda found: {item.name: item.version for item in found}
        )
    lock_request.causes["debian"] = dict(settled.refusals)
    lock_request.alone.update(settled.alone)
    return settled.answer


def _exact(wanted: Sequence[str], pins: Mapping[str, str]) -> list[str]:
    return [f"{name}={pins[name]}" if name in pins else name for name in wanted]


def _exceeds(version: str | None, other: str) -> bool:
    return version is not None and Version(version) > Version(other)


def _asker(
    project: Project, lock_request: LockRequest, base: Base, reasons: dict[str, str]
) -> Callable[[Sequence[str], Mapping[str, str]], tuple[DebianPackage, ...]]:
    """Return what asks apt for packages, preferring some versions; indices are read once."""
    spec = lock_request.environment.spec
    indices = fetch_indices(
        _sources(project, base, spec.platform),
        ARCHITECTURES[spec.platform],
        project.config,
        as_of=lock_request.as_of,
        store=project.store,
        report=project.report,
    )
    image = engine_base(
        base,
        spec.platform,
        engine=project.engine(),
        store=project.store,
        report=project.report,
    )

    def ask(wanted: Sequence[str], keep: Mapping[str, str]) -> tuple[DebianPackage, ...]:
        return resolve_debian(
            wanted,
            image,
            indices,
            installed=_installed(base),
            keep=keep,
            engine=project.engine(),
            store=project.store,
            report=project.report,
            reasons={name: text for name, text in reasons.items() if name not in spec.system},
        )

    return ask


def _sources(project: Project, base: Base, platform: str) -> Sequence[AptSource]:
    if base.kind == "bootstrap":
        return bootstrap_sources(base.suite, project.config)
    return base_apt_sources(project, base, platform)


def _installed(base: Base) -> tuple[BasePackage, ...]:
    return tuple(
        BasePackage(name=item.name, version=item.version, architecture=item.architecture)
        for item in base.packages
    )
