"""The request of one `freeze run`, and the container options that follow from it."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from freezer.engine.interface import Mount, RunOptions
from freezer.errors import RunError
from freezer.fetch.http.secret_words import is_secret_name, redact_words
from freezer.image.layout import FREEZER
from freezer.inside import runner_folder
from freezer.inside.freezer_inside.determinism import SEED, thread_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from freezer.model.record.plan import PlanFile
    from freezer.model.record.run import Value
    from freezer.model.spec.spec import ResourcesSpec, Spec

CODE: Final = "/code"
DATA: Final = "/data"
OUTPUT: Final = "/output"
RECORD: Final = "/freezer"
RESUME: Final = "/resume"
RUNNER: Final = f"{FREEZER}/freezer_runner"
"""Next to the image's own runtime, so that trainings can import it."""
PYTHON: Final = "/opt/env/bin/python"
FOREVER: Final = 10 * 365 * 86400.0
"""Timeout in seconds: a run has no time limit."""
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_WHOLE: Final = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DIGITS: Final = 300
"""Maximum digits of a whole number: every double is shorter."""
_SPECIAL: Final = ("nan", "inf", "+inf", "-inf", "infinity", "-infinity")
_SHOWN: Final = 200
"""Characters of a word in a message."""
_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")


@dataclass(frozen=True)
class RunRequest:
    """One run as requested on the command line."""

    command: tuple[str, ...]
    data: tuple[str, ...] | None = None
    """Data sets by name; None for all that the spec names."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Parameters as text, exactly as given: the command gets them unchanged."""
    seed: int | None = None
    gpus: bool | None = None
    clean: bool = False
    output: Path | None = None
    """A folder that does not exist yet; by default one in the run's folder."""
    links: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None
    """The command before parameters were substituted, if ``command`` has them already."""
    cpu_positions: tuple[int, ...] = ()
    """The CPUs of one run among several at once, counted from 0 among those of the engine."""
    gpu_positions: tuple[int, ...] = ()
    """The GPUs of one run among several at once, by the driver's index; empty for all."""
    checkpoint: StartingPoint | None = None
    """The outputs of another run to continue from."""
    plan: PlanFile | None = None
    """The plan that the run tests."""


class StartingPoint(Protocol):
    """Outputs of another run that a run continues from."""

    @property
    def folder(self) -> Path:
        """The outputs of that run on this host."""

    @property
    def path(self) -> str:
        """The selected file or folder among them; empty for all."""

    def fields(self) -> Mapping[str, Value]:
        """Return the fields to record."""


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The host's folders that a container sees, besides data."""

    code: Path
    output: Path
    record: Path
    """For the files that the runner in the container writes."""


@dataclass(frozen=True, kw_only=True)
class HostSide:
    """Facts about the host that affect the container."""

    cpus: int
    """CPUs of the engine."""
    gpus: bool
    """Whether the container sees the GPUs."""
    fingerprint: bool
    """Whether the container reports the host's numerics class."""
    rootless: bool = False
    """Whether the engine runs as the caller."""


def read_params(words: Sequence[str]) -> dict[str, str]:
    """Return parameters given as ``NAME=VALUE``. Raises ``RunError`` for anything else."""
    found: dict[str, str] = {}
    for word in words:
        name, text = read_assignment(word, "a parameter", "NAME=VALUE, such as lr=0.01")
        if name == "seed":
            raise RunError("the seed is not a parameter", found=word, expected=f"--seed {text}")
        require_distinct(name, found)
        found[name] = text
    return found


def read_assignment(word: str, what: str, expected: str) -> tuple[str, str]:
    """Return the name and the value of a parameter. Raises ``RunError`` for anything else."""
    name, mark, text = word.partition("=")
    if mark and NAME.fullmatch(name) and "\0" not in text:
        return name, text
    raise RunError(
        f"{what} cannot be read",
        found=word if len(word) <= _SHOWN else f"{word[:_SHOWN]}...",
        expected=expected,
        hint="a name begins with a letter from A to Z or '_'; digits, '.' and '-' may follow",
    )


def require_distinct(name: str, others: Iterable[str]) -> None:
    """Raise ``RunError`` where another parameter has the same environment variable."""
    clash = next(
        (one for one in others if parameter_variable(one) == parameter_variable(name)), None
    )
    if clash is not None:
        raise RunError(
            "two parameters have the same name or the same environment variable",
            found=f"{clash} and {name}",
            expected="each parameter once",
        )


def typed(text: str) -> Value:
    """Return a value as a number or boolean if its text is one, else as text.

    ``007`` and ``1_000`` are text: who writes so means no number, or no number alone.
    """
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text.lower() in _SPECIAL:
        return float(text)
    if len(text) > _DIGITS or not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(text) if _WHOLE.fullmatch(text) else number if math.isfinite(number) else text


def filled(command: Sequence[str], params: Mapping[str, str]) -> tuple[str, ...]:
    """Return a command with ``{name}`` replaced by the parameter of that name.

    An unknown name is left unchanged: it may be part of the command.
    """
    return tuple(_PLACE.sub(lambda match: params.get(match[1], match[0]), word) for word in command)


def actual_command(request: RunRequest, seed: int) -> tuple[str, ...]:
    """Return the command to execute, with parameters, seed and secrets."""
    hidden = {name: text for name, text in request.params.items() if is_secret_name(name)}
    return filled(open_command(request, seed), hidden)


def recorded_command(request: RunRequest, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the command to record, without secrets, and these secrets.

    A secret parameter (``-p token=...``) stays a placeholder; so the run can be made again by
    giving it anew.
    """
    words, secrets = redact_words(open_command(request, seed))
    hidden = [text for name, text in request.params.items() if is_secret_name(name)]
    return words, (*secrets, *hidden)


def open_command(request: RunRequest, seed: int) -> tuple[str, ...]:
    """Return the command with parameters and seed; a secret one stays a placeholder."""
    if request.template is not None:
        return request.command
    params = {name: text for name, text in request.params.items() if not is_secret_name(name)}
    return filled(request.command, {**params, "seed": str(seed)})


def threads_of(resources: ResourcesSpec, cpus: int) -> int:
    """Return how many threads numeric libraries get."""
    return resources.threads or cpus


def options(
    spec: Spec,
    request: RunRequest,
    data: Sequence[Mount],
    *,
    folders: Folders,
    host: HostSide,
) -> RunOptions:
    """Return the options of a run's container: confinement, mounts, environment.

    The root is read-only; the code and the data are; the output folder is the caller's, and the
    command runs as the caller. Nothing of the caller's environment enters.
    """
    resources = spec.resources
    cpus = len(request.cpu_positions) or resources.cpus
    seed = spec.determinism.seed if request.seed is None else request.seed
    environment = {
        **thread_counts(threads_of(resources, cpus or host.cpus)),
        SEED: str(seed),
        "FREEZER_OUTPUT": OUTPUT,
        "FREEZER_DATA": DATA,
        "HOME": "/tmp",  # noqa: S108 - in the container: the caller may have no home there
        **{
            f"FREEZER_PARAM_{parameter_variable(name)}": text
            for name, text in request.params.items()
        },
        **({"FREEZER_FINGERPRINT": "1"} if host.fingerprint else {}),
    }
    mounts = [
        Mount(str(folders.code), CODE),
        Mount(str(folders.output), OUTPUT, read_only=False),
        Mount(str(folders.record), RECORD, read_only=False),
        Mount(str(runner_folder()), RUNNER),
        *data,
        *_resumed(request),
    ]
    if request.checkpoint is not None:
        environment["FREEZER_RESUME"] = f"{RESUME}/{request.checkpoint.path}".rstrip("/")
    return RunOptions(
        cpus=cpus,
        cpu_positions=request.cpu_positions,
        memory=resources.memory,
        pids=32768,
        timeout=FOREVER,
        network="bridge" if resources.network else "none",
        # A rootless engine maps root of the container to the caller, and others to nobody's IDs.
        user="0:0" if host.rootless else f"{os.getuid()}:{os.getgid()}",
        gpus=host.gpus,
        gpu_positions=request.gpu_positions if host.gpus else (),
        tmpfs={
            "/tmp": "rw,mode=1777",  # noqa: S108 - in the container
            "/dev/shm": f"rw,mode=1777,size={resources.shared_memory}",  # noqa: S108
        },
        environment=environment,
        working_dir=CODE,
        mounts=mounts,
    )


def _resumed(request: RunRequest) -> list[Mount]:
    """Return the mount of what a run continues from: that file or folder, and nothing else."""
    if request.checkpoint is None:
        return []
    path = request.checkpoint.path
    return [Mount(str(request.checkpoint.folder / path), f"{RESUME}/{path}".rstrip("/"))]


def parameter_variable(name: str) -> str:
    """Return what follows ``FREEZER_PARAM_`` in the variable of a parameter."""
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()
