"""The recorded facts of a run: the inputs that decide its results, and its outcome."""

from __future__ import annotations

import json
import math
import socket
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from freezer.engine.run.process import this_process
from freezer.errors import CheckError, FreezerError
from freezer.fetch.http.secret_words import REDACTED, is_secret_name, redact_text, redact_words
from freezer.fetch.store.untrusted import read_untrusted
from freezer.flows.project.environment import LOCKS
from freezer.flows.runs.request import recorded_command, typed
from freezer.flows.runs.results.outputs import list_outputs
from freezer.flows.support.clock import now_micros
from freezer.history.log import read_history
from freezer.model.canonical import digest, json_bytes
from freezer.model.record.protocol import parse_lines
from freezer.model.record.run import Digest, Run, Time, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.engine.interface import ImageInfo, RunOptions, RunResult
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.flows.runs.code import Code
    from freezer.flows.runs.prepare import PreparedRun
    from freezer.flows.runs.protocol import Filter, Report
    from freezer.flows.runs.request import RunRequest

USAGE: Final = "usage.json"
INTERRUPTED: Final = 130
"""Exit code of a run that was interrupted."""
_HOST_MEMO: Final = "run-host"
_SETTINGS: Final = (
    "PYTHONHASHSEED", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_DYNAMIC",
    "MKL_DYNAMIC", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS", "OPENBLAS_CORETYPE", "MKL_CBWR", "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA", "XLA_FLAGS", "FREEZER_NUMERICS",
)  # fmt: skip
"""Variables that change numeric results: only these are recorded, with their values in force."""


def begun(project: Project, prepared: PreparedRun, request: RunRequest, identifier: str) -> Run:
    """Return the run at its start, with everything that decides its results."""
    spec, seed, engine = prepared.environment.spec, request.seed, project.engine()
    seed = spec.determinism.seed if seed is None else seed
    command, secrets = recorded_command(request, seed)
    params = {
        name: REDACTED if is_secret_name(name) else redact_text(text, secrets)
        for name, text in request.params.items()
    }
    template = " ".join(redact_words(request.command)[0])
    fields: dict[str, Value] = {
        "template": template if request.template is None else request.template,
        "lock": Digest(prepared.locked.id),
        "image": Digest(prepared.image.id),
        "seed": seed,
        "network": spec.resources.network,
        "engine": f"{engine.info.name} {engine.info.version}",
        "host.name": socket.gethostname(),
        **_code_fields(prepared.code),
        **{f"params.{one}": typed(text) for one, text in params.items()},
        **{f"given.{one}": text for one, text in params.items()},
        **{f"data.{one.name}": Digest(snapshot.digest) for one, snapshot in prepared.sets},
        **{f"data.{one.name}.list": Digest(snapshot.listing) for one, snapshot in prepared.sets},
    }
    generation = _generation(project, prepared.locked)
    if generation is not None:
        fields["generation"] = generation
    if request.checkpoint is not None:
        fields.update(request.checkpoint.fields())
    if request.plan is not None:
        fields["plan"] = Digest(digest(request.plan.data))
    return Run(
        id=identifier,
        environment=prepared.environment.name,
        state="running",
        started=Time(now_micros()),
        command=command,
        fields=fields,
        links=request.links,
        owner={**this_process(), "output": str(prepared.output)},
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
    if code.files:
        fields["git.files"] = Digest(code.files)
    if code.patch:
        fields["git.patch"] = Digest(digest(code.patch))
    if code.left_out:
        fields["git.left-out"] = ", ".join(code.left_out[:50])
    return fields


def _generation(project: Project, locked: Locked) -> int | None:
    name = locked.lock.name
    with suppress(FreezerError):
        head = read_history(project.root / LOCKS / name, f"{LOCKS}/{name}").head
        return head.number if head is not None and head.lock_id == locked.id else None
    return None


def ended(
    project: Project,
    prepared: PreparedRun,
    begun: Run,
    printed: Filter,
    result: RunResult | None,
    host: tuple[str, Mapping[str, Any] | None],
) -> Run:
    """Return the run at its end; ``result`` is None if it was interrupted.

    ``host`` is the result of `known_host`.
    """
    memo_key, known = host
    facts = known or read_host(project, prepared, memo_key)
    fields: dict[str, Value] = {**_usage(prepared), **host_fields(facts)}
    if result is not None and result.out_of_memory:
        fields["out-of-memory"] = True
    state = "interrupted" if result is None else "failed" if result.exit_code else "finished"
    outputs, left_out = list_outputs(prepared.output, project.report)
    if left_out:
        fields["outputs.left-out"] = ", ".join(left_out[:50])
        project.report.warn(
            f"outputs that are not recorded ({len(left_out)}): {', '.join(left_out[:5])}"
        )
    return replace(
        begun.with_fields(fields),
        state=state,
        ended=Time(now_micros()),
        exit_code=INTERRUPTED if result is None else result.exit_code,
        outputs=outputs,
        tail=printed.tail(),
    )


def host_fields(facts: Mapping[str, Any] | None) -> dict[str, Value]:
    """Return the recorded ones of a host's facts."""
    return {
        f"host.{name}": str(facts[name])
        for name in ("class", "level", "cpu", "kernel")
        if facts and isinstance(facts.get(name), str)
    }


def failed(begun: Run, error: FreezerError) -> Run:
    """Return a run that failed before its command ended, such as when the engine went away."""
    ended = Time(now_micros())
    return replace(begun, state="failed", ended=ended, tail=redact_text(f"error: {error}"))


def reported(begun: Run, report: Report) -> Run:
    """Return a run with the fields its training reported; existing fields are not replaced.

    A training may report a data set by the name that the spec gives to the mounted one: that is
    another fact, under another name.
    """
    fields: dict[str, Value] = {}
    for name, value in dict(report.fields).items():  # others are reported meanwhile
        taken = name.startswith("data.") and name in begun.fields
        fields[f"{name}.reported" if taken else name] = value
    return begun.with_fields(fields)


def without_secrets(run: Run, secrets: Sequence[str]) -> Run:
    """Return a run without the command's secrets in its fields, tags and last lines."""
    fields = {
        name: REDACTED
        if name.startswith("params.") and is_secret_name(name) and value != ""
        else redact_text(value, secrets)
        if isinstance(value, str)
        else value
        for name, value in run.fields.items()
    }
    tags = {name: redact_text(text, secrets) for name, text in run.tags.items()}
    return replace(run, fields=fields, tags=tags, tail=redact_text(run.tail, secrets))


def settings_in_force(image: ImageInfo, confined: RunOptions) -> dict[str, Value]:
    """Return the settings in force in the container that change numeric results."""
    inside = {**image.environment, **confined.environment}
    found: dict[str, Value] = {
        f"settings.{name}": inside[name] for name in _SETTINGS if name in inside
    }
    if confined.cpus is not None:
        found["resources.cpus"] = confined.cpus
    if confined.memory is not None:
        found["resources.memory"] = confined.memory
    found["resources.gpus"] = confined.gpus
    if confined.gpu_positions:
        found["resources.gpu-count"] = len(confined.gpu_positions)
        found["resources.gpu-positions"] = ",".join(map(str, confined.gpu_positions))
    return found


def _usage(prepared: PreparedRun) -> dict[str, Value]:
    """Return CPU time and peak memory, as written by the runner in the container."""
    try:
        return usage_fields(read_untrusted(prepared.record / USAGE, 10_000))
    except OSError:
        return {}


def usage_fields(data: bytes | str) -> dict[str, Value]:
    """Return what the runner's file says; nothing of one that is not as the runner writes it."""
    try:
        found = json.loads(data)
        cpu, peak = float(found["cpu"]), int(found["peak"])
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return {}
    sane = math.isfinite(cpu) and cpu >= 0 and 0 <= peak < 1 << 62
    return {"cpu-seconds": cpu, "peak-memory": peak} if sane else {}


def known_host(project: Project, image: ImageInfo) -> tuple[str, Mapping[str, Any] | None]:
    """Return the cached host description for an image; it is read once per boot."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as stream:  # noqa: PTH123 - of the kernel
            boot = stream.read(100)
    except OSError:
        boot = ""
    key = digest(json_bytes([image.id, boot, project.engine().info.id]))
    known = project.store.get_memo(_HOST_MEMO, key)
    return key, known if isinstance(known, dict) and boot else None


def read_host(project: Project, prepared: PreparedRun, memo_key: str) -> Mapping[str, Any] | None:
    """Return the host description reported by the container, and cache it; None without one."""
    try:
        data = read_untrusted(prepared.record / "host", 1 << 20)
        lines = [line for line in data.splitlines() if line.strip()]
        host, _ = parse_lines(lines)
    except (OSError, CheckError):
        return None
    if host is None:
        return None
    document: dict[str, Any] = host.model_dump(mode="json", by_alias=True)
    project.store.put_memo(_HOST_MEMO, memo_key, document)
    return document
