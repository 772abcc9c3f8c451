"""Order of layers: heavy and rarely changing packages at the bottom, light ones on top."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile
from freezer.image.clock import EARLIEST
from freezer.image.tar.canonical import END, Entry, header, parents
from freezer.model.base import Model, Sha256
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.fetch.store.store import Store
    from freezer.image.wheel.chunks import Chunk
    from freezer.model.events import Reporter
    from freezer.model.lock import PipPackage

_MEMO = "layer"


class _Known(Model):
    """A memoised layer."""

    sha256: Sha256
    size: int


_FORMAT = 2
OWN = 250_000
"""Minimum bytes of a package with a layer of its own."""
_MOST = 60
"""Maximum layers of packages; engines allow 127 in all."""
_COPY = 1 << 20


@dataclass(frozen=True)
class LayerPlan:
    """A planned layer: a title for users, and the names of its packages."""

    title: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """A finished layer with its contents."""

    file: LayerFile
    title: str
    size: int
    indexes: tuple[str, ...] = ()
    """SHA-256 of the index of each chunk in it."""


@dataclass(frozen=True)
class Weighed:
    """A package in the layer plan."""

    name: str
    """Unique in a plan."""
    size: int
    """Bytes of its file in the lock."""


def plan_layers(packages: Sequence[Weighed | PipPackage]) -> tuple[LayerPlan, ...]:
    """Return which packages share a layer, lowest first: the heavier, the lower.

    An engine keeps a layer once for all images in which everything below it is the same, so heavy
    layers belong where little changes below. The weight of a package is the size of its locked
    file, rounded up to a power of two: the plan depends on the lock alone, and a package that grows
    a little keeps its position.
    """
    by_weight = sorted(packages, key=lambda package: (-package.size, package.name))
    heavy = [package for package in by_weight if package.size >= OWN][:_MOST]
    ordered = sorted(heavy, key=lambda package: (-package.size.bit_length(), package.name))
    plans = [LayerPlan(package.name, (package.name,)) for package in ordered]
    light = sorted({package.name for package in packages} - {package.name for package in heavy})
    if light:
        title = f"{len(light)} light package{'s' if len(light) > 1 else ''}"
        plans.append(LayerPlan(title, tuple(light)))
    return tuple(plans)


def write_layer(title: str, chunks: Sequence[Chunk], store: Store) -> Layer:
    """Return the layer of some chunks, in order, with the parent folders of their files."""
    key = digest(json_bytes([_FORMAT, [[chunk.sha256, chunk.index] for chunk in chunks]]))
    known = store.get_memo(_MEMO, key, _Known)
    if known is not None and store.has(known.sha256):
        return _layer(title, known.sha256, known.size, chunks, store)
    paths = [path.removeprefix("/") for chunk in chunks for path in chunk.expected(store)]
    with store.writer() as writer:
        for folder in parents(paths):
            writer.write(header(Entry(folder, "dir", 0o755), EARLIEST))
        for chunk in chunks:
            with store.verified(chunk.sha256).open("rb") as stream:
                shutil.copyfileobj(stream, writer, _COPY)
        writer.write(END)
    store.put_memo(_MEMO, key, {"sha256": writer.sha256, "size": writer.size})
    return _layer(title, writer.sha256, writer.size, chunks, store)


def clashes(chunks: Iterable[Chunk], store: Store) -> list[str]:
    """Return a sentence for each file that two packages have with different contents."""
    owners: dict[str, Chunk] = {}
    sentences = []
    for chunk in chunks:
        files = chunk.expected(store)
        for path in sorted(owners.keys() & files.keys()):
            owner = owners[path]
            if owner.expected(store)[path].content != files[path].content:
                sentences.append(
                    f"{path} is in {owner.name} and in {chunk.name}; the latter's is installed"
                )
        owners.update(dict.fromkeys(files, chunk))
    return sentences


def order_chunks(
    plans: Sequence[LayerPlan], chunks: Mapping[str, Sequence[Chunk]]
) -> list[tuple[LayerPlan, list[Chunk]]]:
    """Return each planned layer with its chunks, from the chunks of each package by name."""
    return [(plan, [c for name in plan.packages for c in chunks[name]]) for plan in plans]


def _layer(title: str, sha256: str, size: int, chunks: Sequence[Chunk], store: Store) -> Layer:
    file = LayerFile(f"sha256:{sha256}", store.verified(sha256))
    return Layer(file, title, size, tuple(chunk.index for chunk in chunks))


def report_clashes(chunks: Iterable[Chunk], store: Store, report: Reporter) -> None:
    """Warn about files that two packages have with different contents."""
    for sentence in clashes(chunks, store):
        report.warn(sentence)
