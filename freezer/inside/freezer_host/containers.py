"""Command lines of a training's container: mounts, limits and variables as in ``freeze run``.

Those of Apptainer and enroot follow their documentation and were not tried, as in `runtimes`.
"""

from __future__ import annotations

import csv
import io
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

from .process import call
from .runtimes import Apptainer, Docker, Enroot, ImageError, Runtime

_ANSWER = 30.0


class Container(NamedTuple):
    """What one container gets."""

    name: str
    image: str
    """As the runtime names it."""
    command: Sequence[str]
    mounts: Sequence[Mapping[str, Any]]
    variables: Mapping[str, str]
    hidden: Mapping[str, str]
    """Variables whose values are secrets: never on a command line."""
    cpus: str
    """Such as ``0,2``."""
    task: Mapping[str, Any]


class TooFewCpusError(Exception):
    """The job may use fewer CPUs than the run needs."""


def command_line(runtime: Runtime, one: Container) -> List[str]:
    """Return the words that run a container in the foreground, with its stdin open."""
    if isinstance(runtime, Docker):
        return _docker(runtime, one)
    if isinstance(runtime, Apptainer):
        return _apptainer(runtime, one)
    assert isinstance(runtime, Enroot)  # noqa: S101 - there is no other
    return _enroot(runtime, one)


def client_variables(runtime: Runtime, one: Container) -> Dict[str, str]:
    """Return variables for the runtime's own process, which passes them on."""
    if isinstance(runtime, Apptainer):
        every = {**one.variables, **one.hidden}
        return {"APPTAINERENV_" + name: text for name, text in every.items()}
    return dict(one.hidden)


def chosen_cpus(count: int, local_rank: int, ranks: int) -> str:
    """Return CPUs to pin a rank to, of those that the job may use.

    Jobs that share a node start at other CPUs, and so do ranks. Raises ``TooFewCpusError``.
    """
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < count:
        raise TooFewCpusError(
            "the run needs %d CPUs, and the job may use %d of this host" % (count, len(usable))
        )
    first = (int(os.environ.get("SLURM_JOB_ID") or 0) * ranks + local_rank) * count % len(usable)
    return ",".join(str(cpu) for cpu in sorted((usable[first:] + usable[:first])[:count]))


def user_of(runtime: Runtime) -> str:
    """Return the user in the container that owns the user's files outside."""
    if isinstance(runtime, Docker) and _is_rootless(runtime):
        return "0:0"
    return "%d:%d" % (os.getuid(), os.getgid())


def _is_rootless(runtime: Docker) -> bool:
    if runtime.name == "podman":
        return os.getuid() != 0
    done = call([runtime.name, "info", "--format", "{{.SecurityOptions}}"], _ANSWER)
    return done.exit == 0 and b"rootless" in done.out


def _docker(runtime: Docker, one: Container) -> List[str]:
    task = one.task
    words = [
        runtime.name, "run", "--rm", "--interactive", "--name", one.name, "--label", "freezer=1",
        "--network", str(task["network"]), "--read-only",
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--pids-limit", str(task["pids"]), "--cpuset-cpus", one.cpus,
        "--user", user_of(runtime), "--workdir", str(task["working-dir"]), *runtime.extra,
    ]  # fmt: skip
    if task["network"] != "host":
        words += ["--hostname", "freezer"]
    if task.get("memory"):
        words += ["--memory", task["memory"], "--memory-swap", task["memory"]]
    for target, options in sorted(task["tmpfs"].items()):
        words += ["--tmpfs", "%s:%s" % (target, options)]
    for mount in one.mounts:
        words += ["--mount", _mount(mount)]
    for name, text in sorted(one.variables.items()):
        words += ["--env", "%s=%s" % (name, text)]
    for name in sorted(one.hidden):
        words += ["--env", name]
    words += runtime.gpus({"gpus": task["gpus"]})
    program, *arguments = one.command
    return [*words, "--entrypoint", program, one.image, *arguments]


def _mount(mount: Mapping[str, Any]) -> str:
    """Return one bind mount as ``--mount`` takes it: a line of CSV."""
    fields = ["type=bind", "src=%s" % mount["source"], "dst=%s" % mount["target"]]
    if mount["read-only"]:
        fields.append("readonly")
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _apptainer(runtime: Apptainer, one: Container) -> List[str]:
    task = one.task
    words = [
        runtime.name, "exec", "--containall", "--cleanenv", "--no-home", "--no-privs",
        "--pids-limit", str(task["pids"]), "--cpuset-cpus", one.cpus,
        "--pwd", str(task["working-dir"]),
    ]  # fmt: skip
    if task["network"] == "none":
        words += ["--net", "--network", "none", "--hostname", "freezer"]
    if task.get("memory"):
        words += ["--memory", task["memory"], "--memory-swap", task["memory"]]
    for mount in one.mounts:
        words += ["--bind", _bind(mount, "%s:%s" % (mount["source"], mount["target"]), ":ro")]
    words += ["--nv"] if task["gpus"] else []
    return [*words, one.image, *one.command]


def _bind(mount: Mapping[str, Any], text: str, read_only: str) -> str:
    if text.count(":") != 1 or "," in text:
        raise ImageError("a path with ':' or ',' cannot be mounted here: %s" % mount["source"])
    return text + (read_only if mount["read-only"] else "")


def _enroot(runtime: Enroot, one: Container) -> List[str]:
    words = [runtime.name, "start", "--rw"]
    for mount in one.mounts:
        text = "%s:%s" % (mount["source"], mount["target"])
        words += ["--mount", _bind(mount, text, ":none:x-create=auto,bind,ro")]
    for name, text in sorted(one.variables.items()):
        words += ["--env", "%s=%s" % (name, text)]
    for name in sorted(one.hidden):
        words += ["--env", name]
    return [*words, one.image, *one.command]
