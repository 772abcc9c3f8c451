"""What is recorded of a run: what decided its results before it starts, and what came out."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import replace
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import CheckError, DataError, FreezerError
from freezer.fetch.http.redact import redact
from freezer.flows.history.generations import history
from freezer.flows.runs.outputs import list_outputs
from freezer.flows.runs.request import filled
from freezer.model.canonical import digest, json_bytes
from freezer.model.record.protocol import parse_lines
from freezer.model.record.run import Digest, Run, Time, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.engine.interface import ImageInfo, RunOptions, RunResult
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.flows.runs.code import Code
    from freezer.flows.runs.protocol import Report
    from freezer.flows.runs.request import RunRequest
    from freezer.flows.runs.scene import Scene

TAIL: Final = 40
"""Last lines of the output that are kept."""
INTERRUPTED: Final = 130
"""Exit code of a run that was ended from outside."""
_HOST_MEMO: Final = "run-host"
_SETTINGS: Final = (
    "PYTHONHASHSEED", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_DYNAMIC",
    "MKL_DYNAMIC", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS", "OPENBLAS_CORETYPE", "MKL_CBWR", "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA", "XLA_FLAGS", "FREEZER_NUMERICS",
)  # fmt: skip
"""Variables that move numbers: those in force are recorded, by name and no others."""


def begun(project: Project, scene: Scene, request: RunRequest, identifier: str) -> Run:
    """Return the run as it starts: everything that decides its results."""
    spec, seed, engine = scene.environment.spec, request.seed, project.engine()
    seed = spec.determinism.seed if seed is None else seed
    command = filled(request.command, request.params, seed)
    fields: dict[str, Value] = {
        "template": " ".join(redact(word) for word in request.command),
        "lock": Digest(scene.locked.id),
        "image": Digest(scene.image.id),
        "seed": seed,
        "network": spec.resources.network,
        "engine": f"{engine.info.name} {engine.info.version}",
        "host.name": socket.gethostname(),
        **_code_fields(scene.code),
        **{f"params.{one}": value for one, value in request.params.items()},
        **{f"given.{one}": value for one, value in request.params.items()},
        **{f"data.{one.name}": Digest(snapshot.digest) for one, snapshot in scene.sets},
        **{f"data.{one.name}.list": Digest(snapshot.listing) for one, snapshot in scene.sets},
    }
    generation = _generation(project, scene.locked)
    if generation is not None:
        fields["generation"] = generation
    return Run(
        id=identifier,
        environment=scene.environment.name,
        state="running",
        started=Time(time_ns() // 1000),
        command=tuple(redact(word) for word in command),
        fields=fields,
        links=request.links,
        owner={"host": socket.gethostname(), "pid": os.getpid()},
    )


def _code_fields(code: Code) -> dict[str, Value]:
    if not code.commit:
        return {}
    fields: dict[str, Value] = {
        "git.commit": Digest(code.commit),
        "git.branch": code.branch,
        "git.dirty": code.dirty,
    }
    if code.remote:
        fields["git.remote"] = code.remote
    if code.patch:
        fields["git.patch"] = Digest(digest(code.patch))
    if code.left_out:
        fields["git.left-out"] = ", ".join(code.left_out[:50])
    return fields


def _generation(project: Project, locked: Locked) -> int | None:
    with suppress(FreezerError):
        head = history(project, locked.lock.name).head
        return head.number if head is not None and head.lock_id == locked.id else None
    return None


def ended(
    project: Project,
    scene: Scene,
    begun: Run,
    report: Report,
    result: RunResult | None,
    host: tuple[str, Mapping[str, Any] | None],
) -> Run:
    """Return the run as it ended; ``result`` is None for one that was ended from outside.

    ``host`` is what `known_host` gave.
    """
    memo_key, known = host
    facts = known or read_host(project, scene, memo_key)
    fields: dict[str, Value] = {**report.fields, **_usage(scene)}
    for name in ("class", "level", "cpu", "kernel"):
        if facts and isinstance(facts.get(name), str):
            fields[f"host.{name}"] = str(facts[name])
    if result is not None and result.out_of_memory:
        fields["out-of-memory"] = True
    state = "interrupted" if result is None else "failed" if result.exit_code else "finished"
    return replace(
        begun.with_fields(fields),
        state=state,
        ended=Time(time_ns() // 1000),
        exit_code=INTERRUPTED if result is None else result.exit_code,
        outputs=_outputs(project, scene),
        tail="" if result is None else _tail(result),
    )


def _outputs(project: Project, scene: Scene) -> tuple[Any, ...]:
    try:
        return list_outputs(scene.output, project.report)
    except DataError as error:
        project.report.warn(f"the outputs are not listed: {error.what}")
        return ()


def _tail(result: RunResult) -> str:
    text = (result.stdout + result.stderr).decode("utf-8", "replace")
    return redact("\n".join(text.splitlines()[-TAIL:]))


def settings_in_force(image: ImageInfo, confined: RunOptions) -> dict[str, Value]:
    """Return the settings that move results, as they are in force in the container."""
    inside = {**image.environment, **confined.environment}
    found: dict[str, Value] = {
        f"settings.{name}": inside[name] for name in _SETTINGS if name in inside
    }
    if confined.cpus is not None:
        found["resources.cpus"] = confined.cpus
    if confined.memory is not None:
        found["resources.memory"] = confined.memory
    found["resources.gpus"] = confined.gpus
    return found


def _usage(scene: Scene) -> dict[str, Value]:
    """Return what the command took, as the runner in the container wrote it down."""
    try:
        data = (scene.record / "usage.json").read_bytes()[:10_000]
        found = json.loads(data)
        return {"cpu-seconds": float(found["cpu"]), "peak-memory": int(found["peak"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def known_host(project: Project, image: ImageInfo) -> tuple[str, Mapping[str, Any] | None]:
    """Return what is known of this host in an image: it is asked once for each boot."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as stream:  # noqa: PTH123 - of the kernel
            boot = stream.read(100)
    except OSError:
        boot = ""
    key = digest(json_bytes([image.id, boot, project.engine().info.id]))
    known = project.store.get_memo(_HOST_MEMO, key)
    return key, known if isinstance(known, dict) and boot else None


def read_host(project: Project, scene: Scene, memo_key: str) -> Mapping[str, Any] | None:
    """Return what the container said of the host, and keep it; None where it said nothing."""
    try:
        data = (scene.record / "host").read_bytes()[: 1 << 20]
        lines = [line for line in data.splitlines() if line.strip()]
        host, _ = parse_lines(lines)
    except (OSError, CheckError):
        return None
    if host is None:
        return None
    document: dict[str, Any] = host.model_dump(mode="json", by_alias=True)
    project.store.put_memo(_HOST_MEMO, memo_key, document)
    return document
