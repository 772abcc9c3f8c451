"""The base of an environment: an image of a registry, or made from Debian packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from freezer.flows.lock.interface import BaseAnswer
from freezer.flows.project.spec_errors import errors_at
from freezer.model.canonical import plain
from freezer.model.lock import BootstrapBase, RegistryBase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.flows.lock.interface import Below, LockRequest, SpecLine
    from freezer.flows.project.project import Project
    from freezer.model.lock import Base, Lock
    from freezer.resolve.base.probe import BaseFacts

ARCHITECTURES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
"""Platforms and their machine names."""
_WITHOUT_A_REGISTRY = "without a registry, `base: {bootstrap: bookworm}` makes a base from packages"


class BaseResolver:
    """See `freezer.flows.lock.interface.EcosystemResolver`."""

    name: ClassVar[str] = "base"
    stale: ClassVar[str] = "the spec requests another base"

    def question(self, request: LockRequest, below: Below) -> list[Any]:
        """Return the base as written in the spec, and the platform."""
        del below
        spec = request.environment.spec
        return [spec.base if isinstance(spec.base, str) else plain(spec.base), spec.platform]

    def locked(self, lock: Lock) -> BaseAnswer:
        """Return the base of a lock."""
        return BaseAnswer(base=lock.base)

    def resolve(self, project: Project, request: LockRequest, below: Below) -> BaseAnswer:
        """Return the spec's base.

        Raises ``ResolveError``, ``FetchError``, ``EngineError`` and ``BuildError``.
        """
        del below
        spec = request.environment.spec
        if isinstance(spec.base, str):
            with errors_at(request.environment, "base", also=_WITHOUT_A_REGISTRY):
                return BaseAnswer(base=_from_registry(project, spec.base, spec.platform))
        with errors_at(request.environment, "base"):
            return BaseAnswer(base=_from_packages(project, request, spec.base.bootstrap))

    def spec_lines(self, request: LockRequest, lock: Lock, name: str) -> Iterator[SpecLine]:
        """Yield nothing: a spec names a base, not its packages."""
        del request, lock, name
        return iter(())

    def limits(
        self, project: Project, request: LockRequest, lock: Lock, names: Iterable[str]
    ) -> Iterator[tuple[str, str, str | None, str]]:
        """Yield nothing: a base changes as a whole."""
        del project, request, lock, names
        return iter(())


def base_facts(project: Project, base: Base, platform: str) -> BaseFacts:
    """Return the facts of a base; it is made or pulled if the engine lacks it."""
    from freezer.image.base import engine_base
    from freezer.resolve.base.probe import probe

    reference = engine_base(
        base, platform, engine=project.engine(), store=project.store, report=project.report
    )
    return probe(project.engine(), reference, store=project.store, report=project.report)


def base_apt_sources(project: Project, base: Base, platform: str) -> tuple[AptSource, ...]:
    """Return the apt sources in a registry's base, which is pulled for it."""
    from freezer.fetch.debian.apt_sources import parse_sources

    facts = base_facts(project, base, platform)
    parsed = (parse_sources(text, name) for name, text in facts.apt_sources)
    return tuple(source for sources in parsed for source in sources)


def _from_registry(project: Project, reference: str, platform: str) -> RegistryBase:
    from freezer.fetch.registry.inspect import Registry

    with project.report.task(f"Looking up {reference} in the registry"):
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


def _from_packages(project: Project, request: LockRequest, suite: str) -> BootstrapBase:
    from freezer.fetch.debian.archive import DebianArchive
    from freezer.fetch.store.download import fetch_all
    from freezer.image.debian.bootstrap import make_base
    from freezer.image.oci.config import image_id
    from freezer.resolve.debian.bootstrap import resolve_bootstrap

    architecture = ARCHITECTURES[request.environment.spec.platform]
    packages = resolve_bootstrap(
        suite,
        architecture,
        config=project.config,
        as_of=request.as_of,
        store=project.store,
        report=project.report,
    )
    fetch_all(
        packages,
        store=project.store,
        sources=[
            DebianArchive.from_config(project.config, store=project.store, as_of=request.as_of)
        ],
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
