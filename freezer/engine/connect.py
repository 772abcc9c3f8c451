"""Find the engine: the one that is named, or the first of the usual sockets that answers."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import docker.context
import docker.errors
import docker.utils

from freezer.engine.engine import DockerEngine
from freezer.engine.link import Link, causes
from freezer.engine.probe import read_info
from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HELLO = 10
"""Seconds in which an engine must answer the first question."""

PATIENCE = 120
"""Seconds for any other answer, where the call does not say otherwise."""

_PERMISSION = (
    "you may not use the socket: join its group (`sudo usermod -aG docker $USER`, then log in "
    "again), or set DOCKER_HOST to a rootless engine's socket"
)
_NONE = (
    "`make engine` starts or installs one; or install Docker or podman and start it, or set "
    "DOCKER_HOST; `freeze doctor` looks again"
)


@dataclass(frozen=True)
class Candidate:
    """An address that may be an engine's, and why it is tried."""

    address: str
    origin: str
    tls: Any = None


def connect(address: str | None = None) -> DockerEngine:
    """Return the engine at an address, or the one that the user's environment points to.

    In this order: ``address``, ``DOCKER_HOST``, the current docker context, the usual sockets.
    One that was named is never replaced by another. Raises ``EngineError`` that lists what was
    tried.
    """
    tried: list[str] = []
    denied = False
    for candidate in candidates(address, os.environ, Path.home()):
        try:
            return DockerEngine(_open(candidate))
        except (docker.errors.DockerException, OSError, ValueError) as error:
            tried.append(f"{candidate.address} ({candidate.origin}): {_reason(error)}")
            denied = denied or any(isinstance(item, PermissionError) for item in causes(error))
    raise EngineError(
        "no container engine answers", details=tried, hint=_PERMISSION if denied else _NONE
    )


def candidates(address: str | None, environ: Mapping[str, str], home: Path) -> Sequence[Candidate]:
    """Return the addresses to try, in order: the one that was named, or the usual sockets."""
    if address:
        return [Candidate(address, "the given address")]
    if environ.get("DOCKER_HOST"):
        found = docker.utils.kwargs_from_env(environment=environ)
        return [Candidate(environ["DOCKER_HOST"], "DOCKER_HOST", found.get("tls"))]
    named = _of_context(environ)
    return [named] if named else [_usual(path) for path in sockets(environ, home)]


def sockets(environ: Mapping[str, str], home: Path) -> list[Path]:
    """Return where engines usually listen: Docker, rootless, Desktop, Colima, podman."""
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    return [
        Path("/var/run/docker.sock"),
        runtime / "docker.sock",
        home / ".docker/run/docker.sock",
        home / ".docker/desktop/docker.sock",
        home / ".colima/default/docker.sock",
        Path("/run/podman/podman.sock"),
        runtime / "podman/podman.sock",
    ]


def _usual(path: Path) -> Candidate:
    return Candidate(f"unix://{path}", "a usual socket")


def _of_context(environ: Mapping[str, str]) -> Candidate | None:
    """Return the current docker context's address; None for the default one."""
    name = environ.get("DOCKER_CONTEXT") or docker.context.config.get_current_context_name()
    if name in {None, "", "default"}:
        return None
    found = docker.context.ContextAPI.get_context(name)
    if found is None:
        raise EngineError(
            f"there is no docker context {name!r}",
            hint="`docker context ls` lists them, `docker context use default` goes back",
        )
    return Candidate(found.Host, f"docker context {name}", found.TLSConfig)


def _open(candidate: Candidate) -> Link:
    if candidate.address.startswith("ssh://"):
        msg = (
            "ssh is not supported; forward the socket (`ssh -nNT -L /tmp/docker.sock:"
            "/var/run/docker.sock HOST`) and set DOCKER_HOST=unix:///tmp/docker.sock"
        )
        raise ValueError(msg)
    path = candidate.address.removeprefix("unix://")
    if path != candidate.address:
        _demand_socket(path)
    api = docker.APIClient(
        base_url=candidate.address, version="auto", timeout=HELLO, tls=candidate.tls or False
    )
    try:
        info = read_info(api.version(), api.info(), candidate.address)
    except BaseException:
        api.close()
        raise
    api.timeout = PATIENCE
    return Link(api, info)


def _demand_socket(path: str) -> None:
    """Raise ``OSError`` with a better reason than the SDK has when there is no such socket."""
    if not stat.S_ISSOCK(Path(path).stat().st_mode):
        msg = "not a socket"
        raise ValueError(msg)


def _reason(error: BaseException) -> str:
    """Return the innermost reason, which is the operating system's if it is one's."""
    found = [item for item in causes(error) if isinstance(item, OSError) and item.strerror]
    return (found[-1].strerror or "" if found else str(error)).lower() or type(error).__name__
