"""The working image of builds: base, Debian packages and, of conda, its Python.

Bytecode compilation and builds from source run in it. It is loaded on first use, as most builds
compile nothing new.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Self

from freezer.errors import BusyError, EngineError
from freezer.image.conda.chunks import python_closure
from freezer.image.layers.order import write_layer
from freezer.image.layout import LOCK_LABEL, STORE_LABEL
from freezer.image.oci.config import image_id, intermediate_config
from freezer.model.canonical import digest
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.engine.interface import Engine, LayerFile
    from freezer.fetch.store.store import Store
    from freezer.image.wheel.chunks import Chunk
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock

_PATIENCE = 7200.0
"""Maximum seconds to wait for another build on the same base and Debian packages."""
_TOOLS = ("pip", "setuptools", "wheel")
"""conda packages that builds from source may use."""


class WorkingImage:
    """A lock's working image; removed at the end of the ``with`` block."""

    def __init__(
        self,
        lock: Lock,
        below: Sequence[LayerFile],
        titles: Sequence[tuple[str, str]],
        *,
        engine: Engine,
        store: Store,
        report: Reporter,
    ) -> None:
        """``below`` are the base's layers and the Debian one, ``titles`` those above the base."""
        self._lock, self._below, self._titles = lock, below, list(titles)
        self._engine, self._store, self._report = engine, store, report
        self._stack = ExitStack()
        self._image: str | None = None
        self.python: Sequence[Chunk] = ()
        """The chunks of conda's Python, if the environment has one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def interpreter(self) -> str:
        """Return the ID of an image with the lock's Python: any one, or the working image."""
        if self._image is None and not self.python:
            below = tuple(layer.diff_id for layer in self._below)
            # The environment's last image probably has it; one request instead of hundreds.
            last = self._engine.image(f"{self._lock.name}:latest")
            if last is not None and last.diff_ids[: len(below)] == below:
                return last.id
            for image in self._engine.images(label=LOCK_LABEL):
                if image.diff_ids[: len(below)] == below:
                    return image.id
        return self.image()

    def image(self) -> str:
        """Return the ID of the image; it is loaded on first use."""
        if self._image is None:
            self._image = self._load()
        return self._image

    def _load(self) -> str:
        layers, titles = [*self._below], [*self._titles]
        if self.python:
            python = write_layer("Python", self.python, self._store)
            layers.append(python.file)
            titles.append((python.file.diff_id, python.title))
        return self._stack.enter_context(
            working_image(
                self._lock,
                layers,
                titles,
                engine=self._engine,
                store=self._store,
                report=self._report,
            )
        )


@contextmanager
def working_image(
    lock: Lock,
    layers: Sequence[LayerFile],
    titles: Sequence[tuple[str, str]],
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
    named: str | None = None,
) -> Iterator[str]:
    """Load an image of some layers for a build step; remove it at the end.

    ``titles`` are those of the layers above the base. Yields the image's ID; or, with ``named``, a
    tag of that repository for a Dockerfile's FROM.
    """
    config = intermediate_config(lock, titles, store_name(store))
    short = image_id(config)[7:23]
    # Environments with the same layers share the image.
    with store.lock(f"image-{short}", timeout=_PATIENCE, report=report):
        tags = [f"{named}:{short}"] if named else []
        image = engine.load(config, layers, tags=tags, report=report).id
        used = tags[0] if tags else image
        try:
            yield used
        finally:
            with suppress(EngineError):
                engine.remove_image(used)


def sweep_working_images(engine: Engine, store: Store) -> None:
    """Remove working images in the engine that a killed build of the same store left."""
    for image in engine.images(label=f"{STORE_LABEL}={store_name(store)}"):
        with (
            suppress(BusyError, EngineError),
            store.lock(f"image-{image.id[7:23]}", timeout=0, report=SilentReporter()),
        ):
            for name in image.tags or (image.id,):
                engine.remove_image(name)


def store_name(store: Store) -> str:
    """Return an identifier of a store among others on the same engine."""
    return digest(str(store.root.resolve()).encode())[:16]


def python_chunks(lock: Lock, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return those of a lock's conda chunks, in order, that a working image contains."""
    wanted = {package.name for package in python_closure(lock.conda)}
    if any(not package.file.endswith(".whl") for package in lock.pip):
        wanted.update(_TOOLS)
    pairs = zip(lock.conda, chunks, strict=True)
    return [chunk for package, chunk in pairs if package.name in wanted]
