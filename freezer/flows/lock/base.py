"""The base of an environment: an image of a registry, or one made from Debian packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.fetch.debian.apt_sources import AptSource, parse_sources
from freezer.fetch.registry.inspect import Registry
from freezer.fetch.store.download import fetch_all
from freezer.flows.lock.sources import artifact_sources
from freezer.flows.project.spec_errors import placed
from freezer.image.base import engine_base
from freezer.image.debian.bootstrap import make_base
from freezer.image.oci.config import image_id
from freezer.model.lock import BootstrapBase, RegistryBase
from freezer.resolve.base.probe import BaseFacts, probe
from freezer.resolve.debian.bootstrap import resolve_bootstrap

if TYPE_CHECKING:
    from freezer.flows.lock.request import Asking
    from freezer.flows.project.workshop import Workshop
    from freezer.model.lock import Base

ARCHITECTURES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
"""Platforms, and what their machines call themselves."""
_WITHOUT_A_REGISTRY = (
    "where no registry can be reached, `base: {bootstrap: bookworm}` makes one from packages"
)


def resolve_base(workshop: Workshop, asking: Asking) -> Base:
    """Return the base that the spec asks for.

    Raises ``ResolveError``, ``FetchError``, ``EngineError`` and ``BuildError``.
    """
    spec = asking.environment.spec
    if isinstance(spec.base, str):
        with placed(asking.environment, "base", also=_WITHOUT_A_REGISTRY):
            return _from_registry(workshop, spec.base, spec.platform)
    with placed(asking.environment, "base"):
        return _from_packages(workshop, asking, spec.base.bootstrap)


def base_facts(workshop: Workshop, base: Base, platform: str) -> BaseFacts:
    """Return what a base is and holds; it is made, or pulled, where the engine lacks it."""
    reference = engine_base(
        base, platform, engine=workshop.engine(), store=workshop.store, report=workshop.report
    )
    return probe(workshop.engine(), reference, store=workshop.store, report=workshop.report)


def base_apt_sources(workshop: Workshop, base: Base, platform: str) -> tuple[AptSource, ...]:
    """Return the apt sources that a registry's base itself holds; the base is pulled for it."""
    facts = base_facts(workshop, base, platform)
    parsed = (parse_sources(text, name) for name, text in facts.apt_sources)
    return tuple(source for sources in parsed for source in sources)


def _from_registry(workshop: Workshop, reference: str, platform: str) -> RegistryBase:
    with workshop.report.task(f"Asking the registry for {reference}"):
        found = Registry(workshop.config).resolve(reference, platform)
    base = RegistryBase(
        reference=reference,
        manifest=found.manifest,
        config=found.config,
        diff_ids=found.diff_ids,
        environment=dict(found.environment),
    )
    facts = base_facts(workshop, base, platform)
    return base.model_copy(update={"packages": facts.packages})


def _from_packages(workshop: Workshop, asking: Asking, suite: str) -> BootstrapBase:
    environment = asking.environment
    architecture = ARCHITECTURES[environment.spec.platform]
    packages = resolve_bootstrap(
        suite,
        architecture,
        config=workshop.config,
        as_of=asking.as_of,
        store=workshop.store,
        report=workshop.report,
    )
    fetch_all(
        packages,
        store=workshop.store,
        sources=artifact_sources(workshop, environment.name, asking.as_of),
        report=workshop.report,
    )
    config, layer = make_base(
        suite,
        packages,
        architecture,
        engine=workshop.engine(),
        store=workshop.store,
        report=workshop.report,
    )
    return BootstrapBase(
        suite=suite, config=image_id(config), diff_ids=(layer.diff_id,), packages=packages
    )
