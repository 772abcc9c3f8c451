"""What bounds a build: how fast this machine hashes, inflates and loads, measured on the spot."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.engine.interface import Engine

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Bounds:
    """Rates in bytes per second, of one core where nothing else is said."""

    sha256: float
    inflate: float
    """Bytes that come out."""
    load: float
    """Of an uncompressed layer into the engine, by all that it uses."""

    def cold(self, packed: int, unpacked: int) -> float:
        """Return the seconds that the bytes of a cold build take, one step after another.

        Hash and inflate the wheels, hash what came out as a layer, load it, hash it in the image.
        """
        hashed = packed + 2 * unpacked
        return hashed / self.sha256 + unpacked / self.inflate + unpacked / self.load


def measure(engine: Engine, wheel: Path, layer: Path) -> Bounds:
    """Measure with a heavy wheel and the layer that was made of it."""
    return Bounds(
        sha256=layer.stat().st_size / _hash(layer),
        inflate=_inflate(wheel),
        load=layer.stat().st_size / _load(engine, layer),
    )


def _hash(path: Path) -> float:
    started = time.monotonic()
    with path.open("rb") as stream:
        hashlib.file_digest(stream, "sha256")
    return time.monotonic() - started


def _inflate(path: Path) -> float:
    size, started = 0, time.monotonic()
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                while block := stream.read(_BLOCK):
                    size += len(block)
    return size / (time.monotonic() - started)


def _load(engine: Engine, layer: Path) -> float:
    """Load a layer on top of nothing, which no other image has, and remove it again."""
    with layer.open("rb") as stream:
        diff_id = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    config = {
        "architecture": engine.info.platform.partition("/")[2],
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": "2026-01-01T00:00:00Z"}],
    }
    started = time.monotonic()
    image = engine.load(json.dumps(config).encode(), [LayerFile(diff_id, layer)])
    seconds = time.monotonic() - started
    engine.remove_image(image.id)
    return seconds
