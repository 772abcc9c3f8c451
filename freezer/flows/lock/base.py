"""The base of an environment: an image of a registry, or one made from Debian packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.fetch.debian.apt_sources import AptSource, parse_sources
from freezer.fetch.registry.inspect import Registry
from freezer.fetch.store.download import fetch_all
from freezer.flows.lock.sources import artifact_sources
from freezer.flows.project.spec_errors import errors_at
from freezer.image.base import engine_base
from freezer.image.debian.bootstrap import make_base
from freezer.image.oci.config import image_id
from freezer.model.lock import BootstrapBase, RegistryBase
from freezer.resolve.base.probe import BaseFacts, probe
from freezer.resolve.debian.bootstrap import resolve_bootstrap

if TYPE_CHECKING:
    from freezer.flows.lock.request import LockRequest
    from freezer.flows.project.project import Project
    from freezer.model.lock import Base

ARCHITECTURES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
"""Platforms, and what their machines call themselves."""
_WITHOUT_A_REGISTRY = (
    "where no registry can be reached, `base: {bootstrap: bookworm}` makes one from packages"
)


def resolve_base(project: Project, lock_request: LockRequest) -> Base:
    """Return the base that the spec asks for.

    Raises ``ResolveError``, ``FetchError``, ``EngineError`` and ``BuildError``.
    """
    spec = lock_request.environment.spec
    if isinstance(spec.base, str):
        with errors_at(lock_request.environment, "base", also=_WITHOUT_A_REGISTRY):
            return _from_registry(project, spec.base, spec.platform)
    with errors_at(lock_request.environment, "base"):
        return _from_packages(project, lock_request, spec.base.bootstrap)


def base_facts(project: Project, base: Base, platform: str) -> BaseFacts:
    """Return what a base is and holds; it is made, or pulled, where the engine lacks it."""
    reference = engine_base(
        base, platform, engine=project.engine(), store=project.store, report=project.report
    )
    return probe(project.engine(), reference, store=project.store, report=project.report)


def base_apt_sources(project: Project, base: Base, platform: str) -> tuple[AptSource, ...]:
    """Return the apt sources that a registry's base itself holds; the base is pulled for it."""
    facts = base_facts(project, base, platform)
    parsed = (parse_sources(text, name) for name, text in facts.apt_sources)
    return tuple(source for sources in parsed for source in sources)


def _from_registry(project: Project, reference: str, platform: str) -> RegistryBase:
    with project.report.task(f"Asking the registry for {reference}"):
        found = Registry(project.config).resolve(reference, platform)
    base = RegistryBase(
        reference=reference,
        manifest=found.manifest,
        config=found.config,
        diff_ids=found.diff_ids,
        environment=dict(found.environment),
    )
    facts = base_facts(project, base, platform)
    return base.model_copy(update={"packages": facts.packages})


def _from_packages(project: Project, lock_request: LockRequest, suite: str) -> BootstrapBase:
    environment = lock_request.environment
    architecture = ARCHITECTURES[environment.spec.platform]
    packages = resolve_bootstrap(
        suite,
        architecture,
        config=project.config,
        as_of=lock_request.as_of,
        store=project.store,
        report=project.report,
    )
    fetch_all(
        packages,
        store=project.store,
        sources=artifact_sources(project, environment.name, lock_request.as_of),
        report=project.report,
    )
    config, layer = make_base(
        suite,
        packages,
        architecture,
        engine=project.engine(),
        store=project.store,
        report=project.report,
    )
    return BootstrapBase(
        suite=suite, config=image_id(config), diff_ids=(layer.diff_id,), packages=packages
    )
