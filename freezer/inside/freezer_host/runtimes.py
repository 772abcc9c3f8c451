"""Container runtimes of a host, by their command lines: docker, podman, Apptainer, enroot.

All run the trainings under the settings of ``freeze check``: no network, a read-only root, no
capabilities, the spec's CPUs and memory. Apptainer and enroot follow their documentation and were
not tried: https://apptainer.org/docs/user/main/cli/apptainer_exec.html,
https://github.com/NVIDIA/enroot/blob/master/doc/cmd/start.md.
"""

from __future__ import annotations

import os
import re
import shutil
from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .process import Done, call

_LOADING = 1800.0
"""Seconds for loading or pulling an image."""
_TMPFS = "/tmp:rw,size=512m,mode=1777"  # noqa: S108 - inside the container
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

    def __init__(self, version: str) -> None:
        self.version = version

    @property
    def title(self) -> str:
        """Name and version, such as ``docker 28.5.2``."""
        return ("%s %s" % (self.name, self.version)).strip()

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
        memory, cpus = environment["memory"], _cpus(int(environment["cpus"]))
        return [
            self.name, "run", "--rm", "--name", name, "--label", "freezer=1",
            "--network", "none", "--read-only", "--tmpfs", _TMPFS,
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
            "--pids-limit", "4096", "--memory", memory, "--memory-swap", memory,
            "--cpuset-cpus", cpus, "--hostname", "freezer",
            *self.extra, *self.gpus(environment),
            "--entrypoint", program, image, *arguments,
        ]  # fmt: skip

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
    """podman, also without root."""

    name = "podman"

    def gpus(self, environment: Dict[str, Any]) -> List[str]:
        """Return the options for GPUs, by the names of the container device interface."""
        if not environment.get("gpus"):
            return []
        given = _given_gpus() or ["all"]
        return [part for one in given for part in ("--device", "nvidia.com/gpu=%s" % one)]


class Apptainer(Runtime):
    """Apptainer: the layout is converted once, next to it. Untested."""

    name = "apptainer"
    not_started = (127, 255)

    def ensure_image(self, environment: Dict[str, Any]) -> str:
        """Return a name of the image, loaded where it was missing."""
        source = environment.get("archive")
        target = (source or _cache(environment)) + ".sif"
        if os.path.exists(target):
            return target
        uri = "oci-archive:" + source if source else "docker://" + environment["pull"]
        temporary = "%s.%d" % (target, os.getpid())
        done = call([self.name, "build", temporary, uri], _LOADING)
        if done.exit != 0:
            raise ImageError(done.errors.strip()[-1000:] or done.why)
        os.replace(temporary, target)
        return target

    def command(self, image: str, environment: Dict[str, Any], name: str) -> List[str]:
        """Return the command line that runs the trainings; the process has no name."""
        del name
        return [
            self.name, "exec", "--containall", "--cleanenv", "--no-home", "--no-privs",
            "--net", "--network", "none", "--hostname", "freezer",
            "--memory", environment["memory"], "--memory-swap", environment["memory"],
            "--pids-limit", "4096", "--cpuset-cpus", _cpus(int(environment["cpus"])),
            *(["--nv"] if environment.get("gpus") else []),
            image, *environment["command"],
        ]  # fmt: skip


class Enroot(Runtime):
    """enroot, from a registry: it imports no OCI layout. Untested.

    It confines nothing: network and limits are those of the job.
    """

    name = "enroot"

    @property
    def title(self) -> str:
        """Name, version, and what is missing."""
        return super().title + " (not confined)"

    def ensure_image(self, environment: Dict[str, Any]) -> str:
        """Return a name of the image, loaded where it was missing."""
        target = _cache(environment) + ".sqsh"
        if os.path.exists(target):
            return target
        if not environment.get("pull"):
            raise ImageError("enroot imports images from a registry only: start with --pull")
        host, _, rest = environment["pull"].partition("/")
        temporary = "%s.%d" % (target, os.getpid())
        uri = "docker://%s#%s" % (host, rest)
        done = call([self.name, "import", "--output", temporary, uri], _LOADING)
        if done.exit != 0:
            raise ImageError(done.errors.strip()[-1000:] or done.why)
        os.replace(temporary, target)
        return target

    def command(self, image: str, environment: Dict[str, Any], name: str) -> List[str]:
        """Return the command line that runs the trainings; the process has no name."""
        del name
        return [self.name, "start", image, *environment["command"]]


KINDS = {kind.name: kind for kind in (Docker, Podman, Apptainer, Enroot)}
_VERSIONS = {
    "docker": ["docker", "version", "--format", "{{.Server.Version}}"],
    "podman": ["podman", "info", "--format", "{{.Version.Version}}"],
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
            version = re.search(r"[0-9][0-9A-Za-z.+~-]*", done.out.decode("utf-8", "replace"))
            return KINDS[name](version[0] if version else "")
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
    usable = sorted(os.sched_getaffinity(0))
    first = int(os.environ.get("SLURM_JOB_ID") or 0) * count % len(usable)
    chosen = (usable[first:] + usable[:first])[:count]
    return ",".join(str(cpu) for cpu in sorted(chosen))


def _given_gpus() -> List[str]:
    given = os.environ.get("SLURM_JOB_GPUS") or os.environ.get("CUDA_VISIBLE_DEVICES") or ""
    return [one.strip() for one in given.split(",") if one.strip()]


def _cache(environment: Dict[str, Any]) -> str:
    digest = str(environment["image"]).rpartition(":")[2]
    return os.path.join(str(environment["images"]), digest)
