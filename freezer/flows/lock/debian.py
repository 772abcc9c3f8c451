"""What is installed on the base: Debian packages, and which Python that leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from debian.debian_support import Version

from freezer.errors import ResolveError
from freezer.fetch.debian.packages_index import fetch_indices
from freezer.flows.lock.answers import Installed
from freezer.flows.lock.base import ARCHITECTURES, base_apt_sources, base_facts
from freezer.flows.project.spec_errors import placed
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
    from freezer.flows.lock.request import Asking
    from freezer.flows.project.workshop import Workshop
    from freezer.model.lock import Base


def resolve_installed(workshop: Workshop, asking: Asking, base: Base) -> Installed:
    """Return the closure of the spec's Debian packages, Python among them where the base has none.

    Where conda brings the Python, none is asked of Debian. Raises ``ResolveError`` when the base
    cannot offer what is asked for.
    """
    spec = asking.environment.spec
    facts = base_facts(workshop, base, spec.platform)
    python = None if spec.conda else choose_python(spec.python, facts)
    with placed(asking.environment, "python"):
        own = () if python or spec.conda else python_packages(spec.python, facts)
    reasons = dict.fromkeys(own, "Freezer's own: the environment's Python")
    with placed(asking.environment, "system" if spec.system else "python"):
        packages = _packages(workshop, asking, base, reasons)
    if python is None and not spec.conda:
        python = debian_python(spec.python, packages)
    return Installed(
        packages, facts.architecture, glibc_of(facts, packages), facts.distribution, python
    )


def _packages(
    workshop: Workshop, asking: Asking, base: Base, reasons: dict[str, str]
) -> tuple[DebianPackage, ...]:
    """Return the closure, with what ``blas:`` adds to it: known only once the closure is."""
    spec = asking.environment.spec
    wanted = tuple(dict.fromkeys((*spec.system, *reasons)))
    packages = _closure(workshop, asking, base, wanted, reasons) if wanted else ()
    if spec.blas is None:
        return packages
    names = [item.name for item in (*base.packages, *packages)]
    more = [name for name in debian_additions(spec.blas, names) if name not in wanted]
    if not more:
        return packages
    with placed(asking.environment, "blas"):
        why = dict.fromkeys(more, f"`blas: {spec.blas}` in the spec")
        return _closure(workshop, asking, base, (*wanted, *more), {**reasons, **why})


def _closure(
    workshop: Workshop,
    asking: Asking,
    base: Base,
    wanted: Sequence[str],
    reasons: dict[str, str],
) -> tuple[DebianPackage, ...]:
    """Ask apt; for an update as often as it takes to move no more than need be."""
    old = {item.name: item.version for item in asking.old.debian} if asking.old else {}
    release = asking.released("debian")
    if release is None:
        return _asker(workshop, asking, base, reasons)(wanted, old)

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

    with workshop.report.task("Looking for the fewest Debian packages to move"):
        quiet = replace(workshop, report=PartOf(workshop.report))
        ask = _asker(quiet, asking, base, reasons)
        settled = settle(
            release, old, {}, solve, lambda found: {item.name: item.version for item in found}
        )
    asking.causes["debian"] = dict(settled.refusals)
    asking.alone.update(settled.alone)
    return settled.answer


def _exact(wanted: Sequence[str], pins: Mapping[str, str]) -> list[str]:
    return [f"{name}={pins[name]}" if name in pins else name for name in wanted]


def _exceeds(version: str | None, other: str) -> bool:
    return version is not None and Version(version) > Version(other)


def _asker(
    workshop: Workshop, asking: Asking, base: Base, reasons: dict[str, str]
) -> Callable[[Sequence[str], Mapping[str, str]], tuple[DebianPackage, ...]]:
    """Return what asks apt for packages, preferring some versions; indices are read once."""
    spec = asking.environment.spec
    indices = fetch_indices(
        _sources(workshop, base, spec.platform),
        ARCHITECTURES[spec.platform],
        workshop.config,
        as_of=asking.as_of,
        store=workshop.store,
        report=workshop.report,
    )
    image = engine_base(
        base,
        spec.platform,
        engine=workshop.engine(),
        store=workshop.store,
        report=workshop.report,
    )

    def ask(wanted: Sequence[str], keep: Mapping[str, str]) -> tuple[DebianPackage, ...]:
        return resolve_debian(
            wanted,
            image,
            indices,
            installed=_installed(base),
            keep=keep,
            engine=workshop.engine(),
            store=workshop.store,
            report=workshop.report,
            reasons={name: text for name, text in reasons.items() if name not in spec.system},
        )

    return ask


def _sources(workshop: Workshop, base: Base, platform: str) -> Sequence[AptSource]:
    if base.kind == "bootstrap":
        return bootstrap_sources(base.suite, workshop.config)
    return base_apt_sources(workshop, base, platform)


def _installed(base: Base) -> tuple[BasePackage, ...]:
    return tuple(
        BasePackage(name=item.name, version=item.version, architecture=item.architecture)
        for item in base.packages
    )
