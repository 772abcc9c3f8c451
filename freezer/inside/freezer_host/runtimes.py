"""Container runtimes of a host, by their command lines: docker, podman, Apptainer, enroot.

All run the trainings under the settings of ``freeze check``: no network, a read-only root, no
capabilities, the spec's CPUs and memory. What a runtime cannot limit is in its title, and so in
the verdict. Apptainer was tried by hand (1.4.5, as root, without systemd: the results were those of
docker), enroot never: it follows its documentation.
https://apptainer.org/docs/user/main/cli/apptainer_exec.html,
https://github.com/NVIDIA/enroot/blob/master/doc/cmd/start.md.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from abc import ABC, abstractmethod
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from .process import Done, call

_LOADING = 1800.0
"""Seconds for loading or pulling an image."""
_TMPFS = "/tmp:rw,size=512m,mode=1777"  # noqa: S108 - inside the container
_CONTROLLERS = ("pids", "memory", "cpuset")
_ANSWER = 30.0
"""Seconds for a runtime to say what it is."""


class NoRuntimeError(Exception):
    """No container runtime of this host can be used."""


class ImageError(Exception):
    """The image cannot be had on this host."""


class Runtime(ABC):
    """A container runtime."""

    name = ""
    not_started: Tuple[int, ...] = (125, 126, 127)
    """Exit statuses of a container that was not started, as docker and podman use them."""

    notes: Tuple[str, ...] = ()
    """What has to be known of results, such as ``untested``."""

    def __init__(self, answer: str) -> None:
        """``answer``: what the runtime says when it is asked for its version."""
        found = re.search(r"[0-9][0-9A-Za-z.+~-]*", answer)
        self.version = found[0] if found else ""

    @property
    def title(self) -> str:
        """Name, version and notes, such as ``docker 28.5.2``."""
        notes = " (%s)" % ", ".join(self.notes) if self.notes else ""
        return ("%s %s%s" % (self.name, self.version, notes)).strip()

    @property
    def pins(self) -> bool:
        """Whether the runtime itself confines a container to some CPUs."""
        return True

    @contextlib.contextmanager
    def pinned(self, environment: Dict[str, Any]) -> Iterator[None]:
        """Pin this process, whose children inherit it, where the runtime pins none."""
        if self.pins:
            yield
            return
        usable = os.sched_getaffinity(0)
        os.sched_setaffinity(0, _chosen(int(environment["cpus"])))
        try:
            yield
        finally:
            os.sched_setaffinity(0, usable)

    @abstractmethod
    def ensure_image(self, environment: Dict[str, Any]) -> str:
        """Return a name of the image for `command`, loaded where it was missing."""

    @abstractmethod
    def command(self, image: str, environment: Dict[str, Any], name: str) -> List[str]:
        """Return the command line that runs the trainings."""

    def end(self, name: str) -> None:  # noqa: B027 - most runtimes leave none behind
        """End a container that still runs."""


class Docker(Runtime):
    """docker, and podman with the same command line."""

    name = "docker"

    def ensure_image(self, environment: Dict[str, Any]) -> str:
        """Return a name of the image, loaded where it was missing."""
        digests = [one for one in (environment["image"], environment.get("manifest")) if one]
        found = self._held(digests, digests)
        if found is not None:
            return found
        if environment.get("pull"):
            done = call([self.name, "pull", "--quiet", environment["pull"]], _LOADING)
            names = [environment["pull"]]
        else:
            done = call([self.name, "load", "--quiet", "--input", environment["archive"]], _LOADING)
            names = [*digests, *_loaded(done)]
        if done.exit != 0:
            raise ImageError(done.errors.strip()[-1000:] or done.why)
        found = self._held(names, digests)
        if found is None:
            raise ImageError("%s has another image than the task names" % self.title)
        return found

    def _held(self, names: Sequence[str], digests: Sequence[str]) -> Optional[str]:
        """Return the first name under which the runtime holds an image of one of the digests.

        An engine's own ID is the digest of the config or, in containerd's store, of the manifest.
        """
        wanted = {one.rpartition(":")[2] for one in digests}
        for name in names:
            done = call([self.name, "image", "inspect", "--format", "{{.Id}}", name], _ANSWER)
            digest = done.out.decode("utf-8", "replace").strip().rpartition(":")[2]
            if done.exit == 0 and digest in wanted:
                return name
        return None

    def command(self, image: str, environment: Dict[str, Any], name: str) -> List[str]:
        """Return the command line that runs the trainings."""
        program, *arguments = environment["command"]
        return [
            self.name, "run", "--rm", "--name", name, "--label", "freezer=1",
            "--network", "none", "--read-only", "--tmpfs", _TMPFS,
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            *self.limits(environment), "--hostname", "freezer",
            *self.extra, *self.gpus(environment),
            "--entrypoint", program, image, *arguments,
        ]  # fmt: skip

    def limits(self, environment: Dict[str, Any]) -> List[str]:
        """Return the options for the controllers that the runtime has."""
        memory = environment["memory"]
        options = {
            "pids": ["--pids-limit", "4096"],
            "memory": ["--memory", memory, "--memory-swap", memory],
            "cpuset": ["--cpuset-cpus", _cpus(int(environment["cpus"]))],
        }
        return [word for name in _CONTROLLERS if name not in self.lacks for word in options[name]]

    lacks: Tuple[str, ...] = ()
    """Controllers that the runtime may not use."""
    extra: Tuple[str, ...] = ("--log-driver", "none", "--pull", "never")

    def gpus(self, environment: Dict[str, Any]) -> List[str]:
        """Return the options for GPUs: those that Slurm gave to the job, or all."""
        if not environment.get("gpus"):
            return []
        given = _given_gpus()
        return ["--gpus", '"device=%s"' % ",".join(given) if given else "all"]

    def end(self, name: str) -> None:
        """End a container that still runs."""
        call([self.name, "kill", name], _ANSWER)


class Podman(Docker):
    """podman, also without root, where it has the controllers that systemd delegates, or none."""

    name = "podman"

    def __init__(self, answer: str) -> None:
        """``answer``: version, ``true`` without root, and the controllers in brackets."""
        super().__init__(answer)
        rootless = " true " in answer
        held = re.findall(r"[a-z]+", answer.partition("[")[2])
        self.lacks = tuple(one for one in _CONTROLLERS if rootless and one not in held)
        missing = ("no limit of %s" % " and ".join(self.lacks),) if self.lacks else ()
        self.notes = ("rootless", *missing) if rootless else ()

    @property
    def pins(self) -> bool:
        """Whether it may use the controller of CPU sets."""
        return "cpuset" not in self.lacks

    def gpus(self, environment: Dict[str, Any]) -> List[str]:
        """Return the options for GPUs, by the names of the container device interface."""
        if not environment.get("gpus"):
            return []
        given = _given_gpus() or ["all"]
        return [part for one in given for part in ("--device", "nvidia.com/gpu=%s" % one)]


class Apptainer(Runtime):
    """Apptainer: the archive is converted once, next to it.

    It limits nothing where it has no cgroups of its own: without systemd, or not delegated.
    """

    name = "apptainer"
    notes: Tuple[str, ...] = ("not in the tests",)
    not_started = (127, 255)
    limited = True

    def ensure_image(self, environment: Dict[str, Any]) -> str:
        """Return a name of the image, loaded where it was missing."""
        source = environment.get("archive")
        target = (source or _cache(environment)) + ".sif"
        uri = "oci-archive:" + source if source else "docker://" + environment["pull"]
        image = _converted(target, lambda path: [self.name, "build", path, uri])
        tried = call([*self._exec(environment), image, "true"], _ANSWER)
        if tried.exit != 0 and "cgroups" in tried.errors:
            self.limited = False
            self.notes = (*type(self).notes, "no limit of pids and memory and cpuset")
        return image

    @property
    def pins(self) -> bool:
        """Whether it may use the controller of CPU sets."""
        return self.limited

    def command(self, image: str, environment: Dict[str, Any], name: str) -> List[str]:
        """Return the command line that runs the trainings; the process has no name."""
        del name
        return [*self._exec(environment), image, *environment["command"]]

    def _exec(self, environment: Dict[str, Any]) -> List[str]:
        memory = environment["memory"]
        limits = [
            "--memory", memory, "--memory-swap", memory,
            "--pids-limit", "4096", "--cpuset-cpus", _cpus(int(environment["cpus"])),
        ]  # fmt: skip
        return [
            self.name, "exec", "--containall", "--cleanenv", "--no-home", "--no-privs",
            "--net", "--network", "none", "--hostname", "freezer",
            *(limits if self.limited else []), *(["--nv"] if environment.get("gpus") else []),
        ]  # fmt: skip


class Enroot(Runtime):
    """enroot, from a registry: it imports no OCI layout. Untested.

    It confines nothing: network and limits are those of the job.
    """

    name = "enroot"
    notes = ("untested", "not confined")

    @property
    def pins(self) -> bool:
        """It confines nothing."""
        return False

    def ensure_image(self, environment: Dict[str, Any]) -> str:
        """Return a name of the image, loaded where it was missing."""
        if not environment.get("pull"):
            raise ImageError("enroot imports images from a registry only: start with --pull")
        host, _, rest = environment["pull"].partition("/")
        # Its addresses have no digests; what stands in the place of the tag is asked for as it is.
        uri = "docker://%s#%s" % (host, rest.replace("@", ":", 1))
        target = _cache(environment) + ".sqsh"
        return _converted(target, lambda path: [self.name, "import", "--output", path, uri])

    def command(self, image: str, environment: Dict[str, Any], name: str) -> List[str]:
        """Return the command line that runs the trainings; the process has no name."""
        del name
        return [self.name, "start", image, *environment["command"]]


KINDS = {kind.name: kind for kind in (Docker, Podman, Apptainer, Enroot)}
_VERSIONS = {
    "docker": ["docker", "version", "--format", "{{.Server.Version}}"],
    "podman": [
        "podman",
        "info",
        "--format",
        "{{.Version.Version}} {{.Host.Security.Rootless}} {{.Host.CgroupControllers}}",
    ],
    "apptainer": ["apptainer", "--version"],
    "enroot": ["enroot", "version"],
}


def find_runtime(names: Sequence[str]) -> Runtime:
    """Return the first runtime that works. Raises ``NoRuntimeError`` with what each one said."""
    said = []
    for name in names:
        if shutil.which(name) is None:
            said.append("%s: not installed" % name)
            continue
        done = call(_VERSIONS[name], _ANSWER)
        if done.exit == 0:
            return KINDS[name](done.out.decode("utf-8", "replace"))
        said.append("%s: %s" % (name, done.why))
    raise NoRuntimeError("; ".join(said))


def _loaded(done: Done) -> List[str]:
    """Return the names that ``docker load`` and ``podman load`` print."""
    said = done.out.decode("utf-8", "replace")
    return re.findall(r"^Loaded image(?: ID|\(s\))?: *(\S+)", said, re.MULTILINE)


def _cpus(count: int) -> str:
    """Return the CPUs to pin to: the first of those that the job may use, after its number.

    Jobs that share a node start at other CPUs, so that they do not all wait for the first one.
    """
    return ",".join(str(cpu) for cpu in _chosen(count))


def _chosen(count: int) -> List[int]:
    usable = sorted(os.sched_getaffinity(0))
    first = int(os.environ.get("SLURM_JOB_ID") or 0) * count % len(usable)
    return sorted((usable[first:] + usable[:first])[:count])


def _converted(target: str, command: Callable[[str], List[str]]) -> str:
    """Return an image in another format, made where it is missing.

    Raises ``ImageError`` for one of another user, who could put anything there.
    """
    if not os.path.exists(target):
        temporary = "%s.%s.%d" % (target, os.uname().nodename, os.getpid())
        try:
            done = call(command(temporary), _LOADING)
            if done.exit != 0:
                raise ImageError(done.errors.strip()[-1000:] or done.why)
            os.replace(temporary, target)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    if os.stat(target).st_uid not in (0, os.getuid()):
        raise ImageError("%s is another user's" % target)
    return target


def _given_gpus() -> List[str]:
    given = os.environ.get("SLURM_JOB_GPUS") or os.environ.get("CUDA_VISIBLE_DEVICES") or ""
    return [one.strip() for one in given.split(",") if one.strip()]


def _cache(environment: Dict[str, Any]) -> str:
    digest = str(environment["image"]).rpartition(":")[2]
    return os.path.join(str(environment["images"]), digest)
