"""One rank of a user's training: a container, its captured output, and what became of it."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from typing import IO, Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .capture import Capture
from .containers import (
    Container,
    TooFewCpusError,
    chosen_cpus,
    client_variables,
    command_line,
    user_of,
)
from .facts import host_facts
from .process import at_end, call
from .runtimes import ImageError, NoRuntimeError, Runtime, find_runtime

OUTPUT = "output"
RECORD = "record"
_KILLED = 137
_BLOCK = 1 << 16
_LARGEST = 1 << 20
"""Bytes of a file that the runner in the container wrote."""
_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
_SURVEY = 300.0
"""Seconds for a container that reports the host's numerics class."""


class Place(NamedTuple):
    """Which of a run's processes this one is."""

    rank: int
    local: int
    ranks: int
    per_node: int

    def variables(self) -> Dict[str, str]:
        """Return what distributed trainings read; see ``torchrun``."""
        if self.ranks == 1:
            return {}
        port = 20000 + int(os.environ.get("SLURM_JOB_ID") or 0) % 20000
        return {
            "RANK": str(self.rank),
            "WORLD_SIZE": str(self.ranks),
            "LOCAL_RANK": str(self.local),
            "LOCAL_WORLD_SIZE": str(self.per_node),
            "MASTER_ADDR": os.environ.get("SLURM_LAUNCH_NODE_IPADDR") or "127.0.0.1",
            "MASTER_PORT": str(port),
        }


class NotRunError(Exception):
    """The command did not start on this host."""

    def __init__(self, outcome: str, reason: str, runtime: str = "") -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.runtime = outcome, reason[:2000], runtime


def node() -> str:
    """Return this host as Slurm names it."""
    return os.environ.get("SLURMD_NODENAME") or os.uname().nodename


def run_rank(task: Mapping[str, Any], place: Place, folder: str) -> Dict[str, Any]:
    """Run the command in a container to its end; return what the result file says of it.

    ``folder`` gets the captured output and what the runner in the container writes.
    """
    record = os.path.join(folder, RECORD)
    os.makedirs(record, exist_ok=True)
    said: Dict[str, Any] = {"rank": place.rank, "node": node(), "facts": host_facts()}
    try:
        said.update(_run(task, place, folder, record))
    except NotRunError as error:
        said.update(outcome=error.outcome, reason=error.reason, runtime=error.runtime)
    return said


def survey(task: Mapping[str, Any], place: Place) -> Dict[str, Any]:
    """Return the numerics class of this host, as the image reports it, and nothing else."""
    said: Dict[str, Any] = {"rank": place.rank, "node": node()}
    try:
        runtime, image = _ready(task)
        one = _container(task, place, runtime, image, task["fingerprint"], [])
        done = call(command_line(runtime, one), _SURVEY, _LARGEST)
    except NotRunError as error:
        return {**said, "outcome": error.outcome, "reason": error.reason}
    if done.exit != 0:
        return {**said, "outcome": "no-runtime", "reason": done.why}
    return {**said, "outcome": "ran", "host": done.out.decode("utf-8", "replace")}


def _ready(task: Mapping[str, Any]) -> Tuple[Runtime, str]:
    """Return a runtime and its name of the image. Raises ``NotRunError``."""
    try:
        runtime = find_runtime(task["runtimes"])
    except NoRuntimeError as error:
        raise NotRunError("no-runtime", str(error)) from None
    try:
        return runtime, runtime.ensure_image(dict(task["image"]))
    except ImageError as error:
        full = "no space left" in str(error).lower()
        raise NotRunError("no-space" if full else "no-image", str(error), runtime.title) from None


def _container(
    task: Mapping[str, Any],
    place: Place,
    runtime: Runtime,
    image: str,
    command: Sequence[str],
    mounts: Sequence[Mapping[str, Any]],
) -> Container:
    try:
        cpus = chosen_cpus(int(task["cpus"]), place.local, place.per_node)
    except TooFewCpusError as error:
        raise NotRunError("too-few-cpus", str(error), runtime.title) from None
    name = "freezer-run-%s-%d-%d" % (task["run"], place.rank, os.getpid())
    variables = {**task["environment"], **place.variables()}
    return Container(name, image, command, mounts, variables, _secrets(task), cpus, task)


def _secrets(task: Mapping[str, Any]) -> Dict[str, str]:
    """Return the secret parameters, which come in the job's environment."""
    missing = [name for name in task["secrets"].values() if name not in os.environ]
    if missing:
        raise NotRunError("no-secret", "the job's environment lacks %s" % ", ".join(missing))
    return {name: os.environ[name] for name in task["secrets"].values()}


def _command(task: Mapping[str, Any]) -> List[str]:
    """Return the command with secret parameters put in place of ``{name}``."""
    known = {name: os.environ.get(one, "") for name, one in task["secrets"].items()}
    return [_PLACE.sub(lambda match: known.get(match[1], match[0]), one) for one in task["command"]]


def _run(task: Mapping[str, Any], place: Place, folder: str, record: str) -> Dict[str, Any]:
    runtime, image = _ready(task)
    mounts = [*task["mounts"], {"source": record, "target": task["record"], "read-only": False}]
    one = _container(task, place, runtime, image, [*task["runner"], *_command(task)], mounts)
    try:
        words = command_line(runtime, one)
    except ImageError as error:
        raise NotRunError("no-runtime", str(error), runtime.title) from None
    capture = Capture(os.path.join(folder, OUTPUT), list(one.hidden.values()))
    at_end(lambda: runtime.end(one.name))
    started = time.time_ns() // 1000
    code, last = _attached(words, client_variables(runtime, one), capture)
    ended = time.time_ns() // 1000
    capture.close()
    if not os.path.exists(os.path.join(record, "begun")) and code in runtime.not_started:
        full = "no space left" in last.lower()
        why = capture.without_secrets(last.encode()).decode("utf-8", "replace").strip()
        raise NotRunError("no-space" if full else "no-runtime", why, runtime.title)
    return {
        "outcome": "ran",
        "runtime": runtime.title,
        "user": user_of(runtime),
        "exit": code,
        "out-of-memory": code == _KILLED and bool(task.get("memory")),
        "started": started,
        "ended": ended,
        "usage": _written(os.path.join(record, "usage.json")),
        "host": _written(os.path.join(record, "host")),
        "output": capture.document(),
        "cpus": one.cpus,
    }


def _written(path: str) -> str:
    """Return a file that the container wrote, up to a limit; never what a link leads to."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as stream:
            return stream.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""


def _attached(
    words: Sequence[str], variables: Mapping[str, str], capture: Capture
) -> Tuple[int, str]:
    """Run a container; return its exit code and the end of what it wrote to stderr.

    Its stdin stays open as long as this process lives: the runner in the container ends the
    training when it is closed, also by SIGKILL of all processes of the job.
    """
    try:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables},
        )
    except OSError as error:
        return 127, "%s: %s" % (words[0], error.strerror)
    tail = [b""]

    def pass_on(stream: int, source: Optional[IO[bytes]]) -> None:
        while source is not None:
            block = os.read(source.fileno(), _BLOCK)
            if not block:
                return
            capture.add(stream, block)
            if stream == 2:
                tail[0] = (tail[0] + block)[-4000:]

    readers = [
        threading.Thread(target=pass_on, args=one, daemon=True)
        for one in ((1, process.stdout), (2, process.stderr))
    ]
    for reader in readers:
        reader.start()
    code = process.wait()
    for reader in readers:
        reader.join(30.0)
    # Killed by a signal: as shells count it.
    return (128 - code if code < 0 else code), tail[0].decode("utf-8", "replace")
