"""What a fleet was asked for: environments, hosts and limits, as its folder keeps them."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from freezer.model.base import Digest, EnvName, Model, Sha256

REQUEST_SCHEMA: Final = "freezer/fleet/1"
ATTEMPT_SCHEMA: Final = "freezer/fleet-attempt/1"
TASK_SCHEMA: Final = "freezer/host-task/1"
HOST_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
"""A file name, and a part of a job's name."""
FLEET_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")

HostName = Annotated[str, StringConstraints(pattern=rf"^{HOST_NAME.pattern}$")]
"""A host as its scheduler names it; also a file name."""
Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[str, StringConstraints(max_length=2000)]


class FleetEnvironment(Model):
    """One environment as the hosts get it. Lock, references and history stay where they are."""

    name: EnvName
    lock_id: Sha256
    image: Digest
    inside: Sha256
    manifest: Digest | None = None
    """Digest of the image's manifest, by which some engines name it."""
    archive: str | None = None
    """Path of the OCI layout on the shared file system; None for an image of a registry."""
    pull: str | None = None
    """``registry/repository@sha256:…``."""
    images: str = ""
    """Folder on the shared file system for images in other formats."""
    command: tuple[str, ...]
    trainings: tuple[str, ...]
    """Names of the trainings, in order."""
    cpus: int
    memory: str
    timeout: float
    """Seconds for all trainings."""
    gpus: bool = False


class Request(Model):
    """A fleet: one check of some environments on some hosts."""

    schema_: Literal["freezer/fleet/1"] = Field(default=REQUEST_SCHEMA, alias="schema")
    id: Annotated[str, StringConstraints(pattern=rf"^{FLEET_ID.pattern}$")]
    created: Annotated[int, Field(ge=0)]
    """Seconds since the epoch."""
    target: str
    """As it was given: ``slurm:gpu:a100``."""
    partition: str = ""
    """Of a Slurm cluster; empty for engines that are reached directly."""
    addresses: dict[HostName, Text] = Field(default_factory=dict)
    """Engines by host: ``context:NAME``, or a URL."""
    hosts: tuple[HostName, ...]
    environments: tuple[FleetEnvironment, ...]
    deadline: Annotated[int, Field(gt=0)]
    """Seconds after which a job that has not ended is given up."""
    runtimes: tuple[str, ...]
    python: str = "python3"
    options: tuple[Text, ...] = ()
    """Further ones for ``sbatch``, also of a ``resume``."""
    record: bool = False


class Submission(Model):
    """What became of one host's job in an attempt."""

    environments: tuple[EnvName, ...] = ()
    job: str | None = None
    """The scheduler's number; None where it was not reported, or nothing was submitted."""
    cause: str | None = None
    """Why nothing was submitted; a value of ``Cause``."""
    reason: Text = ""


class Attempt(Model):
    """One round of submissions: the first one, or a ``resume``."""

    schema_: Literal["freezer/fleet-attempt/1"] = Field(default=ATTEMPT_SCHEMA, alias="schema")
    number: Annotated[int, Field(ge=1)]
    created: Annotated[int, Field(ge=0)]
    nonce: Nonce
    hosts: dict[HostName, Submission]

    def job_name(self, fleet: str, host: str) -> str:
        """Return the name of a host's job, by which the scheduler's lists are read."""
        return f"freezer-{fleet}-{self.number}-{host}"
