"""The engine for Docker or podman: each method is one function of this package.

Functions for making images and for running containers are imported on demand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.engine.images import images
from freezer.engine.interface import SILENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from freezer.engine.interface import (
        EngineInfo,
        ImageInfo,
        LayerFile,
        RunOptions,
        RunResult,
    )
    from freezer.engine.link import Link
    from freezer.model.events import Reporter


class DockerEngine:
    """Implements ``freezer.engine.interface.Engine``, which describes every method."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._swept = False

    @property
    def info(self) -> EngineInfo:
        """The engine's properties at connection time."""
        return self._link.info

    def image(self, reference: str) -> ImageInfo | None:
        """Return an image, or None when the engine does not have it."""
        return images.inspect(self._link, reference)

    def images(self, *, label: str | None = None) -> list[ImageInfo]:
        """Return the images, optionally only those with a label."""
        return images.listed(self._link, label=label)

    def layer_sizes(self, image_id: str) -> tuple[int, ...]:
        """Return the bytes of each of an image's layers, lowest first."""
        return images.layer_sizes(self._link, image_id)

    def pull(self, reference: str, *, platform: str, report: Reporter) -> ImageInfo:
        """Pull ``name@sha256:…``."""
        return images.pull(self._link, reference, platform=platform, report=report)

    def load(
        self,
        config: bytes,
        layers: Sequence[LayerFile],
        *,
        tags: Sequence[str] = (),
        report: Reporter = SILENT,
    ) -> ImageInfo:
        """Make an image of a config and its layers."""
        from freezer.engine.images import load

        return load.load(self._link, config, layers, tags=tags, report=report)

    def save_layers(self, image_id: str, wanted: Mapping[str, Path]) -> None:
        """Write the uncompressed tars of some of an image's layers."""
        from freezer.engine.images import save

        save.save_layers(self._link, image_id, wanted)

    def layer_tars(
        self, image_id: str, skip: int, *, scratch: Path | None = None
    ) -> Iterator[tuple[str, BinaryIO]]:
        """Yield the layers above the first ``skip``."""
        from freezer.engine.images import save

        return save.layer_tars(self._link, image_id, skip, scratch)

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
        """Build a context without network; return the image ID."""
        from freezer.engine.build import build

        return build.build(
            self._link,
            context,
            target=target,
            dockerfile=dockerfile,
            build_args=build_args or {},
            use_cache=use_cache,
            report=report,
        )

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
        """Run a command to its end and remove the container."""
        from freezer.engine.run import run

        self.remove_dead()
        return run.run(
            self._link,
            image,
            command,
            options,
            files=files,
            fetch=fetch or {},
            on_stdout=on_stdout,
            on_output=on_output,
            on_start=on_start,
        )

    def run_by_hand(self, image: str, command: Sequence[str], options: RunOptions) -> int:
        """Run a command at the caller's terminal; return its exit code."""
        from freezer.engine.run.by_hand import by_hand

        self.remove_dead()
        return by_hand(self._link, image, command, options)

    def remove_dead(self) -> None:
        """Remove the containers of processes that were killed, once."""
        if not self._swept:
            from freezer.engine.run.owner import sweep

            self._swept = True
            sweep(self._link)

    def end_runs(self) -> None:
        """Kill the containers that this process runs, in whichever thread; a run then ends."""
        from freezer.engine.run.owner import kill_own

        kill_own(self._link)

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Point ``repository:tag`` at an image."""
        images.tag(self._link, image_id, repository, tag)

    def remove_image(self, reference: str) -> None:
        """Remove a tag, or an image without tags."""
        images.remove(self._link, reference)

    def close(self) -> None:
        """Close the connections to the engine."""
        self._link.api.close()
