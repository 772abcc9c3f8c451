"""Connects to the engine: the configured one, or the first usual socket that responds."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freezer.engine.connect import contexts
from freezer.engine.connect.probe import read_info, speaks
from freezer.engine.direct import DirectSocket, LateClient
from freezer.engine.engine import DockerEngine
from freezer.engine.link import Link, causes
from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.engine.interface import EngineInfo
    from freezer.engine.watch import Watch

HELLO = 10
"""Timeout of the first request in seconds."""

PATIENCE = 120
"""Default timeout of other requests in seconds."""

_PERMISSION = (
    "no permission for the socket: join its group (`sudo usermod -aG docker $USER`, then log in "
    "again), or set DOCKER_HOST to a rootless engine's socket"
)
_NONE = (
    "install Docker or podman and start it (on Debian or Ubuntu `sudo apt-get install docker.io`), "
    "or set DOCKER_HOST; `freeze doctor` looks again"
)
_CHECKOUT = Path(__file__).parents[3] / "scripts" / "engine.sh"
"""Exists in a checkout of Freezer only, not in an installed wheel."""


@dataclass(frozen=True)
class Candidate:
    """A possible address of an engine, and where it comes from."""

    address: str
    tls: Any
    """A ``docker.tls.TLSConfig``, or None."""
    origin: str


def connect(address: str | None = None) -> DockerEngine:
    """Return the engine at an address, or the user's default one.

    In this order: ``address``, ``DOCKER_HOST``, the current docker context, the usual sockets. An
    explicit one is never replaced by another. Raises ``EngineError`` with all attempts.
    """
    contexts.require_usable_config(os.environ, Path.home())
    tried: list[str] = []
    denied = False
    for candidate in candidates(address, os.environ, Path.home()):
        try:
            return DockerEngine(_open(candidate))
        except _failures() as error:
            tried.append(f"{candidate.address} ({candidate.origin}): {_reason(error)}")
            denied = denied or any(isinstance(item, PermissionError) for item in causes(error))
    raise EngineError(
        "no container engine answers", details=tried, hint=_PERMISSION if denied else _none()
    )


def connect_context(name: str) -> DockerEngine:
    """Return the engine of a docker context, over TLS where it has certificates.

    Raises ``EngineError`` when there is no such context, or its engine does not answer.
    """
    address, tls = contexts.endpoint(name, os.environ, Path.home())
    return _connected(Candidate(address, tls, f"docker context {name}"))


def connect_address(address: str) -> DockerEngine:
    """Return the engine at an address. Raises ``EngineError`` when it does not answer."""
    return _connected(Candidate(address, None, "the given address"))


def _connected(candidate: Candidate) -> DockerEngine:
    contexts.require_usable_config(os.environ, Path.home())
    try:
        return DockerEngine(_open(candidate))
    except _failures() as error:
        raise EngineError(
            f"the engine of {candidate.origin} does not answer",
            found=f"{candidate.address}: {_reason(error)}",
            hint="see whether `docker --context NAME info` answers",
        ) from error


def _failures() -> tuple[type[Exception], ...]:
    """Return what a connection may fail with; evaluated only when one has failed."""
    import docker.errors

    return (docker.errors.DockerException, OSError, ValueError)


def _none() -> str:
    """Return how to get an engine."""
    return f"`make engine` starts or installs one; or {_NONE}" if _CHECKOUT.is_file() else _NONE


def candidates(address: str | None, environ: Mapping[str, str], home: Path) -> Sequence[Candidate]:
    """Return the addresses to try, in order: the explicit one, or the usual sockets."""
    if address:
        return [Candidate(address, None, "the given address")]
    if environ.get("DOCKER_HOST"):
        import docker.utils

        tls = docker.utils.kwargs_from_env(environment=environ).get("tls")
        return [Candidate(environ["DOCKER_HOST"], tls, "DOCKER_HOST")]
    if name := contexts.current(environ, home):
        return [Candidate(*contexts.endpoint(name, environ, home), f"docker context {name}")]
    return [Candidate(f"unix://{path}", None, "a usual socket") for path in sockets(environ, home)]


def sockets(environ: Mapping[str, str], home: Path) -> list[Path]:
    """Return the usual sockets: Docker, rootless, Desktop, Colima, podman."""
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


def _open(candidate: Candidate) -> Link:
    if candidate.address.startswith("ssh://"):
        msg = (
            "ssh is not supported; forward the socket (`ssh -nNT -L /tmp/docker.sock:"
            "/var/run/docker.sock HOST`) and set DOCKER_HOST=unix:///tmp/docker.sock"
        )
        raise ValueError(msg)
    path = candidate.address.removeprefix("unix://")
    local = path != candidate.address
    if local:
        _require_listener(path)
        if (info := _asked_directly(candidate)) is not None:
            version = info.api_version
            late = LateClient(lambda: _client(candidate, version, PATIENCE))
            return Link(late, info, late, direct=DirectSocket(path, version))
    api, watch = _client(candidate, "auto", HELLO)
    try:
        info = read_info(api.version(), api.info(), candidate.address)
    except BaseException:
        api.close()
        raise
    api.timeout = PATIENCE
    return Link(api, info, watch)


def _asked_directly(candidate: Candidate) -> EngineInfo | None:
    """Return an engine's properties without the SDK; None when the SDK has to ask."""
    if candidate.tls or contexts.sends_headers(os.environ, Path.home()):
        return None
    door = DirectSocket(candidate.address.removeprefix("unix://"))
    try:
        found = read_info(door.get("/version"), door.get("/info"), candidate.address)
    except (OSError, ValueError):
        return None
    return found if speaks(found.api_version) else None


def _client(candidate: Candidate, version: str, timeout: float) -> tuple[Any, Watch]:
    """Return the SDK's client, and what watches its requests."""
    from freezer.engine.connect.client import DirectClient, PlainClient
    from freezer.engine.watch import Watch

    direct = candidate.address.startswith("unix://") or candidate.tls
    client = DirectClient if direct else PlainClient
    api = client(
        base_url=candidate.address, version=version, timeout=timeout, tls=candidate.tls or False
    )
    return api, Watch(api)


def _require_listener(path: str) -> None:
    """Raise ``OSError`` when nothing listens, with a better reason than the SDK's."""
    if not stat.S_ISSOCK(Path(path).stat().st_mode):
        msg = "not a socket"
        raise ValueError(msg)
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(HELLO)
        door.connect(path)


def _reason(error: BaseException) -> str:
    """Return the innermost reason, preferably the operating system's."""
    found = [item for item in causes(error) if isinstance(item, OSError) and item.strerror]
    return (found[-1].strerror or "" if found else str(error)).lower() or type(error).__name__
