"""Restores the inputs of a recorded run: request, lock, image, data, resources."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from freezer.errors import DataError, RunError
from freezer.fetch.http.secret_words import REDACTED
from freezer.flows.data.sets import data_sets, take
from freezer.flows.history.generations import generation
from freezer.flows.image.build import build_locked
from freezer.flows.project.environment import load_locked
from freezer.flows.runs.request import RunRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.data.snapshot import Snapshot
    from freezer.engine.interface import ImageInfo
    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.flows.runs.prepare import PreparedRun
    from freezer.model.record.run import Run

MOST_GPUS: Final = 1024
"""Maximum GPUs of one run; a larger recorded number is ignored."""


def recorded_params(original: Run) -> dict[str, str]:
    """Return the parameters of a run as they were given; secrets are redacted."""
    return {
        name.removeprefix("given."): str(value)
        for name, value in original.fields.items()
        if name.startswith("given.")
    }


def recorded_gpus(original: Run) -> tuple[bool | None, tuple[int, ...]]:
    """Return whether a run saw GPUs, and the GPUs for a repetition: as many, the first ones.

    None where it is not recorded, and no GPU where the run had all of its host.
    """
    seen = original.fields.get("resources.gpus")
    count = original.fields.get("resources.gpu-count")
    positions = tuple(range(count)) if isinstance(count, int) and 0 < count <= MOST_GPUS else ()
    return (seen if isinstance(seen, bool) else None), positions


def recorded_request(original: Run, given: Mapping[str, str]) -> RunRequest:
    """Return the request of a run; ``given`` are its secret parameters, which are not recorded.

    Raises ``RunError`` for a secret that is missing, or a parameter that was none.
    """
    params = recorded_params(original)
    hidden = {name for name, text in params.items() if text == REDACTED}
    if any(REDACTED in word for word in original.command):
        raise RunError(
            f"the command of run {original.id} contained a secret, which is not recorded",
            found=" ".join(original.command)[:200],
            hint="run it again with `freeze run`, the secret as a parameter: "
            "-p token=... and {token} in the command; such runs can be reproduced",
        )
    if hidden != given.keys():
        raise RunError(
            f"run {original.id} was recorded without its secret parameters"
            if hidden - given.keys()
            else f"only secret parameters of run {original.id} can be set",
            found=", ".join(sorted(given)) or "none given",
            expected=", ".join(f"-p {name}=..." for name in sorted(hidden)) or "none",
        )
    seed, (gpus, positions) = original.fields.get("seed"), recorded_gpus(original)
    return RunRequest(
        command=original.command,
        params={**params, **given},
        seed=seed if isinstance(seed, int) else None,
        gpus=gpus,
        gpu_positions=positions,
        links={"reproduces": original.id},
        template=str(original.fields.get("template", "")),
    )


def as_it_was(prepared: PreparedRun, original: Run) -> PreparedRun:
    """Return a prepared run with the resources of the original, whatever the spec says now."""
    spec = prepared.environment.spec
    found = original.fields
    known = {
        "cpus": found.get("resources.cpus"),
        "memory": found.get("resources.memory"),
        "threads": _whole(found.get("settings.OMP_NUM_THREADS")),
        "network": found.get("network", False),
    }
    resources = spec.resources.model_copy(update=known)
    environment = replace(
        prepared.environment, spec=spec.model_copy(update={"resources": resources})
    )
    return replace(prepared, environment=environment)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def recorded_lock(project: Project, original: Run) -> Locked:
    """Return the lock of a run: the current one, or one from the history."""
    wanted = str(original.fields["lock"])
    now = load_locked(project.root, original.environment)
    return now if now.id == wanted else generation(project, original.environment, wanted)


def recorded_image(project: Project, original: Run, locked: Locked) -> ImageInfo:
    """Return the image of a run, rebuilt if necessary. Raises ``RunError``."""
    wanted = str(original.fields["image"])
    found = project.engine().image(wanted)
    if found is None:
        built = build_locked(project, locked, latest=False)
        found = project.engine().image(built.image) if built.image == wanted else None
    if found is None:
        raise RunError(
            f"the image of run {original.id} is not available",
            found=f"lock {locked.id[:12]} builds another one",
            expected=wanted[:19],
        )
    return found


def same_data(project: Project, original: Run) -> list[tuple[DataSet, Snapshot]]:
    """Return the run's data sets. Raises ``DataError`` listing all that changed."""
    names = tuple(
        name.removeprefix("data.")
        for name, value in original.fields.items()
        if name.startswith("data.") and f"{name}.list" in original.fields and value
    )
    if not names:
        return []
    found = [(one, take(project, one)) for one in data_sets(project, original.environment, names)]
    changed = [
        one.name
        for one, snapshot in found
        if str(original.fields[f"data.{one.name}"]) != snapshot.digest
    ]
    if changed:
        raise DataError(
            f"the data of run {original.id} have changed",
            found=", ".join(changed),
            hint=f"`freeze data diff {changed[0]}` lists the files; restore them first",
        )
    return found
