"""`freeze run`: the user's own training in the frozen image, and everything recorded about it."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import CheckError, DataError, FreezerError, LedgerError, RunError, Where
from freezer.fetch.http.redact import redact
from freezer.flows.data.records import write_record
from freezer.flows.data.sets import data_sets, require_expected, take
from freezer.flows.image.build import build_locked, verified_image
from freezer.flows.project.environment import load_environment, load_locked
from freezer.flows.runs.code import Code, code_of, require_clean
from freezer.flows.runs.outputs import list_outputs
from freezer.flows.runs.place import journals, project_ledger, run_folder
from freezer.flows.runs.protocol import Filter
from freezer.flows.runs.request import (
    PYTHON,
    RECORD,
    RUNNER,
    Folders,
    HostSide,
    RunRequest,
    filled,
    options,
)
from freezer.ledger.journal import Journal
from freezer.ledger.record import record
from freezer.model.canonical import digest, json_bytes
from freezer.model.record.protocol import parse_lines
from freezer.model.record.run import Digest, Run, Time, Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.data.snapshot import Snapshot
    from freezer.engine.interface import Engine, ImageInfo, RunOptions, RunResult
    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.environment import Environment, Locked
    from freezer.flows.project.project import Project
    from freezer.ledger.series import Points

TAIL: Final = 40
"""Last lines of the output that are kept."""
_INTERRUPTED: Final = 130
_SETTINGS: Final = (
    "PYTHONHASHSEED", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_DYNAMIC",
    "MKL_DYNAMIC", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS", "OPENBLAS_CORETYPE", "MKL_CBWR", "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA", "XLA_FLAGS", "FREEZER_NUMERICS",
)  # fmt: skip
"""Variables that move numbers: those in force are recorded, by name and no others."""
Show = Callable[[int, bytes], None]
"""Gets what the command prints: the stream (1 or 2) and the bytes, as they come."""


@dataclass(frozen=True)
class RunDone:
    """A run that ended."""

    run: Run
    output: Path
    exit_code: int
    recorded: bool
    """False where the ledger was out of reach: the journal has the run until it is back."""


@dataclass(frozen=True)
class _Scene:
    """What a run is made of, before it starts."""

    locked: Locked
    environment: Environment
    image: ImageInfo
    code: Code
    sets: list[tuple[DataSet, Snapshot]]
    output: Path
    record: Path


def run(project: Project, name: str | None, request: RunRequest, show: Show) -> RunDone:
    """Run a command in the image of an environment's lock, and record it.

    The image is built first where it is not there. The command's exit code is passed on. Raises
    whatever building raises, ``DataError`` for data that are missing or not as they are pinned,
    ``DirtyTreeError`` with ``clean``, and ``RunError`` for an output folder that is there already.
    """
    if not request.command:
        raise RunError("there is no command to run", expected="freeze run ENV -- COMMAND...")
    identifier = secrets.token_hex(8)
    scene = _scene(project, name, request, identifier)
    engine = project.engine()
    begun = _begun(project, scene, request, identifier, engine)
    journal = Journal(journals(project) / f"{identifier}.jsonl")
    try:
        for data in (scene.code.patch, *_listings(project, scene)):
            if data:
                journal.content(data)
        journal.run(begun)
        return _execute(project, scene, request, begun, journal, show)
    finally:
        journal.close()


def _scene(project: Project, name: str | None, request: RunRequest, identifier: str) -> _Scene:
    """Look at everything that can be at fault here before anything is built or started."""
    environment = load_environment(project.root, name)
    locked = load_locked(project.root, name)
    code = code_of(project.root)
    if request.clean:
        require_clean(code)
    folder = run_folder(project, identifier)
    output = (request.output or folder / "output").absolute()
    if output.exists():
        raise RunError(
            "the output folder is there already",
            where=Where(str(output)),
            hint="name one that is not: what a run leaves must be its own",
        )
    taken = [(one, take(project, one)) for one in _wanted(project, environment, request)]
    for one, snapshot in taken:
        require_expected(one, snapshot.digest)
        write_record(project, environment.name, snapshot)
    image = verified_image(project, locked)
    if image is None:
        build_locked(project, locked)
        image = verified_image(project, locked)
    if image is None:
        raise CheckError(f"the image of lock {locked.id[:12]} is not there after its build")
    record_folder = folder / "record"
    for path in (output, record_folder):
        path.mkdir(parents=True)
    return _Scene(locked, environment, image, code, taken, output, record_folder)


def _wanted(project: Project, environment: Environment, request: RunRequest) -> list[DataSet]:
    if not environment.spec.data and not request.data:
        return []
    return data_sets(project, environment.name, request.data or ())


def _listings(project: Project, scene: _Scene) -> list[bytes]:
    return [project.store.verified(one.listing).read_bytes() for _, one in scene.sets]


def _begun(
    project: Project, scene: _Scene, request: RunRequest, identifier: str, engine: Engine
) -> Run:
    """Return the run as it starts: everything that decides its results."""
    spec, seed = scene.environment.spec, request.seed
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
    from freezer.flows.history.generations import history

    with suppress(FreezerError):
        head = history(project, locked.lock.name).head
        return head.number if head is not None and head.lock_id == locked.id else None
    return None


def _execute(
    project: Project,
    scene: _Scene,
    request: RunRequest,
    begun: Run,
    journal: Journal,
    show: Show,
) -> RunDone:
    engine, filtered = project.engine(), Filter(show)
    memo_key, known = _host_memo(project, scene.image)
    confined = options(
        scene.environment.spec,
        request,
        [one for one, _ in scene.sets],
        folders=Folders(code=project.root, output=scene.output, record=scene.record),
        host=HostSide(
            cpus=engine.info.cpus, gpus=_sees_gpus(scene, request), fingerprint=known is None
        ),
    )
    begun = begun.with_fields(_settings(scene.image, confined))
    seed = request.seed if request.seed is not None else scene.environment.spec.determinism.seed
    command = [PYTHON, RUNNER, RECORD, *filled(request.command, request.params, seed)]
    result: RunResult | None = None
    try:
        result = engine.run(scene.image.id, command, confined, on_output=filtered.take)
    except KeyboardInterrupt:
        project.report.note("Interrupted: the container is removed, and the run is recorded")
    filtered.end()
    ended = _ended(project, scene, begun, filtered, result, known, memo_key)
    metrics = filtered.report.metrics()
    if metrics:
        journal.metrics(metrics)
    journal.run(ended)
    recorded = _record(project, scene, ended, metrics, journal)
    code = _INTERRUPTED if result is None else result.exit_code
    return RunDone(ended, scene.output, code, recorded)


def _record(
    project: Project,
    scene: _Scene,
    ended: Run,
    metrics: Mapping[str, Points],
    journal: Journal,
) -> bool:
    """Record the run; where the ledger is out of reach, the journal keeps it for later."""
    contents = [one for one in (scene.code.patch, *_listings(project, scene)) if one]
    try:
        with project_ledger(project) as ledger:
            record(ledger, ended, metrics, contents)
    except LedgerError as error:
        project.report.warn(
            f"the run is not in the ledger yet: {error.what}; its journal {journal.path.name} has "
            "it, and the next command about runs records it"
        )
        return False
    journal.done()
    return True


def _ended(
    project: Project,
    scene: _Scene,
    begun: Run,
    filtered: Filter,
    result: RunResult | None,
    host: Mapping[str, Any] | None,
    memo_key: str,
) -> Run:
    host = host or _read_host(project, scene, memo_key)
    fields: dict[str, Value] = {**filtered.report.fields, **_usage(scene)}
    for name in ("class", "level", "cpu", "kernel"):
        if host and isinstance(host.get(name), str):
            fields[f"host.{name}"] = str(host[name])
    if result is not None and result.out_of_memory:
        fields["out-of-memory"] = True
    state = "interrupted" if result is None else "failed" if result.exit_code else "finished"
    return replace(
        begun.with_fields(fields),
        state=state,
        ended=Time(time_ns() // 1000),
        exit_code=_INTERRUPTED if result is None else result.exit_code,
        outputs=_outputs(project, scene),
        tail="" if result is None else _tail(result),
    )


def _outputs(project: Project, scene: _Scene) -> tuple[Any, ...]:
    try:
        return list_outputs(scene.output, project.report)
    except DataError as error:
        project.report.warn(f"the outputs are not listed: {error.what}")
        return ()


def _tail(result: RunResult) -> str:
    text = (result.stdout + result.stderr).decode("utf-8", "replace")
    return redact("\n".join(text.splitlines()[-TAIL:]))


def _settings(image: ImageInfo, confined: RunOptions) -> dict[str, Value]:
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


def _usage(scene: _Scene) -> dict[str, Value]:
    """Return what the command took, as the runner in the container wrote it down."""
    try:
        data = (scene.record / "usage.json").read_bytes()[:10_000]
        found = json.loads(data)
        return {"cpu-seconds": float(found["cpu"]), "peak-memory": int(found["peak"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _sees_gpus(scene: _Scene, request: RunRequest) -> bool:
    if request.gpus is not None:
        return request.gpus
    wanted = scene.environment.spec.resources.gpus
    if wanted is None:
        wanted = scene.locked.lock.accelerator is not None
    if not wanted or scene.locked.lock.accelerator is None:
        return wanted
    from freezer.check.gpu import host_gpus, require_driver

    gpus = host_gpus()
    require_driver(scene.locked.lock.accelerator, gpus)
    return bool(gpus)


_HOST_MEMO: Final = "run-host"


def _host_memo(project: Project, image: ImageInfo) -> tuple[str, Mapping[str, Any] | None]:
    """Return what is known of this host in an image: it is asked once for each boot."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as stream:  # noqa: PTH123 - of the kernel
            boot = stream.read(100)
    except OSError:
        boot = ""
    key = digest(json_bytes([image.id, boot, project.engine().info.id]))
    known = project.store.get_memo(_HOST_MEMO, key)
    return key, known if isinstance(known, dict) and boot else None


def _read_host(project: Project, scene: _Scene, memo_key: str) -> Mapping[str, Any] | None:
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
