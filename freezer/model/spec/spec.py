"""The spec: what the user wants, as written in ``freeze.yaml``.

Shorthands (``pip: [numpy]``, ``pip: requirements.in``) are widened here to the one full form, so
that nothing after this module has to know that there was a short one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from freezer.model.artifact import SafePath
from freezer.model.base import EnvName, Model, Sha256
from freezer.model.spec.expect import Expectations

TRAININGS = "trainings"
"""Key of the validation context under which the names of the built-in trainings are given."""


def _known_training(name: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get(TRAININGS)
    if known is not None and name not in known:
        msg = f"there is no built-in training {name!r}"
        raise ValueError(msg)
    return name


BuiltIn = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(_known_training)
]
"""A built-in training, named after the framework that it exercises."""

Memory = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*[bkmg]$")]
DebianName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+:~-]+)?$")
]
OneLine = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x08\x0a-\x1f\x7f]*$")]
"""Text that can stand in a Dockerfile: no line breaks, no control characters but the tab."""
Script = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
"""Text of one or more lines, without control characters but tab and line feed."""
PythonMinor = Annotated[str, StringConstraints(pattern=r"^3\.[0-9]+$")]


def _without_slash(value: Any) -> Any:
    return value.rstrip("/") if isinstance(value, str) and value.strip("/") else value


UserPath = Annotated[SafePath, BeforeValidator(_without_slash)]
"""A file, a folder (``src/``) or a glob (``src/*.py``) below the spec's folder."""


def _widen_pip(value: Any) -> Any:
    if isinstance(value, str):
        return {"files": [value]}
    if isinstance(value, list):
        return {"requirements": value}
    return value


def _widen_steps(value: Any) -> Any:
    return {"run": value} if isinstance(value, list) else value


def _widen_smoke(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("training"), str):
        return {**value, "training": [value["training"]]}
    return value


_WRITTEN = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def _utc(value: Any) -> Any:
    """Bring every way to write a moment to ``YYYY-MM-DDTHH:MM:SSZ``; a zone is demanded."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            if _WRITTEN.fullmatch(value):
                raise  # the pattern would let it through
            return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            msg = "a moment without a time zone; end it with Z for UTC"
            raise ValueError(msg)
        try:
            found = value.astimezone(UTC)
        except OverflowError:
            found = value
        if not 1980 <= found.year < 9999:
            msg = "a moment between 1980, where dates of archives begin, and 9998"
            raise ValueError(msg)
        return found.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


Moment = Annotated[
    str,
    BeforeValidator(_utc),
    StringConstraints(pattern=_WRITTEN.pattern),
]


AUTO = "auto"
"""Entry of ``system``: add the packages of shared libraries that wheels need."""


def _widen_system(value: Any) -> Any:
    return [value] if value == AUTO else value


def _widen_conda(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


Platform = Literal["linux/amd64", "linux/arm64"]


class BootstrapSpec(Model):
    """A base made from Debian packages instead of pulled from a registry."""

    bootstrap: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
    """A suite, such as ``bookworm``."""


class PipSpec(Model):
    """The pip half of an environment."""

    requirements: tuple[str, ...] = ()
    """Requirements as in a requirements file, one an entry."""
    files: tuple[SafePath, ...] = ()
    """Requirements files and ``pyproject.toml``, relative to the spec."""
    extras: tuple[str, ...] = ()
    """Extras of the ``pyproject.toml`` among the files."""
    groups: tuple[str, ...] = ()
    """Dependency groups (PEP 735) of the ``pyproject.toml`` among the files."""
    allow_sdist: tuple[str, ...] = ()
    """Packages that may be built from source; all others must have a wheel."""
    resolver: Literal["uv", "pip-tools"] = "uv"


class CondaSpec(Model):
    """The conda half of an environment."""

    channels: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = ()
    """Channel names, URLs or folders, highest priority first; strict priority."""
    dependencies: tuple[str, ...] = ()
    """Match specs as conda has them: ``numpy=2.2``, ``libblas=*=*mkl``."""
    file: SafePath | None = None
    """An ``environment.yml``; or a ``conda-lock.yml``, ``pixi.lock`` or explicit file, which is
    taken over without solving. Relative to the spec."""
    resolver: Literal["rattler", "conda-lock"] = "rattler"
    platforms: tuple[Platform, ...] = ()
    """Platforms to lock in addition to the environment's own."""

    @model_validator(mode="after")
    def _something_is_asked(self) -> CondaSpec:
        if not self.file and not self.dependencies:
            msg = "'file' or 'dependencies', or there is nothing to install"
            raise ValueError(msg)
        return self


class AcceleratorSpec(Model):
    """The GPU software that is wanted: the target's, never this host's."""

    cuda: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+$")]
    """Toolkit, such as ``12.4``."""
    cudnn: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)*$")] | None = None
    """Such as ``9`` or ``9.10.2``."""
    driver: Annotated[str, StringConstraints(pattern=r"^>=[0-9]+(\.[0-9]+)*$")] | None = None
    """The oldest driver that hosts may have, such as ``>=550.54.14``."""


Blas = Literal["openblas", "mkl", "netlib", "blis"]


class Accepted(Model):
    """A deviation that a team accepts, so that audits respect it and list it."""

    factor: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
    """As ``freeze audit`` names it: ``race``, ``memory``."""
    reason: Annotated[OneLine, StringConstraints(min_length=1)]
    date: Annotated[str, BeforeValidator(str), StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]
    """When it was accepted."""
    owner: Annotated[OneLine, StringConstraints(min_length=1)] | None = None
    """Who answers for it."""
    until: (
        Annotated[str, BeforeValidator(str), StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")] | None
    ) = None
    """The last day on which it is accepted."""


class DeterminismSpec(Model):
    """How randomness and numerics are pinned."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1234
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Threads of every numeric library; by default ``smoke.cpus``."""
    numerics: Literal["native", "portable"] = "native"
    """Whether each CPU takes its best kernels, or all the same ones."""
    accept: tuple[Accepted, ...] = ()
    """What `freeze audit` finds and the team lives with."""


class SmokeSpec(Model):
    """The smoke training that ``freeze check`` runs, and its bounds."""

    training: Annotated[tuple[BuiltIn, ...], Field(min_length=1)] | None = None
    """Built-in trainings; by default those whose package is locked."""
    command: tuple[str, ...] = ()
    """The user's own training; it writes Freezer's record protocol."""
    files: tuple[UserPath, ...] = ()
    """Files, folders and globs that the command needs, relative to the spec; copied into the
    image."""
    cpus: Annotated[int, Field(ge=1, le=1024)] = 1
    memory: Memory = "2g"
    timeout: Annotated[int, Field(ge=1, le=86400)] = 600
    """Seconds."""

    @model_validator(mode="after")
    def _files_need_a_command(self) -> SmokeSpec:
        if self.files and not self.command:
            msg = "'files' are copied for 'command', and there is no 'command'"
            raise ValueError(msg)
        return self


class StepsSpec(Model):
    """The user's own build steps, run in a container on top of all packages."""

    run: Annotated[tuple[Script, ...], Field(min_length=1)]
    """Shell commands, each run by ``sh -eu`` as root and without a network."""
    files: tuple[UserPath, ...] = ()
    """Files, folders and globs that the commands find in their working folder, relative to the
    spec."""


def _widen_data(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: {"path": item} if isinstance(item, str) else item for name, item in value.items()
        }
    return value


def _hex(value: Any) -> Any:
    return value.removeprefix("sha256:") if isinstance(value, str) else value


class DataSpec(Model):
    """One data set that trainings of this environment read."""

    path: Annotated[OneLine, StringConstraints(min_length=1)]
    """A folder, a file or a glob, relative to the project; absolute paths and ``~`` are taken."""
    expect: Annotated[Sha256 | None, BeforeValidator(_hex)] = None
    """The digest that the data must have, as ``freeze data status`` prints it."""


class ResourcesSpec(Model):
    """What a run of the user's own training may use; the smoke training has its own limits."""

    cpus: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Whole CPUs; all of the engine's by default."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Threads of every numeric library; by default as many as CPUs."""
    memory: Memory | None = None
    """Such as ``16g``; no limit by default."""
    gpus: bool | None = None
    """Whether runs see the host's NVIDIA GPUs; by default where the spec has an accelerator."""
    network: bool = False
    """Whether runs may use the network. It is recorded, as what comes from there is not."""
    shared_memory: Memory = "1g"
    """``/dev/shm``, which data loaders with workers use."""


class Spec(Model):
    """One environment, as its user wants it."""

    name: EnvName
    base: BootstrapSpec | Annotated[str, Field(min_length=1)]
    """An image reference such as ``debian:bookworm-slim``, or ``{bootstrap: bookworm}``."""
    platform: Platform = "linux/amd64"
    python: PythonMinor
    """``3.11``; the base image or its Debian archive must offer it."""
    system: Annotated[tuple[DebianName, ...], BeforeValidator(_widen_system)] = ()
    """Debian packages, ``name`` or ``name=version``; ``auto`` adds those of the shared libraries
    that locked wheels need and nothing provides."""
    conda: Annotated[CondaSpec | None, BeforeValidator(_widen_conda)] = None
    """conda packages; the environment is then a conda prefix, with conda's Python."""
    pip: Annotated[PipSpec, BeforeValidator(_widen_pip)] = PipSpec()
    steps: Annotated[StepsSpec | None, BeforeValidator(_widen_steps)] = None
    """The user's own commands, run in the finished environment while the image is built."""
    accelerator: AcceleratorSpec | None = None
    blas: Blas | None = None
    """Which BLAS does the arithmetic, in every ecosystem that can choose it."""
    as_of: Moment | None = None
    """Nothing newer is considered; also the image's clock. By default the moment of the lock."""
    determinism: DeterminismSpec = DeterminismSpec()
    smoke: Annotated[SmokeSpec, BeforeValidator(_widen_smoke)] = SmokeSpec()
    resources: ResourcesSpec = ResourcesSpec()
    """What `freeze run` gives a training."""
    data: Annotated[dict[EnvName, DataSpec], BeforeValidator(_widen_data)] = {}
    """Data sets by name. They are mounted, read-only, where trainings run; no image holds them."""
    expect: Expectations = {}
    """Numerical invariants that results must satisfy, by the name of what a training reports."""
    env: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], OneLine] = {}
    """Environment variables of the image."""
    labels: dict[OneLine, OneLine] = {}
    """OCI labels of the image."""
    why: dict[str, str] = {}
    """Package to reason; the reason is kept with the pin in the lock."""

    @model_validator(mode="after")
    def _portable_is_for_one_architecture(self) -> Spec:
        if self.determinism.numerics == "portable" and self.platform != "linux/amd64":
            msg = "'determinism.numerics: portable' is known for linux/amd64 only"
            raise ValueError(msg)
        return self
