"""Sources of a project's artifacts, collected from configuration and spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import SpecError
from freezer.flows.lock.conda import channels_of
from freezer.flows.lock.ecosystems import SpecRequirements, read_requirements
from freezer.flows.project.environment import load_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.fetch.store.interface import Source
    from freezer.flows.project.project import Project


def artifact_sources(
    project: Project,
    requirements: SpecRequirements,
    as_of: str,
    base_sources: Callable[[], Sequence[AptSource]] = lambda: (),
) -> tuple[Source, ...]:
    """Return the sources of an environment's artifacts.

    A lock names no hosts, so indexes and channels that only the spec and its files name come from
    its requirements. ``as_of`` selects the dated archive if one is configured; ``base_sources``
    returns the apt sources of the base image, and is called only when needed.
    """
    # Imported late: most commands fetch nothing, and the clients take time to load.
    from freezer.fetch.conda.source import CondaChannels
    from freezer.fetch.debian.archive import DebianArchive
    from freezer.fetch.python.index import PythonIndex

    return (
        CondaChannels.from_config(project.config, channels_of(requirements.conda)),
        PythonIndex.from_config(project.config, requirements.pip.options),
        DebianArchive.from_config(
            project.config, store=project.store, base_sources=base_sources, as_of=as_of
        ),
    )


def spec_channels(project: Project, name: str) -> tuple[CondaChannel, ...]:
    """Return all conda channels of an environment: from its spec and the configuration."""
    from freezer.fetch.conda.channels import configured

    channels = channels_of(requirements_if_any(project, name).conda)
    return tuple(configured(channels, project.config).values())


def requirements_if_any(project: Project, name: str) -> SpecRequirements:
    """Return a spec's requirements; empty when it is missing or invalid.

    Fetching and explaining a lock need the lock only.
    """
    try:
        return read_requirements(load_environment(project.root, name), project.config)
    except SpecError:
        return SpecRequirements()
