"""Fixtures of the tests that need a container engine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from freezer.engine.connect.connect import connect
from freezer.engine.interface import LayerFile
from freezer.errors import EngineError
from tests.support.debian.bases import bootstrapped_base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from freezer.engine.engine import DockerEngine
    from freezer.engine.interface import ImageInfo

__all__ = ["bootstrapped_base"]

TOOLS = ("sh", "cat", "id", "ls", "sleep", "tail", "touch")
"""Programs of the test image, taken from this host with the libraries that they need."""


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    """Return the engine that the tests use; its absence is a failure, never a skip."""
    try:
        found = connect()
    except EngineError as error:
        pytest.fail(f"{error}\n\nThese tests need a container engine: run `make engine` first.")
    yield found
    found.close()


@pytest.fixture(scope="session")
def tiny_layer(tmp_path_factory: pytest.TempPathFactory) -> LayerFile:
    """Return a layer, a root with a shell and a few tools: some MB, no network needed."""
    path = tmp_path_factory.mktemp("tiny") / "layer.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("bin", "lib", "lib64", "tmp", "usr", "usr/bin", "usr/lib", "work"):
            _folder(archive, name)
        for tool in TOOLS:
            _file(archive, f"bin/{tool}", Path(shutil.which(tool) or f"/bin/{tool}"))
        for library in sorted(_libraries()):
            _file(archive, library.lstrip("/"), Path(library))
    return LayerFile(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}", path)


@pytest.fixture(scope="session")
def image_config(engine: DockerEngine) -> Callable[..., bytes]:
    """Return a function that makes the config of an image of the engine's own platform.

    ``image_config(diff_ids, **config)``; the keys are those of the config's ``config``.
    """
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[engine.info.architecture]

    def make(diff_ids: Sequence[str], **config: object) -> bytes:
        document = {
            "architecture": architecture,
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            # The process ID keeps test processes that run side by side off each other's images.
            "config": {"Env": ["PATH=/bin"], "Labels": {"test": str(os.getpid())}, **config},
            "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
            "history": [{"created": "2026-01-01T00:00:00Z"} for _ in diff_ids],
        }
        return json.dumps(document, sort_keys=True).encode()

    return make


@pytest.fixture(scope="session")
def tiny_image(
    engine: DockerEngine, tiny_layer: LayerFile, image_config: Callable[..., bytes]
) -> Iterator[ImageInfo]:
    """Return an image with a shell, tagged ``freezer-test-tiny:<process ID>``."""
    name = f"freezer-test-tiny:{os.getpid()}"
    yield engine.load(image_config([tiny_layer.diff_id]), [tiny_layer], tags=[name])
    engine.remove_image(name)


def _libraries() -> set[str]:
    found: set[str] = set()
    for tool in TOOLS:
        listed = subprocess.run(
            ["ldd", shutil.which(tool) or tool], capture_output=True, text=True, check=True
        ).stdout
        found.update(word for word in listed.split() if word.startswith("/"))
    return found


def _folder(archive: tarfile.TarFile, name: str) -> None:
    header = tarfile.TarInfo(name)
    header.type, header.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    archive.addfile(header)


def _file(archive: tarfile.TarFile, name: str, source: Path) -> None:
    data = source.read_bytes()
    header = tarfile.TarInfo(name)
    header.size, header.mode = len(data), 0o755
    archive.addfile(header, io.BytesIO(data))
