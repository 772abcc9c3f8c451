"""Runs one command in a sandboxed container to its end, without leftovers."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import docker.errors
from docker.types import DeviceRequest
from docker.types import Mount as DockerMount

from freezer.engine import wire
from freezer.engine.images import identity
from freezer.engine.interface import RunOptions, RunResult
from freezer.engine.responses import items, mapping, number, text
from freezer.engine.run import cpuset
from freezer.engine.run.output import Collected, Tail
from freezer.engine.run.owner import OWNER_LABEL, owner
from freezer.errors import EngineError, FreezerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from freezer.engine.interface import Mount
    from freezer.engine.link import Link

LABEL = "freezer"
"""Label ``freezer=1`` of every container, to find those of killed processes."""

CPUSET_LABEL = "freezer.cpuset"

KILLED = 137
"""Exit code of a process killed by SIGKILL."""

NO_GPUS = "could not select device driver"
"""Error texts of engines without the NVIDIA container runtime, when GPUs are requested."""

GRACE = 60.0
"""Maximum seconds for the engine to end a killed container."""

REMOVAL_PAUSES = (0.2, 1.0, 3.0)
"""Seconds between the attempts to remove a container whose filesystem the engine still uses."""


def run(  # noqa: PLR0913 - as in `Engine.run`
    link: Link,
    image: str,
    command: Sequence[str],
    options: RunOptions,
    *,
    files: bytes | Path | None,
    fetch: Mapping[str, Path],
    on_stdout: Callable[[bytes], None] | None,
    on_output: Callable[[int, bytes], None] | None = None,
    on_start: Callable[[], None] | None = None,
) -> RunResult:
    """Return the result of the command; see ``Engine.run``."""
    with in_container(link, image, command, options) as container:
        if files is not None:
            _upload(link, container, files)
        collected = Tail(on_output) if on_output else Collected(on_stdout)
        result = _execute(link, container, options, collected, command, on_start)
        if result.exit_code == 0 and not result.timed_out:
            for path, target in fetch.items():
                _fetch(link, container, path, target, options.fetch_limit)
    return result


@contextlib.contextmanager
def in_container(
    link: Link, image: str, command: Sequence[str], options: RunOptions
) -> Iterator[str]:
    """Create a container; remove it in any case."""
    container = _create(link, identity.handle(link, image), command, options)
    try:
        yield container
    finally:
        _remove(link, container)


def _remove(link: Link, container: str) -> None:
    """Remove a container; a busy engine refuses it at first (its filesystem is still in use).

    Raises nothing: an error of the run is more important than one of the clean-up.
    """
    for pause in (*REMOVAL_PAUSES, None):
        with contextlib.suppress(FreezerError), link.doing("removing a container"):
            try:
                link.api.remove_container(container, v=True, force=True)
            except docker.errors.NotFound:
                return
            except docker.errors.APIError:
                if pause is not None:
                    time.sleep(pause)
                continue
        return


def _create(link: Link, image: str, command: Sequence[str], options: RunOptions) -> str:
    with link.doing(f"creating a container of {image}"):
        if options.cpus is None and not options.cpu_positions:
            return _created(link, image, command, options, "")
        pinned = _pinned(link, options, range(link.info.cpus))
        try:
            return _created(link, image, command, options, pinned)
        except docker.errors.APIError as error:
            usable = cpuset.available_in(error.explanation or "")
            if not usable:
                raise
        return _created(link, image, command, options, _pinned(link, options, usable))


def _pinned(link: Link, options: RunOptions, available: Iterable[int]) -> str:
    if options.cpu_positions:
        return cpuset.at(options.cpu_positions, available)
    return cpuset.choose(options.cpus or 1, available, _taken(link))


def _taken(link: Link) -> list[str]:
    running = link.api.containers(filters={"label": LABEL})
    labels = (mapping(mapping(item).get("Labels")) for item in items(running))
    return [text(found.get(CPUSET_LABEL)) for found in labels]


def _created(
    link: Link, image: str, command: Sequence[str], options: RunOptions, pinned: str
) -> str:
    try:
        response = link.api.create_container(
            image,
            host_config=link.api.create_host_config(
                tmpfs={**_covered_volumes(link, image, options), **options.tmpfs},
                **_confinement(options, pinned),
            ),
            labels={LABEL: "1", CPUSET_LABEL: pinned, OWNER_LABEL: owner()},
            tty=options.tty,
            stdin_open=options.stdin,
            ports=list(options.ports),
            environment=dict(options.environment),
            user=options.user,
            working_dir=options.working_dir,
            hostname="freezer",
            **_process(command, options),
        )
    except docker.errors.ImageNotFound as error:
        raise EngineError(
            f"the engine at {link.info.address} has no image {image}",
            hint="`freeze build` makes an environment's image",
        ) from error
    return text(mapping(response)["Id"])


def _process(command: Sequence[str], options: RunOptions) -> dict[str, list[str] | None]:
    """Return entrypoint and command.

    Without an entrypoint the command replaces it: an empty one means "the image's own" to some
    engines and "none" to others.
    """
    if options.entrypoint is None:
        return {"entrypoint": None, "command": list(command)}
    full = [*options.entrypoint, *command]
    return {"entrypoint": full[:1], "command": full[1:]}


def _covered_volumes(link: Link, image: str, options: RunOptions) -> dict[str, str]:
    """Return temporary filesystems that cover an image's volumes in a read-only root.

    A ``VOLUME`` is a writable folder on the host's disk of unlimited size, even with a read-only
    root. The image's files at that path are hidden: engines have no read-only anonymous volumes.
    """
    if not options.read_only:
        return {}
    config = link.api.inspect_image(image).get("Config") or {}
    return dict.fromkeys(config.get("Volumes") or {}, "ro,size=4k")


def _confinement(options: RunOptions, pinned: str) -> dict[str, Any]:
    confined = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    return {
        "network_mode": options.network,
        "read_only": options.read_only,
        "pids_limit": options.pids,
        "log_config": {"Type": "none", "Config": {}},  # output is read from the attached stream
        **(
            {"mem_limit": options.memory, "memswap_limit": options.memory} if options.memory else {}
        ),
        **({"cpuset_cpus": pinned} if pinned else {}),
        **({"port_bindings": _published(options)} if options.ports else {}),
        **({"mounts": [_mount(one) for one in options.mounts]} if options.mounts else {}),
        **({"device_requests": [_gpu_request(options.gpu_positions)]} if options.gpus else {}),
        **(confined if options.drop_capabilities else {}),
    }


def _published(options: RunOptions) -> dict[int, tuple[str, int]]:
    """Publish ports to this host alone: nobody else on its network reaches them."""
    return {port: ("127.0.0.1", port) for port in options.ports}


def _mount(mount: Mount) -> DockerMount:
    """Return a bind mount, which unlike a short-form volume fails when the source is missing."""
    return DockerMount(mount.target, mount.source, type="bind", read_only=mount.read_only)


def _gpu_request(positions: Sequence[int]) -> DeviceRequest:
    """Return the request of ``docker run --gpus all``, or ``--gpus '"device=0,2"'`` for some."""
    capabilities = [["gpu", "compute", "utility"]]
    if not positions:
        return DeviceRequest(driver="nvidia", count=-1, capabilities=capabilities)
    devices = [str(one) for one in positions]
    return DeviceRequest(driver="nvidia", device_ids=devices, capabilities=capabilities)


def _upload(link: Link, container: str, files: bytes | Path) -> None:
    with link.doing("putting files into a container"), contextlib.ExitStack() as stack:
        data = stack.enter_context(files.open("rb")) if isinstance(files, Path) else files
        link.api.put_archive(container, "/", data)


def _execute(
    link: Link,
    container: str,
    options: RunOptions,
    collected: Collected | Tail,
    command: Sequence[str],
    on_start: Callable[[], None] | None,
) -> RunResult:
    with (
        link.doing("running a container"),
        contextlib.closing(_start(link, container, command)) as output,
    ):
        started = time.monotonic()
        if on_start is not None:
            on_start()
        timed_out = not _follow(output, collected, started + options.timeout)
        if timed_out:
            timed_out = _kill(link, container)
            _follow(output, collected, time.monotonic() + GRACE)
        exit_code, out_of_memory = ended(link, container)
        seconds = time.monotonic() - started
    stdout, stderr = collected.end()
    # Not every engine reports it; but nothing else would have killed it
    killed = exit_code == KILLED and options.memory is not None and not timed_out
    return RunResult(exit_code, stdout, stderr, timed_out, killed or out_of_memory, seconds)


def ended(link: Link, container: str) -> tuple[int, bool]:
    """Return a container's exit code, and whether it was killed for lack of memory."""
    exit_code = number(mapping(link.api.wait(container, timeout=GRACE))["StatusCode"])
    state = mapping(mapping(link.api.inspect_container(container))["State"])
    return exit_code, bool(state["OOMKilled"])


def _start(link: Link, container: str, command: Sequence[str]) -> wire.Output:
    """Start a container; return its output, attached before so that nothing is lost."""
    with contextlib.ExitStack() as stack:
        try:
            output = wire.Output(link.api, container)  # podman prepares the process here already
            stack.callback(output.close)
            link.api.start(container)
        except docker.errors.APIError as error:
            message = error.explanation or str(error)
            if NO_GPUS in message:
                raise _no_gpus(link, message) from error
            raise link.refused(
                f"starting {' '.join(command[:1]) or 'the image'}", message
            ) from error
        stack.pop_all()
    return output


def _no_gpus(link: Link, message: str) -> EngineError:
    return EngineError(
        f"the engine at {link.info.address} cannot give GPUs to a container",
        found=message.strip(),
        hint="install NVIDIA's container toolkit (`nvidia-ctk runtime configure`) and start the "
        "engine again",
    )


def _follow(output: wire.Output, collected: Collected | Tail, deadline: float) -> bool:
    """Read until the container ends; return False at the deadline."""
    try:
        for stream, data in output.frames(deadline):
            collected.add(stream, data)
    except TimeoutError:
        return False
    return True


def _kill(link: Link, container: str) -> bool:
    """Kill a container; return False when it had just ended by itself."""
    try:
        link.api.kill(container)
    except docker.errors.APIError as error:
        if error.status_code != 409:
            raise
        return False
    return True


def _fetch(link: Link, container: str, path: str, target: Path, limit: int | None) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with link.doing(f"fetching {path} from a container"), os.fdopen(handle, "wb") as file:
            try:
                with wire.fetched(link.api, container, path) as archive:
                    _copy(archive, file, path, limit)
            except docker.errors.NotFound as error:
                raise EngineError(
                    f"the command succeeded but did not create {path}",
                    hint="see the command's output; it should have created that path",
                ) from error
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _copy(source: IO[bytes], target: IO[bytes], path: str, limit: int | None) -> None:
    size = 0
    while block := source.read(1 << 20):
        size += len(block)
        if limit is not None and size > limit:
            raise EngineError(
                f"{path} in the image is too large",
                expected=f"at most {limit} bytes",
                hint="the image is not trustworthy; do not use it",
            )
        target.write(block)
