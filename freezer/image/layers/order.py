"""Layers: chunks one after another, heavy and slow-moving packages below, light ones above."""

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
    """A layer that was written before."""

    sha256: Sha256
    size: int


_FORMAT = 2
OWN = 250_000
"""Bytes of a package's file from which on it has a layer of its own."""
_MOST = 60
"""Layers of packages; engines stop at 127 in all."""
_COPY = 1 << 20


@dataclass(frozen=True)
class LayerPlan:
    """One layer to be: a title for people, and which packages it holds, by name."""

    title: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """A finished layer and what it holds."""

    file: LayerFile
    title: str
    size: int
    indexes: tuple[str, ...] = ()
    """SHA-256 of the index of each chunk in it."""


@dataclass(frozen=True)
class Weighed:
    """A package as the plan knows it."""

    name: str
    """No two of a plan are the same."""
    size: int
    """Bytes of its file in the lock."""


def plan_layers(packages: Sequence[Weighed | PipPackage]) -> tuple[LayerPlan, ...]:
    """Return which packages share a layer, lowest first: the heavier, the further below.

    An engine keeps a layer once for all images in which everything below it is the same too, so
    what is heavy lies where little changes beneath it. A package weighs what its file in the lock
    weighs, to the next power of two: the plan follows from the lock alone, and a package that grows
    a little does not move.
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
    """Return the layer of some chunks, in their order, with the folders above their files."""
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
    """Return a sentence for each file that two packages bring with different content."""
    owners: dict[str, Chunk] = {}
    said = []
    for chunk in chunks:
        held = chunk.expected(store)
        for path in sorted(owners.keys() & held.keys()):
            owner = owners[path]
            if owner.expected(store)[path].content != held[path].content:
                said.append(
                    f"{path} is in {owner.name} and in {chunk.name}; the latter's is installed"
                )
        owners.update(dict.fromkeys(held, chunk))
    return said


def order_chunks(
    plans: Sequence[LayerPlan], chunks: Mapping[str, Sequence[Chunk]]
) -> list[tuple[LayerPlan, list[Chunk]]]:
    """Return each planned layer with its chunks, given the chunks of each package by name."""
    return [(plan, [c for name in plan.packages for c in chunks[name]]) for plan in plans]


def _layer(title: str, sha256: str, size: int, chunks: Sequence[Chunk], store: Store) -> Layer:
    file = LayerFile(f"sha256:{sha256}", store.verified(sha256))
    return Layer(file, title, size, tuple(chunk.index for chunk in chunks))


def report_clashes(chunks: Iterable[Chunk], store: Store, report: Reporter) -> None:
    """Warn about files that two packages fight over."""
    for sentence in clashes(chunks, store):
        report.warn(sentence)
