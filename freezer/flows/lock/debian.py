"""Resolver of Debian packages on the base, and the resulting Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from freezer.errors import ResolveError
from freezer.flows.lock.base import ARCHITECTURES, base_apt_sources, base_facts
from freezer.flows.lock.interface import DebianAnswer, SpecLine
from freezer.flows.project.environment import place
from freezer.flows.project.spec_errors import errors_at
from freezer.model.events import PartOf
from freezer.model.lock import BasePackage, DebianPackage
from freezer.model.reason import split_reason
from freezer.model.spec.spec import AUTO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.fetch.debian.packages_index import Index
    from freezer.flows.lock.interface import Below, LockRequest
    from freezer.flows.project.project import Project
    from freezer.model.lock import Base, Lock
    from freezer.resolve.minimal import Release

    Apt = Callable[[Sequence[str], Mapping[str, str]], tuple[DebianPackage, ...]]

_PROVIDES: Final = "provides "
"""Prefix of the reason of automatic packages; part of a lock's bytes."""


class DebianResolver:
    """See `freezer.flows.lock.interface.EcosystemResolver`."""

    name: ClassVar[str] = "debian"
    stale: ClassVar[str] = (
        "the spec requests other Debian packages, another Python, or another base"
    )

    def question(self, request: LockRequest, below: Below) -> list[Any]:
        """Return the base's digest, the spec's packages, and those that Freezer adds."""
        spec, base = request.environment.spec, below.base
        content = (
            base.config
            if base.kind == "registry"
            else sorted(package.sha256 for package in base.packages)
        )
        # With conda, Python is conda's own.
        python = None if spec.conda else spec.python
        blas = [] if spec.blas is None else [spec.blas]
        return [content, sorted(set(spec.system)), python, *blas]

    def locked(self, lock: Lock) -> DebianAnswer:
        """Return the result in a lock."""
        return DebianAnswer.locked(lock.debian, lock.target)

    def resolve(self, project: Project, request: LockRequest, below: Below) -> DebianAnswer:
        """Return the spec's packages with dependencies, and Python if the base has none.

        With conda's Python, none is installed here. Packages of `system: auto` in the old lock are
        kept: whether they are still needed is known once the wheels are. Raises ``ResolveError``
        when the base cannot satisfy the requirements.
        """
        return self.with_packages(project, request, below, None)

    def with_packages(
        self,
        project: Project,
        request: LockRequest,
        below: Below,
        automatic: Mapping[str, str] | None,
    ) -> DebianAnswer:
        """As `resolve`, with these packages (name to reason) for `system: auto`.

        None: those of the old lock.
        """
        from freezer.resolve.base.target import (
            choose_python,
            debian_python,
            glibc_of,
            python_packages,
        )

        environment, base = request.environment, below.base
        spec = environment.spec
        facts = base_facts(project, base, spec.platform)
        python = None if spec.conda else choose_python(spec.python, facts)
        with errors_at(environment, "python"):
            own = () if python or spec.conda else python_packages(spec.python, facts)
        reasons = dict.fromkeys(own, "Freezer's own: the environment's Python")
        reasons |= _of_old_lock(request, facts.distribution) if automatic is None else automatic
        with errors_at(environment, "system" if spec.system else "python"):
            closure = _with_blas(project, request, base, reasons)
        if python is None and not spec.conda:
            python = debian_python(spec.python, closure.packages)
        return DebianAnswer(
            packages=closure.packages,
            architecture=facts.architecture,
            glibc=glibc_of(facts, closure.packages),
            distribution=facts.distribution,
            python=python,
            causes=closure.causes,
            alone=closure.alone,
        )

    def spec_lines(self, request: LockRequest, lock: Lock, name: str) -> Iterator[SpecLine]:
        """Yield the entry of ``system``."""
        system = request.environment.spec.system
        entry = AUTO if AUTO in system and name in automatic_packages(lock.debian) else name
        if entry in system:
            yield SpecLine(place(request.environment, "system", system.index(entry)), entry)

    def limits(
        self, project: Project, request: LockRequest, lock: Lock, names: Iterable[str]
    ) -> Iterator[tuple[str, str, str | None, str]]:
        """Yield the cut-off: apt selects the newest that fits."""
        del project, request
        requested = set(names)
        for item in lock.debian:
            if item.name in requested:
                yield item.name, item.version, None, newest_as_of(lock)


def reason_of_library(sonames: Sequence[str], wheels: Sequence[str]) -> str:
    """Return the reason of an automatic package: its libraries, and their dependents."""
    verb = "needs" if len(wheels) == 1 else "need"
    return f"{_PROVIDES}{', '.join(sonames)}, which {', '.join(wheels)} {verb}"


def automatic_packages(packages: Iterable[DebianPackage]) -> dict[str, str]:
    """Return the automatic packages among these, each with its reason."""
    return {
        item.name: split_reason(item.reason)[0]
        for item in packages
        if item.requested and item.reason.startswith(_PROVIDES)
    }


def _of_old_lock(request: LockRequest, distribution: str) -> Mapping[str, str]:
    """Return the automatic packages of the old lock, if the distribution is the same.

    Other releases have other package names.
    """
    old = request.old
    if old is None or AUTO not in request.environment.spec.system:
        return {}
    if old.target.distribution != distribution:
        return {}
    entry = {re.split("[:=]", text)[0] for text in request.environment.spec.system}
    return {k: v for k, v in automatic_packages(old.debian).items() if k not in entry}


def newest_as_of(lock: Lock) -> str:
    """Return why a package is not newer, when the newest that fits was selected."""
    return f"it is the newest that fits as of {lock.as_of}"


@dataclass(frozen=True)
class _Closure:
    """Packages with their dependencies; for an update also the fields of `Answer`."""

    packages: tuple[DebianPackage, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)
    alone: Mapping[str, str] = field(default_factory=dict)


def _with_blas(
    project: Project, request: LockRequest, base: Base, reasons: Mapping[str, str]
) -> _Closure:
    """Return the closure, with the packages that ``blas:`` adds once it is known."""
    from freezer.resolve.components.blas import debian_additions

    spec = request.environment.spec
    requested = tuple(name for name in dict.fromkeys((*spec.system, *reasons)) if name != AUTO)
    found = _closure(project, request, base, requested, reasons) if requested else _Closure()
    if spec.blas is None:
        return found
    names = [item.name for item in (*base.packages, *found.packages)]
    more = [name for name in debian_additions(spec.blas, names) if name not in requested]
    if not more:
        return found
    with errors_at(request.environment, "blas"):
        why = dict.fromkeys(more, f"`blas: {spec.blas}` in the spec")
        return _closure(project, request, base, (*requested, *more), {**reasons, **why})


def _closure(
    project: Project,
    request: LockRequest,
    base: Base,
    requested: Sequence[str],
    reasons: Mapping[str, str],
) -> _Closure:
    """Run apt; for an update as often as the smallest change requires."""
    from freezer.resolve.minimal import minimal_update

    old = {item.name: item.version for item in request.old.debian} if request.old else {}
    release = request.released("debian")
    if release is None:
        return _Closure(_apt(project, request, base, reasons)(requested, old))
    with project.report.task("Searching for the smallest change of Debian packages"):
        quiet = replace(project, report=PartOf(project.report))
        update = _Update(_apt(quiet, request, base, reasons), requested, old, release)
        found = minimal_update(release, old, {}, update.solve, _versions)
    return _Closure(found.answer, dict(found.refusals), found.alone)


@dataclass(frozen=True)
class _Update:
    """Runs apt for an update with preferred versions, and checks its selection.

    apt supports only preferences, and exact versions of packages to be installed by name. It
    follows all preferences of a run or none, and does not report which: hence the check afterwards.
    """

    apt: Apt
    requested: Sequence[str]
    old: Mapping[str, str]
    release: Release

    def solve(
        self,
        *,
        held: frozenset[str],
        pins: Mapping[str, str],
        floors: Mapping[str, str],
        above: tuple[str, str] | None = None,
    ) -> tuple[DebianPackage, ...]:
        """Return a solution. See `freezer.resolve.minimal.Solve`."""
        del floors  # apt selects the newest version or the preferred one, never anything in between
        goals = {**{name: self.old[name] for name in sorted(held)}, **pins}
        if above:
            # Preferences may hold a package back. Without any, apt selects the newest of all
            # packages: one run for all of them.
            found = self.apt(_exact(self.requested, self.release.pins), {})
        else:
            # Exact versions are possible only for packages of the spec; others can be preferred.
            prefer = held or self.old.keys() - self.release.names
            kept = {name: self.old[name] for name in sorted(prefer)}
            found = self.apt(_exact(self.requested, pins), {**kept, **goals})
        self._require(found, goals, above)
        return found

    def _require(
        self,
        found: Sequence[DebianPackage],
        goals: Mapping[str, str],
        above: tuple[str, str] | None,
    ) -> None:
        """Raise ``ResolveError`` when apt did not follow the preferences."""
        versions = _versions(found)
        unmet = [name for name in goals if versions.get(name, goals[name]) != goals[name]]
        if above and not _exceeds(versions.get(above[0]), above[1]):
            unmet = [above[0]]
        if unmet:
            chosen = ", ".join(f"{name} {versions.get(name, '(none)')}" for name in unmet)
            raise ResolveError(
                f"apt selects {chosen} only",
                expected=", ".join(f"{name} {goals[name]}" for name in unmet if name in goals)
                or "a newer version",
                hint="Debian's archive has one version of most packages; with `debian-snapshot` in "
                "the configuration earlier ones are available",
            )


def _versions(packages: Iterable[DebianPackage]) -> dict[str, str]:
    return {item.name: item.version for item in packages}


def _exact(requested: Sequence[str], pins: Mapping[str, str]) -> list[str]:
    return [f"{name}={pins[name]}" if name in pins else name for name in requested]


def _exceeds(version: str | None, other: str) -> bool:
    from debian.debian_support import Version

    return version is not None and Version(version) > Version(other)


def _apt(project: Project, request: LockRequest, base: Base, reasons: Mapping[str, str]) -> Apt:
    """Return a function that resolves packages with preferred versions; indices are read once."""
    from freezer.image.base import engine_base
    from freezer.resolve.debian.resolve import resolve_debian

    spec = request.environment.spec
    indices = debian_indices(project, request, base)
    image = engine_base(
        base,
        spec.platform,
        engine=project.engine(),
        store=project.store,
        report=project.report,
    )

    def resolve(requested: Sequence[str], keep: Mapping[str, str]) -> tuple[DebianPackage, ...]:
        return resolve_debian(
            requested,
            image,
            indices,
            installed=_installed(base),
            keep=keep,
            engine=project.engine(),
            store=project.store,
            report=project.report,
            reasons={name: text for name, text in reasons.items() if name not in spec.system},
        )

    return resolve


def debian_indices(project: Project, request: LockRequest, base: Base) -> Sequence[Index]:
    """Return the verified indices of the archives for a base. Raises ``FetchError``."""
    from freezer.fetch.debian.packages_index import fetch_indices

    platform = request.environment.spec.platform
    return fetch_indices(
        _sources(project, base, platform),
        ARCHITECTURES[platform],
        project.config,
        as_of=request.as_of,
        store=project.store,
        report=project.report,
    )


def _sources(project: Project, base: Base, platform: str) -> Sequence[AptSource]:
    from freezer.resolve.debian.bootstrap import bootstrap_sources

    if base.kind == "bootstrap":
        return bootstrap_sources(base.suite, project.config)
    return base_apt_sources(project, base, platform)


def _installed(base: Base) -> tuple[BasePackage, ...]:
    return tuple(
        BasePackage(name=item.name, version=item.version, architecture=item.architecture)
        for item in base.packages
    )
