"""What is installed on the base: Debian packages, and which Python that leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.fetch.debian_index import fetch_indices
from freezer.flows.bases import ARCHITECTURES, base_apt_sources, base_facts
from freezer.flows.installed import Installed
from freezer.flows.placed import placed
from freezer.image.base import engine_base
from freezer.model.lock import BasePackage, DebianPackage
from freezer.resolve.bootstrap import bootstrap_sources
from freezer.resolve.debian import resolve_debian
from freezer.resolve.target import choose_python, python_packages, target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.apt_sources import AptSource
    from freezer.flows.asking import Asking
    from freezer.flows.sources import Workshop
    from freezer.model.lock import Base


def resolve_installed(workshop: Workshop, asking: Asking, base: Base) -> Installed:
    """Return the closure of the spec's Debian packages, Python among them where the base has none.

    Raises ``ResolveError`` when the base cannot offer what is asked for.
    """
    spec = asking.environment.spec
    facts = base_facts(workshop, base, spec.platform)
    python = choose_python(spec.python, facts)
    with placed(asking.environment, "python"):
        own = () if python is not None else python_packages(spec.python, facts)
    wanted = tuple(dict.fromkeys((*spec.system, *own)))
    with placed(asking.environment, "system" if spec.system else "python"):
        packages = _closure(workshop, asking, base, wanted) if wanted else ()
    return Installed(packages, target(facts, python or spec.python, packages))


def _closure(
    workshop: Workshop, asking: Asking, base: Base, wanted: Sequence[str]
) -> tuple[DebianPackage, ...]:
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
    return resolve_debian(
        wanted,
        image,
        indices,
        installed=_installed(base),
        keep={item.name: item.version for item in asking.old.debian} if asking.old else {},
        engine=workshop.engine(),
        store=workshop.store,
        report=workshop.report,
        reasons={
            name: "Freezer's own: the environment's Python"
            for name in wanted
            if name not in spec.system
        },
    )


def _sources(workshop: Workshop, base: Base, platform: str) -> Sequence[AptSource]:
    if base.kind == "bootstrap":
        return bootstrap_sources(base.suite, workshop.config)
    return base_apt_sources(workshop, base, platform)


def _installed(base: Base) -> tuple[BasePackage, ...]:
    return tuple(
        BasePackage(name=item.name, version=item.version, architecture=item.architecture)
        for item in base.packages
    )
