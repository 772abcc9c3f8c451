"""What the rest of Freezer may ask of a container engine.

``freezer.engine.connect.connect.connect()`` returns the one that talks to Docker or podman; unit
tests pass one that talks to nobody.
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
"""The default listener of this room's functions."""


@dataclass(frozen=True)
class EngineInfo:
    """What an engine says of itself."""

    name: str
    """``docker`` or ``podman``."""
    version: str
    api_version: str
    architecture: str
    """``x86_64`` or ``aarch64``, as ``uname -m`` says."""
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
    """True when images lie in containerd's content store instead of a graph driver's."""
    runtimes: tuple[str, ...] = ()
    """OCI runtimes by name, such as ``runc`` and ``nvidia``."""
    id: str = ""
    """What the engine calls itself; it stays over restarts. Empty when unknown."""

    @property
    def takes_thin(self) -> bool:
        """Whether an image may be sent to it without the layers that it has.

        Docker's graph drivers look for each layer by its chain before they open the archive's
        file. podman wants every file. containerd's store would take it and keep an image that it
        can run but neither save nor push.
        """
        return self.name == "docker" and not self.containerd_store

    @property
    def platform(self) -> str:
        """What registries call it: ``linux/amd64`` or ``linux/arm64``."""
        return {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}.get(
            self.architecture, f"linux/{self.architecture}"
        )


@dataclass(frozen=True)
class ImageInfo:
    """An image that the engine holds."""

    id: str
    """``sha256:…``, the digest of its config. In containerd's store that is said of images that
    Freezer loaded; of others it is the digest of the manifest."""
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
    """Paths that the image declares as volumes; a run with a read-only root covers them."""
    folders: tuple[str, ...] = ()
    """Where the engine keeps each layer unpacked, lowest first; a layer that is unpacked anew gets
    another folder. Empty for an engine that does not say, or that uses names again."""


@dataclass(frozen=True)
class LayerFile:
    """A layer to load: the digest of its uncompressed tar, and where that tar lies."""

    diff_id: str
    path: Path | None
    """None when the bytes are known to be in the engine's store already."""


@dataclass(frozen=True)
class Mount:
    """A folder or file of the engine's host that a container sees."""

    source: str
    """Absolute path on the host."""
    target: str
    """Absolute path in the container."""
    read_only: bool = True


@dataclass(frozen=True)
class RunOptions:
    """How a container is confined. The defaults are the tightest that a training can bear."""

    cpus: int | None = None
    """Pinned to this many of the engine's CPUs (cpuset), so that thread counts mean something."""
    cpu_positions: tuple[int, ...] = ()
    """Pinned to these CPUs instead, counted from 0 among those that the engine has."""
    memory: str | None = None
    """Such as ``2g``; swap is never added."""
    pids: int = 4096
    """Processes and threads that may exist at once."""
    timeout: float = 600.0
    """Seconds until the container is killed."""
    network: str = "none"
    read_only: bool = True
    user: str | None = None
    """None: the image's own."""
    gpus: bool = False
    """Whether all NVIDIA GPUs of the engine's host are visible in the container."""
    tmpfs: Mapping[str, str] = field(default_factory=lambda: {"/tmp": "rw,size=512m,mode=1777"})  # noqa: S108 - inside the container
    environment: Mapping[str, str] = field(default_factory=dict)
    working_dir: str | None = None
    drop_capabilities: bool = True
    """Also sets no-new-privileges. False only for steps that act as a package manager."""
    entrypoint: Sequence[str] | None = field(default_factory=list)
    """Empty: none, whatever the image says."""
    mounts: Sequence[Mount] = ()
    fetch_limit: int | None = None
    """Bytes of each tar that is fetched; one that is larger is an error. None: any."""


@dataclass(frozen=True)
class RunResult:
    """How a container ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool
    out_of_memory: bool
    seconds: float
    """From start to end of the container's process, as far as the client can tell."""


class Engine(Protocol):
    """A container engine. Every method raises ``EngineError`` with a hint when it fails."""

    @property
    def info(self) -> EngineInfo:
        """What the engine said of itself when it was first asked."""

    def image(self, reference: str) -> ImageInfo | None:
        """Return an image by ID, tag or ``name@digest``; None when the engine lacks it."""

    def images(self, *, label: str | None = None) -> list[ImageInfo]:
        """Return the images, those with a label (``key`` or ``key=value``) if one is given."""

    def layer_sizes(self, image_id: str) -> tuple[int, ...]:
        """Return the bytes of each of an image's layers, lowest first, as the engine counts.

        Empty where its history does not say which step made which layer.
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

        Layers without a path are taken from the engine's store: tried first without sending any
        layer that the engine has, and in full (bytes of the missing ones fetched by ``save`` from
        an image that holds them) where the engine does not take such an archive. Fails when
        the ID that the engine reports is another.
        """

    def save_layers(self, image_id: str, wanted: Mapping[str, Path]) -> None:
        """Write the uncompressed tars of some of an image's layers, keyed by diff ID.

        Each is verified against its diff ID before it appears under its path. The paths lie on
        one filesystem.
        """

    def layer_tars(
        self, image_id: str, skip: int, *, scratch: Path | None = None
    ) -> Iterable[tuple[str, BinaryIO]]:
        """Yield ``(diff_id, seekable uncompressed tar)`` of the layers above the first ``skip``.

        Bottom up. Each file is closed when the next one is requested. The bytes lie in a
        temporary folder below ``scratch`` (by default the system's) until the iteration ends.
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
        """Build a context with no network; return the image ID. The image is left untagged.

        By BuildKit where the engine has it, by the classic builder where not. Raises
        ``BuildError`` with the end of the step's output when a step fails.
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
    ) -> RunResult:
        """Run a command to its end and remove the container, whatever happens.

        ``files`` is a tar, or a file that holds one, unpacked at ``/`` before the start (needs
        ``read_only=False``); ``fetch`` maps paths in the container to host files that receive a
        tar of them after a successful end; ``on_stdout`` is called with each line, its end
        stripped, as it comes. ``on_output`` is called with the stream (1 or 2) and whatever bytes
        come, at once; only the last of them are in the result then, and there may be any number.
        """

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Point ``repository:tag`` at an image."""

    def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image without tags; nothing happens when it is not there."""

    def close(self) -> None:
        """Close the connections to the engine; the engine itself goes on."""
