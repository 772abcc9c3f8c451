"""Interface of container engines.

``freezer.engine.connect.connect.connect()`` returns the implementation for Docker or podman; unit
tests use a fake one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from freezer.model.events import Reporter

SILENT: Reporter = SilentReporter()
"""The default listener of this package's functions."""


@dataclass(frozen=True)
class EngineInfo:
    """Properties of an engine."""

    name: str
    """``docker`` or ``podman``."""
    version: str
    api_version: str
    architecture: str
    """``x86_64`` or ``aarch64``, as in ``uname -m``."""
    storage_driver: str
    """``overlay2``, ``overlayfs`` (containerd store), ``vfs``, ``overlay`` …"""
    buildkit: bool
    address: str
    """Socket or URL, for messages."""
    root: str
    """Data root on the engine's host; empty when unknown."""
    cpus: int
    memory: int
    """Bytes."""
    containerd_store: bool = False
    """Whether images are in containerd's content store instead of a graph driver's."""
    runtimes: tuple[str, ...] = ()
    """OCI runtimes by name, such as ``runc`` and ``nvidia``."""
    id: str = ""
    """The engine's own ID, stable over restarts. Empty when unknown."""
    rootless: bool = False
    """Whether it runs as a user: root of a container is this user on the host then."""

    @property
    def takes_thin(self) -> bool:
        """Whether the engine loads an image without the layers that it has.

        Docker's graph drivers look up each layer by its chain before they open its file in the
        archive. podman needs every file. containerd's store would accept it and keep an image that
        can run but neither be saved nor pushed.
        """
        return self.name == "docker" and not self.containerd_store

    @property
    def platform(self) -> str:
        """The platform as named by registries: ``linux/amd64`` or ``linux/arm64``."""
        return {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}.get(
            self.architecture, f"linux/{self.architecture}"
        )


@dataclass(frozen=True)
class ImageInfo:
    """An image in the engine."""

    id: str
    """``sha256:…``, the digest of its config. In containerd's store only for images that Freezer
    loaded; for others it is the manifest digest."""
    diff_ids: tuple[str, ...]
    tags: tuple[str, ...]
    repo_digests: tuple[str, ...]
    size: int
    """Bytes, as the engine counts."""
    architecture: str
    """``amd64`` or ``arm64``."""
    os: str
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    user: str
    working_dir: str
    volumes: tuple[str, ...] = ()
    """Paths declared as volumes; a run with a read-only root covers them."""
    folders: tuple[str, ...] = ()
    """The folder of each unpacked layer, lowest first; unpacking again gives another folder. Empty
    for an engine that does not report them, or that reuses names."""


@dataclass(frozen=True)
class LayerFile:
    """A layer to load: the digest of its uncompressed tar, and the tar's path."""

    diff_id: str
    path: Path | None
    """None when the bytes are known to be in the engine's store already."""


@dataclass(frozen=True)
class Mount:
    """A folder or file of the engine's host that is mounted into a container."""

    source: str
    """Absolute path on the host."""
    target: str
    """Absolute path in the container."""
    read_only: bool = True


@dataclass(frozen=True)
class RunOptions:
    """Sandbox of a container. The defaults are the strictest that allow a training."""

    cpus: int | None = None
    """Number of the engine's CPUs to pin to (cpuset), so that thread counts are meaningful."""
    cpu_positions: tuple[int, ...] = ()
    """Pinned to these CPUs instead, counted from 0 among those that the engine has."""
    memory: str | None = None
    """Such as ``2g``; swap is never added."""
    pids: int = 4096
    """Maximum number of processes and threads."""
    timeout: float = 600.0
    """Seconds until the container is killed."""
    network: str = "none"
    read_only: bool = True
    user: str | None = None
    """None: the image's own."""
    gpus: bool = False
    """Whether the NVIDIA GPUs of the engine's host are visible in the container."""
    gpu_positions: tuple[int, ...] = ()
    """Only these of them, by the driver's index, from 0; empty: all."""
    tmpfs: Mapping[str, str] = field(default_factory=lambda: {"/tmp": "rw,size=512m,mode=1777"})  # noqa: S108 - inside the container
    environment: Mapping[str, str] = field(default_factory=dict)
    working_dir: str | None = None
    drop_capabilities: bool = True
    """Also sets no-new-privileges. False only for package managers."""
    entrypoint: Sequence[str] | None = field(default_factory=list)
    """Empty: none, regardless of the image's."""
    mounts: Sequence[Mount] = ()
    ports: tuple[int, ...] = ()
    """Published on 127.0.0.1 of the engine's host, each under its own number."""
    stdin: bool = False
    """Whether the caller's stdin is passed on; for `run_by_hand`."""
    tty: bool = False
    """Whether the caller's terminal is; for `run_by_hand`."""
    fetch_limit: int | None = None
    """Maximum bytes of each fetched tar; None: unlimited."""


@dataclass(frozen=True)
class RunResult:
    """How a container ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool
    out_of_memory: bool
    seconds: float
    """From start to end of the container's process, as measured by the client."""


class Engine(Protocol):
    """A container engine. Every method raises ``EngineError`` with a hint when it fails."""

    @property
    def info(self) -> EngineInfo:
        """The engine's properties at connection time."""

    def image(self, reference: str) -> ImageInfo | None:
        """Return an image by ID, tag or ``name@digest``; None when the engine does not have it."""

    def images(self, *, label: str | None = None) -> list[ImageInfo]:
        """Return the images, optionally only those with a label (``key`` or ``key=value``)."""

    def layer_sizes(self, image_id: str) -> tuple[int, ...]:
        """Return the bytes of each of an image's layers, lowest first, as reported.

        Empty when its history does not relate steps to layers.
        """

    def pull(self, reference: str, *, platform: str, report: Reporter) -> ImageInfo:
        """Pull ``name@sha256:…`` for ``linux/amd64``, with progress in bytes."""

    def load(
        self,
        config: bytes,
        layers: Sequence[LayerFile],
        *,
        tags: Sequence[str] = (),
        report: Reporter = SILENT,
    ) -> ImageInfo:
        """Make an image of a config and its layers; its ID is the SHA-256 of ``config``.

        Layers without a path come from the engine's store: first without sending any layer that the
        engine has, and in full (with the missing ones fetched by ``save`` from an image that has
        them) when the engine rejects such an archive. Fails when the engine reports another ID.
        """

    def save_layers(self, image_id: str, wanted: Mapping[str, Path]) -> None:
        """Write the uncompressed tars of some of an image's layers, keyed by diff ID.

        Each is verified against its diff ID before it appears under its path. The paths are on one
        filesystem.
        """

    def layer_tars(
        self, image_id: str, skip: int, *, scratch: Path | None = None
    ) -> Iterable[tuple[str, BinaryIO]]:
        """Yield ``(diff_id, seekable uncompressed tar)`` of the layers above the first ``skip``.

        Bottom up. Each file is closed when the next one is requested. The files are in a temporary
        folder below ``scratch`` (by default the system's) until the iteration ends.
        """

    def build(
        self,
        context: Path,
        *,
        target: str | None = None,
        dockerfile: str = "Dockerfile",
        build_args: Mapping[str, str] | None = None,
        use_cache: bool = True,
        report: Reporter,
    ) -> str:
        """Build a context without network; return the image ID. The image is not tagged.

        By BuildKit if available, else by the classic builder. Raises ``BuildError`` with the end of
        the step's output when a step fails.
        """

    def run(
        self,
        image: str,
        command: Sequence[str],
        options: RunOptions,
        *,
        files: bytes | Path | None = None,
        fetch: Mapping[str, Path] | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
        on_output: Callable[[int, bytes], None] | None = None,
        on_start: Callable[[], None] | None = None,
    ) -> RunResult:
        """Run a command to its end and remove the container in any case.

        ``files`` is a tar, or a path of one, unpacked at ``/`` before the start (needs
        ``read_only=False``); ``fetch`` maps paths in the container to host files that receive a tar
        of them after a successful end; ``on_stdout`` is called with each line, without its line
        end, as it arrives. ``on_output`` is called with the stream (1 or 2) and each block of
        bytes; then only the end of the output is in the result, which may be of any length.
        ``on_start`` is called once the command runs.
        """

    def run_by_hand(self, image: str, command: Sequence[str], options: RunOptions) -> int:
        """Run a command at the caller's terminal; return its exit code, and remove the container.

        stdin, stdout and stderr of this process are the command's.
        """

    def remove_dead(self) -> None:
        """Remove the containers of processes that were killed, before what they wrote is read."""

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Point ``repository:tag`` at an image."""

    def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image without tags; no error when it does not exist."""

    def close(self) -> None:
        """Close the connections to the engine; the engine keeps running."""
