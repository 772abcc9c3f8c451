"""Where the bytes of a project's locks come from: the configured sources, put together once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import SpecError
from freezer.fetch.config import Config, load_config
from freezer.fetch.store import Store
from freezer.flows.spec import load_environment
from freezer.model.events import Reporter, SilentReporter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from freezer.engine.interface import Engine
    from freezer.fetch.apt_sources import AptSource
    from freezer.fetch.indexes import IndexOptions
    from freezer.fetch.interface import Source


@dataclass(frozen=True)
class Workshop:
    """What every flow works with: the project, its configuration, the store, the engine, an ear."""

    project: Path
    config: Config
    store: Store
    engine: Callable[[], Engine]
    """Connects on first use: many commands never need an engine."""
    report: Reporter

    @classmethod
    def open(
        cls, project: Path, engine: Callable[[], Engine], report: Reporter | None = None
    ) -> Workshop:
        """Return the workshop of a project. Raises ``ConfigError`` and ``HostError``."""
        return cls(
            project=project,
            config=load_config(project),
            store=Store.open(),
            engine=engine,
            report=report or SilentReporter(),
        )


def artifact_sources(
    workshop: Workshop,
    name: str,
    as_of: str,
    base_sources: Callable[[], Sequence[AptSource]] = lambda: (),
) -> tuple[Source, ...]:
    """Return the sources of an environment's artifacts.

    A lock names no hosts, so indexes that only a requirements file names are read from there.
    ``as_of`` chooses the dated archive where one is configured; ``base_sources`` gives the apt
    sources of the base image, and is asked only when needed.
    """
    # Imported here: most commands fetch nothing, and the clients take time to load.
    from freezer.fetch.debian import DebianArchive
    from freezer.fetch.pypi import PythonIndex

    options = _index_options(workshop.project, name)
    return (
        PythonIndex.from_config(workshop.config, options),
        DebianArchive.from_config(
            workshop.config, store=workshop.store, base_sources=base_sources, as_of=as_of
        ),
    )


def _index_options(project: Path, name: str) -> IndexOptions | None:
    from freezer.resolve.requirements import gather

    try:
        environment = load_environment(project, name)
        return gather(environment.spec_folder, environment.spec.pip).options
    except SpecError:
        return None  # fetching needs the lock alone; the spec may be broken or not there
