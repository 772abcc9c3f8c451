"""Where the bytes of a project's locks come from: the configured sources, put together once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import SpecError
from freezer.flows.lock.conda import channels_of, gathered_conda
from freezer.flows.lock.python_request import gather_python
from freezer.flows.project.environment import load_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.fetch.python.settings import IndexOptions
    from freezer.fetch.store.interface import Source
    from freezer.flows.project.project import Project


def artifact_sources(
    project: Project,
    name: str,
    as_of: str,
    base_sources: Callable[[], Sequence[AptSource]] = lambda: (),
) -> tuple[Source, ...]:
    """Return the sources of an environment's artifacts.

    A lock names no hosts, so indexes that only a requirements file names are read from there, and
    channels from the spec.
    ``as_of`` chooses the dated archive where one is configured; ``base_sources`` gives the apt
    sources of the base image, and is asked only when needed.
    """
    # Imported here: most commands fetch nothing, and the clients take time to load.
    from freezer.fetch.conda.source import CondaChannels
    from freezer.fetch.debian.archive import DebianArchive
    from freezer.fetch.python.index import PythonIndex

    options, channels = _asked(project, name)
    return (
        CondaChannels.from_config(project.config, channels),
        PythonIndex.from_config(project.config, options),
        DebianArchive.from_config(
            project.config, store=project.store, base_sources=base_sources, as_of=as_of
        ),
    )


def spec_channels(project: Project, name: str) -> tuple[CondaChannel, ...]:
    """Return all conda channels of an environment: those of its spec, and configured ones."""
    from freezer.fetch.conda.channels import configured

    return tuple(configured(_asked(project, name)[1], project.config).values())


def _asked(project: Project, name: str) -> tuple[IndexOptions | None, tuple[CondaChannel, ...]]:
    """Return the indexes and channels that only the spec names."""
    try:
        environment = load_environment(project.root, name)
        conda = gathered_conda(environment, project.config)
        return gather_python(environment, conda).options, channels_of(conda)
    except SpecError:
        return None, ()  # fetching needs the lock alone; the spec may be broken or not there
