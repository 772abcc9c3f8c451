"""Fixtures of the tests that need a container engine."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from freezer.engine.connect import connect
from freezer.engine.interface import LayerFile
from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.engine.engine import DockerEngine
    from freezer.engine.interface import ImageInfo

TOOLS = ("sh", "cat", "echo", "env", "id", "ls", "mkdir", "rm", "sleep", "tail", "touch", "uname")
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
def tiny_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tar of a root with a shell and a few tools: some MB, no network needed."""
    path = tmp_path_factory.mktemp("tiny") / "layer.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("bin", "lib", "lib64", "tmp", "usr", "usr/bin", "usr/lib", "work"):
            _folder(archive, name)
        for tool in TOOLS:
            _file(archive, f"bin/{tool}", Path(shutil.which(tool) or f"/bin/{tool}"))
        for library in sorted(_libraries()):
            _file(archive, library.lstrip("/"), Path(library))
        _bytes(archive, "etc/passwd", b"root:x:0:0::/:/bin/sh\nrunner:x:1000:1000::/work:/bin/sh\n")
    return path


@pytest.fixture(scope="session")
def tiny_image(engine: DockerEngine, tiny_layer: Path) -> Iterator[ImageInfo]:
    """Return an image ``freezer-test-tiny:<12 digits>`` with a shell; removed afterwards."""
    config, layer = tiny_config(engine, tiny_layer)
    name = f"freezer-test-tiny:{hashlib.sha256(config).hexdigest()[:12]}"
    yield engine.load(config, [layer], tags=[name])
    engine.remove_image(name)


def tiny_config(engine: DockerEngine, layer: Path, **config: object) -> tuple[bytes, LayerFile]:
    """Return the config of an image with one layer, and that layer."""
    diff_id = f"sha256:{hashlib.sha256(layer.read_bytes()).hexdigest()}"
    return image_config(engine, [diff_id], **config), LayerFile(diff_id, layer)


def image_config(engine: DockerEngine, diff_ids: list[str], **config: object) -> bytes:
    """Return an image's config for the engine's own platform."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[engine.info.architecture]
    document = {
        "architecture": architecture,
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], "WorkingDir": "/", "Labels": {"test": "1"}, **config},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": "2026-01-01T00:00:00Z"} for _ in diff_ids],
    }
    return json.dumps(document, sort_keys=True).encode()


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
    _bytes(archive, name, source.resolve().read_bytes(), mode=0o755)


def _bytes(archive: tarfile.TarFile, name: str, data: bytes, *, mode: int = 0o644) -> None:
    header = tarfile.TarInfo(name)
    header.size, header.mode = len(data), mode
    archive.addfile(header, io.BytesIO(data))
