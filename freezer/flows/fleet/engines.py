"""A handful of hosts by their engines: docker contexts, over ssh or TLS, or a file of addresses.

This process does what a job does on a cluster, for several hosts at once, and writes the same
result files. Nothing of Freezer is needed on the hosts.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Final

from freezer.engine.connect import contexts
from freezer.engine.connect.connect import connect_address, connect_context
from freezer.engine.connect.tunnel import forwarded
from freezer.engine.interface import LayerFile, RunOptions
from freezer.errors import CheckError, FleetError, FreezerError, HostError, Where
from freezer.fleet.folder import FleetFolder, KnownJob, task_document
from freezer.fleet.request import HOST_NAME, Attempt, FleetEnvironment, Request, Submission
from freezer.fleet.state import Cause
from freezer.inside.freezer_host.result import write
from freezer.inside.freezer_host.training import Lines
from freezer.model.events import PartOf
from freezer.model.parsing import parse_json
from freezer.model.yaml_document import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from freezer.engine.engine import DockerEngine
    from freezer.flows.project.project import Project
    from freezer.model.events import Task

_AT_ONCE: Final = 8
_GRACE: Final = 60.0
_LARGEST: Final = 64 << 20
"""Bytes of a document in an image's archive."""
_CONTEXT: Final = "context:"
_INTERRUPTED: Final = "the command was interrupted"
_DONE, _BROKEN = "COMPLETED", "FAILED"
_EXPECTED: Final = "hosts: {NAME: context:NAME | ssh://… | tcp://… | unix://…}"


def engine_addresses(on: str, root: Path, only: tuple[str, ...]) -> dict[str, str]:
    """Return the engines of ``contexts``, ``contexts:a,b`` or a file of hosts, by host.

    Raises ``FleetError`` where there are none, ``SpecError`` for a file that is no YAML.
    """
    kind, _, listed = on.partition(":")
    if kind == "contexts":
        known = contexts.names(os.environ, Path.home())
        names = listed.split(",") if listed else known
        found = {name: f"{_CONTEXT}{name}" for name in names}
        _require_contexts(found, known)
    else:
        found = _hosts_of(on, root)
    unknown = [name for name in only if name not in found]
    if unknown or not found:
        raise FleetError(
            f"there is no host {unknown[0]!r}" if unknown else "there is no docker context",
            expected=", ".join(list(found)[:8]) or None,
            hint="`docker context ls` lists contexts",
        )
    return {name: address for name, address in found.items() if not only or name in only}


def _require_contexts(found: Mapping[str, str], known: Sequence[str]) -> None:
    """Raise ``FleetError`` for a context that does not exist, or cannot be a host's name."""
    for name in found:
        if HOST_NAME.fullmatch(name) is None or name not in known:
            raise FleetError(
                f"there is no docker context {name!r}",
                expected=", ".join(known[:8]) or None,
                hint="`docker context ls` lists contexts; without --on the default one is checked",
            )


def _hosts_of(on: str, root: Path) -> dict[str, str]:
    path = root / on
    if not on.endswith((".yaml", ".yml")):
        raise FleetError(
            f"--on does not take {on!r}",
            expected="slurm:PARTITION[:CONSTRAINT], contexts[:NAME,…] or a file of hosts",
        )
    try:
        document = read_yaml(path.read_bytes(), on)
    except OSError as error:
        raise HostError("the file cannot be read", where=Where(on), found=error.strerror) from None
    hosts = document.values.get("hosts")
    if not isinstance(hosts, dict) or not hosts or set(document.values) != {"hosts"}:
        others = [str(one) for one in document.values if one != "hosts"]
        found = f"the key {others[0]}" if others else None
        raise FleetError(
            "the file names no hosts" if not hosts else "the file is no list of hosts",
            where=Where(on),
            found=found,
            expected=_EXPECTED,
        )
    for name, address in hosts.items():
        if HOST_NAME.fullmatch(str(name)) is None:
            raise FleetError(
                "this cannot be a host's name",
                where=Where(on, document.line(("hosts", name)), "hosts"),
                found=str(name),
                expected="letters, digits and ._+-, a letter or digit first",
            )
        known = ("context:", "ssh://", "tcp://", "unix://")
        if not isinstance(address, str) or not address.startswith(known):
            where = Where(on, document.line(("hosts", name)), f"hosts.{name}")
            raise FleetError(
                "this is no address of an engine",
                where=where,
                found=str(address),
                expected=_EXPECTED,
            )
    return {str(name): str(address) for name, address in hosts.items()}


def check_engines(
    project: Project, folder: FleetFolder, request: Request, wanted: Mapping[str, tuple[str, ...]]
) -> None:
    """Run the trainings on the named hosts, and write their result files.

    A host whose engine does not answer is down; one that fails in between is lost. The caller holds
    the folder's lock.
    """
    number = folder.next_attempt()
    planned = {host: Submission(environments=names) for host, names in wanted.items()}
    attempt = Attempt(
        number=number, created=int(time.time()), nonce=secrets.token_hex(16), hosts=planned
    )
    folder.write_task(number, task_document(folder, request, attempt))
    folder.write_attempt(attempt)
    total, running = len(wanted), _Running()
    with (
        project.report.task("Checking hosts", total=total, unit="hosts") as task,
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        checks = [
            pool.submit(_host, project, folder, request, attempt, host, task, running)
            for host in wanted
        ]
        try:
            done = dict(one.result() for one in checks)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            running.end()
            while wait([one for one in checks if not one.done()], timeout=1.0).not_done:
                running.end()  # again: a container may just have been created
            raise
        finally:
            _keep_unfinished(folder, request, attempt, checks)
    folder.write_attempt(attempt.model_copy(update={"hosts": {**planned, **done}}))


def _keep_unfinished(
    folder: FleetFolder,
    request: Request,
    attempt: Attempt,
    checks: Sequence[Future[tuple[str, Submission]]],
) -> None:
    """Store that hosts were not checked whose turn did not come; `resume` asks them at once."""
    names = [attempt.job_name(request.id, host) for host in attempt.hosts]
    now = time.time()
    folder.keep_jobs(
        {
            name: KnownJob("", _BROKEN, host, _INTERRUPTED, now)
            for name, host, one in zip(names, attempt.hosts, checks, strict=True)
            if one.cancelled()
        }
    )


class _Running:
    """The engines that run trainings now, for the end of all of them."""

    def __init__(self) -> None:
        self._engines: set[DockerEngine] = set()
        self._lock, self._ended = Lock(), False

    @contextmanager
    def on(self, engine: DockerEngine) -> Iterator[None]:
        """Run something on an engine. Raises ``CheckError`` where it was ended from outside."""
        with self._lock:
            self._engines.add(engine)
        try:
            self.require()
            yield
            self.require()
        finally:
            with self._lock:
                self._engines.discard(engine)

    def require(self) -> None:
        """Raise ``CheckError`` after the end."""
        if self._ended:
            raise CheckError(_INTERRUPTED)

    def end(self) -> None:
        """Kill the trainings of all engines, which would otherwise be waited for."""
        self._ended = True
        with self._lock:
            engines = list(self._engines)
        for engine in engines:
            with suppress(FreezerError):
                engine.end_runs()


def _host(
    project: Project,
    folder: FleetFolder,
    request: Request,
    attempt: Attempt,
    host: str,
    task: Task,
    running: _Running,
) -> tuple[str, Submission]:
    """Check one host; return what became of its job, whose state is stored with the fleet's."""
    planned = attempt.hosts[host]
    connected = False
    state, note = _DONE, ""
    try:
        with _engine(request.addresses[host]) as engine:
            connected = True
            for one in request.environments:
                if one.name in planned.environments:
                    with running.on(engine):
                        _check(project, folder, attempt, host, one, engine, running)
    except FreezerError as error:
        note = f"{error.what}: {error.found}" if error.found else error.what
        if not connected:
            down = {"cause": Cause.DOWN.value, "reason": note[:2000]}
            return host, planned.model_copy(update=down)
        state = _BROKEN
    finally:
        task.advance()
    name = attempt.job_name(request.id, host)
    folder.keep_jobs({name: KnownJob("", state, host, note[:500], time.time())})
    return host, planned


@contextmanager
def _engine(address: str) -> Iterator[DockerEngine]:
    if address.startswith(_CONTEXT):
        name = address.removeprefix(_CONTEXT)
        place, _ = contexts.endpoint(name, os.environ, Path.home())
        if not place.startswith("ssh://"):
            engine = connect_context(name)
            try:
                yield engine
            finally:
                engine.close()
            return
        address = place
    with forwarded(address) as local:
        engine = connect_address(local)
        try:
            yield engine
        finally:
            engine.close()


def _check(
    project: Project,
    folder: FleetFolder,
    attempt: Attempt,
    host: str,
    one: FleetEnvironment,
    engine: DockerEngine,
    running: _Running,
) -> None:
    """Run one environment on an engine as ``freeze check`` does; write the result file."""
    _ensure_image(project, one, engine)
    lines = Lines()
    options = RunOptions(
        cpus=one.cpus,
        memory=one.memory,
        timeout=one.timeout + _GRACE,
        gpus=one.gpus and _gpus(engine),
    )
    done = engine.run(
        one.image, one.command, options, on_stdout=lambda line: lines.add(line + b"\n")
    )
    running.require()
    document = {
        "schema": "freezer/host-result/1",
        "fleet": folder.id,
        "attempt": attempt.number,
        "nonce": attempt.nonce,
        "host": host,
        "node": host,
        "environment": one.name,
        "lock-id": one.lock_id,
        "image": one.image,
        "facts": {"storage driver": engine.info.storage_driver, "cpus": str(engine.info.cpus)},
        "outcome": "ran",
        "runtime": f"{engine.info.name} {engine.info.version}",
        "exit": done.exit_code,
        "timed-out": done.timed_out,
        "out-of-memory": done.out_of_memory,
        "seconds": round(done.seconds, 3),
        "lines": lines.text(),
        "errors": done.stderr[-4000:].decode("utf-8", "replace"),
    }
    if not write(str(folder.result(attempt.number, host, one.name)), document):
        raise CheckError("the result file cannot be written")


def _gpus(engine: DockerEngine) -> bool:
    return "nvidia" in engine.info.runtimes


def _ensure_image(project: Project, one: FleetEnvironment, engine: DockerEngine) -> None:
    """Load the image into an engine that lacks it, from its archive; or pull it by digest."""
    if engine.image(one.image) is not None:
        return
    report = PartOf(project.report)
    if one.pull is not None:
        engine.pull(one.pull, platform=engine.info.platform, report=report)
        return
    with project.store.scratch() as scratch:
        config, layers = _unpacked(Path(one.archive or ""), scratch)
        engine.load(config, layers, report=report)


def _unpacked(archive: Path, scratch: Path) -> tuple[bytes, list[LayerFile]]:
    """Return config and layers of an image archive that Freezer wrote; layers go to a folder.

    The engine computes every digest again.
    """
    try:
        with tarfile.open(archive, mode="r:") as tar:
            [image] = parse_json(_member(tar, "manifest.json"))
            config = _member(tar, image["Config"])
            diff_ids = parse_json(config)["rootfs"]["diff_ids"]
            layers: list[LayerFile] = []
            for diff_id, name in zip(diff_ids, image["Layers"], strict=True):
                path = scratch / str(len(layers))
                with _opened(tar, name) as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                layers.append(LayerFile(diff_id, path))
            return config, layers
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(
            "the image's archive cannot be read", where=Where(str(archive)), found=str(error)
        ) from None


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    with _opened(tar, name) as stream:
        return stream.read(_LARGEST)


def _opened(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    stream = tar.extractfile(name)
    if stream is None:
        raise ValueError(f"{name} is no file")
    return stream
