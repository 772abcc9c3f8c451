"""The lock: every byte of an environment, pinned and hashed, and why each is there.

The image is a function of this document alone, so everything that shapes the image stands here.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from freezer.model.artifact import Artifact, SafePath
from freezer.model.base import Digest, EnvName, Model, Sha256

LOCK_SCHEMA: Final = "freezer/lock/1"


class PythonTarget(Model):
    """The Python that the image will run; wheels are chosen for it."""

    version: str
    """Full version, such as ``3.11.2``."""
    implementation: Literal["cpython"] = "cpython"
    abi: str
    """ABI tag, such as ``cp311``."""
    executable: Annotated[str, Field(pattern=r"^/")]
    """Absolute path in the image."""

    @property
    def minor(self) -> str:
        """Return ``3.11`` of ``3.11.2``."""
        return ".".join(self.version.split(".")[:2])


class Target(Model):
    """What the image is, as far as choosing packages goes. Declared or probed in the base."""

    os: Literal["linux"] = "linux"
    architecture: Literal["x86_64", "aarch64"]
    glibc: str
    distribution: str
    """``ID VERSION_ID`` of ``/etc/os-release``, such as ``debian 12``."""
    python: PythonTarget


class DebianPackage(Artifact):
    """One ``.deb`` at one version."""

    name: str
    version: str
    architecture: str
    requested: bool = False
    """True when the spec (or Freezer itself) asks for it by name."""
    reason: str
    """Why it is here: the spec's ``why``, or which package needs it."""


class BasePackage(Model):
    """A Debian package that the base image already holds; the base's digest pins its bytes."""

    name: str
    version: str
    architecture: str


class RegistryBase(Model):
    """A base image in a registry, pinned by the digest of the manifest for the platform."""

    kind: Literal["registry"] = "registry"
    reference: str
    """As written in the spec, such as ``debian:bookworm-slim``."""
    manifest: Digest
    config: Digest
    diff_ids: tuple[Digest, ...]
    environment: dict[str, str] = {}
    """The base's own environment variables (``PATH``, ``LD_LIBRARY_PATH`` ...), from its config."""
    packages: tuple[BasePackage, ...] = ()


class BootstrapBase(Model):
    """A minimal Debian root made from packages, for sites without a registry."""

    kind: Literal["bootstrap"] = "bootstrap"
    suite: str
    config: Digest
    diff_ids: tuple[Digest, ...]
    packages: tuple[DebianPackage, ...]


Base = Annotated[RegistryBase | BootstrapBase, Field(discriminator="kind")]


class PipPackage(Artifact):
    """One Python distribution: a wheel, or a source distribution that the spec allows by name."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    requires: tuple[str, ...] = ()
    """Normalised names of the locked packages that it needs."""
    requested: bool = False
    reason: str
    build_requires: tuple[PipPackage, ...] = ()
    """Only for source distributions: the locked wheels that its build needs."""


class CondaPackage(Artifact):
    """One conda package, with the whole of its repodata record: what a solver needs to know again.

    ``source`` is ``conda``; ``file`` is the archive's file name.
    """

    name: str
    version: str
    build: str
    build_number: Annotated[int, Field(ge=0)]
    channel: str
    """The channel's name, such as ``conda-forge``; where it is served from is configuration."""
    subdir: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    """``linux-64``, ``linux-aarch64`` or ``noarch``."""
    noarch: Literal["python", "generic"] | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    license: str | None = None
    timestamp: int | None = None
    """Milliseconds since 1970, UTC, of the build."""
    python_site_packages_path: SafePath | None = None
    requested: bool = False
    reason: str


class Accelerator(Model):
    """The requested and locked GPU software."""

    cuda: str
    cudnn: str | None = None
    driver: str | None = None


class Component(Model):
    """A component that affects results, by name and version, with the package that contains it."""

    role: Literal[
        "python",
        "libc",
        "libstdc++",
        "compiler",
        "blas",
        "lapack",
        "openmp",
        "cuda",
        "cudnn",
        "nccl",
    ]
    name: str
    version: str
    provider: str
    """``base``, ``debian:<package>``, ``conda:<package>`` or ``pip:<package>``."""
    file: str | None = None
    """The shared library's file name, where there is one."""


class Newer(Model):
    """Why one package may be newer than the lock's ``as-of``: an urgent fix, most often."""

    as_of: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``: what this package is considered up to."""
    reason: str


class SmokeFile(Model):
    """A file of the user's own smoke training, copied into the image."""

    path: SafePath
    size: int
    sha256: Sha256


class StepFile(SmokeFile):
    """A file that the user's own steps find in their working folder."""

    executable: bool = False


class Steps(Model):
    """The user's own steps, which run in a container above all packages."""

    run: tuple[str, ...]
    """Shell commands, in their order."""
    files: tuple[StepFile, ...] = ()


class SmokePlan(Model):
    """What ``freeze check`` runs, and within which bounds."""

    trainings: tuple[str, ...] = ()
    """Built-in trainings by name."""
    command: tuple[str, ...] = ()
    """The user's own training; empty when only built-in ones run."""
    files: tuple[SmokeFile, ...] = ()
    seed: int
    cpus: int
    memory: str
    timeout: int
    """Seconds."""


class ImageRuntime(Model):
    """The part of Freezer that is copied into the image (``freezer_inside``)."""

    version: str
    sha256: Sha256
    interface: Annotated[int, Field(ge=2)] | None = None
    """How the host and that part talk to each other; None for the first interface."""


class Lock(Model):
    """Everything that an image is made of."""

    schema_: Literal["freezer/lock/1"] = Field(default=LOCK_SCHEMA, alias="schema")
    name: EnvName
    answers: dict[str, Digest]
    """For each ecosystem (``base``, ``debian``, ``conda``, ``pip``) the digest of the question that
    it answers: an ecosystem whose question is unchanged is kept as it stands."""
    as_of: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``: nothing newer was considered; also the image's clock."""
    platform: Literal["linux/amd64", "linux/arm64"]
    target: Target
    base: Base
    debian: tuple[DebianPackage, ...] = ()
    """The closure of the spec's ``system``, less what the base holds."""
    conda: tuple[CondaPackage, ...] = ()
    conda_elsewhere: dict[str, tuple[CondaPackage, ...]] = {}
    """The same environment on further platforms, by platform; not part of the image."""
    virtual_packages: dict[str, str] = {}
    """What was declared to the conda solver: ``__glibc: "2.36"``, ``__cuda: "12.4"``."""
    pip: tuple[PipPackage, ...] = ()
    exceptions: dict[str, Newer] = {}
    """Python packages that may be newer than ``as-of``, by normalised name."""
    overrides: tuple[str, ...] = ()
    """Normalised names of Python packages whose version the project sets against what others need
    (uv's ``override-dependencies``): ``pip check`` may complain of these alone."""
    steps: Steps | None = None
    accelerator: Accelerator | None = None
    blas: str | None = None
    components: tuple[Component, ...] = ()
    environment: dict[str, str] = {}
    """Environment variables of the image, determinism settings included."""
    labels: dict[str, str] = {}
    smoke: SmokePlan
    inside: ImageRuntime
    image_format: Literal[1] = 1
    """Rules by which the image's bytes follow from this document."""

    @property
    def own_files(self) -> tuple[SmokeFile, ...]:
        """Return the user's own files that the lock pins: no index has them."""
        return (*self.smoke.files, *(self.steps.files if self.steps else ()))
