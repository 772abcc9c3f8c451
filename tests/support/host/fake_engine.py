"""An engine that talks to nobody: images are bytes in memory, trainings are told from a record."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freezer.engine.interface import EngineInfo, ImageInfo, LayerFile, RunOptions, RunResult
from freezer.model.record.protocol import PREFIX
from tests.support.project.records import HOST, lines
from tests.support.registry.registries import sha

INFO = EngineInfo(
    name="docker", version="1", api_version="1", architecture="x86_64", storage_driver="overlay2",
    buildkit=True, address="nowhere", root="", cpus=2, memory=1 << 30,
)  # fmt: skip


@dataclass
class FakeEngine:
    """As much of an engine as pushing, pulling and checking ask for."""

    info: EngineInfo = INFO
    configs: dict[str, bytes] = field(default_factory=dict)
    layers: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    repo_digests: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """What each image's lock file is, by image ID."""
    told: list[bytes] = field(default_factory=lambda: [_host(), *lines()])
    """What a training writes."""
    saved: list[str] = field(default_factory=list)
    """The diff IDs that it was asked for."""
    given: list[str] = field(default_factory=list)
    """The diff IDs that it was sent."""
    runs: list[RunOptions] = field(default_factory=list)

    def make(self, config: bytes, *layers: bytes) -> ImageInfo:
        """Put an image in, as a build does."""
        self.layers |= {sha(layer): layer for layer in layers}
        self.configs[sha(config)] = config
        return self._info(sha(config))

    def image(self, reference: str) -> ImageInfo | None:
        found = self.tags.get(reference) or self.repo_digests.get(reference) or reference
        return self._info(found) if found in self.configs else None

    def images(self, *, label: str | None = None) -> list[ImageInfo]:
        return [self._info(one) for one in self.configs]

    def layer_sizes(self, image_id: str) -> tuple[int, ...]:
        return tuple(len(self.layers[diff_id]) for diff_id in self._info(image_id).diff_ids)

    def load(
        self, config: bytes, layers: Sequence[LayerFile], *, tags: Sequence[str] = (), report: Any
    ) -> ImageInfo:
        for layer in layers:
            if layer.path is not None:
                data = layer.path.read_bytes()
                assert sha(data) == layer.diff_id
                self.layers[layer.diff_id] = data
                self.given.append(layer.diff_id)
            assert layer.diff_id in self.layers
        self.configs[sha(config)] = config
        return self._info(sha(config))

    def save_layers(self, image_id: str, wanted: Mapping[str, Path]) -> None:
        for diff_id, path in wanted.items():
            self.saved.append(diff_id)
            path.write_bytes({**self.layers, **self.configs}[diff_id])

    def train(
        self,
        command: Sequence[str],
        options: RunOptions,
        on_output: Callable[[int, bytes], None],
    ) -> RunResult:
        """Run a user's training; a test puts its own in this place."""
        del command, options, on_output
        return RunResult(0, b"", b"", False, False, 0.1)

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
        self.runs.append(options)
        if on_start is not None:
            on_start()
        if on_output is not None:
            return self.train(command, options, on_output)
        for path, target in (fetch or {}).items():
            target.write_bytes(archive(path.rpartition("/")[2], self.files[image]))
        for line in self.told if on_stdout else []:
            on_stdout(line)  # type: ignore[misc]
        return RunResult(0, b"", b"", False, False, 0.1)

    def run_by_hand(self, image: str, command: Sequence[str], options: RunOptions) -> int:
        self.runs.append(options)
        return 0

    def remove_dead(self) -> None:
        """There is no container."""

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        self.tags[f"{repository}:{tag}"] = image_id

    def remove_image(self, reference: str) -> None:
        self.tags.pop(reference, None)
        self.configs.pop(reference, None)

    def close(self) -> None:
        """There is no connection."""

    def _info(self, image_id: str) -> ImageInfo:
        document = json.loads(self.configs[image_id])
        settings = document.get("config", {})
        return ImageInfo(
            id=image_id,
            diff_ids=tuple(document["rootfs"]["diff_ids"]),
            tags=tuple(name for name, one in self.tags.items() if one == image_id),
            repo_digests=tuple(n for n, one in self.repo_digests.items() if one == image_id),
            size=0,
            architecture=document["architecture"],
            os=document["os"],
            environment={},
            labels=settings.get("Labels") or {},
            user="",
            working_dir="",
            volumes=tuple(settings.get("Volumes") or ()),
        )


def archive(name: str, data: bytes) -> bytes:
    """Return the tar of one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as members:
        header = tarfile.TarInfo(name)
        header.size = len(data)
        members.addfile(header, io.BytesIO(data))
    return stream.getvalue()


def _host() -> bytes:
    return PREFIX + json.dumps({"kind": "host", "host": HOST}).encode()
