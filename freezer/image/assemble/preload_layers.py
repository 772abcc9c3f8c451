"""Loading the heavy lower layers into the engine while the upper ones are still being made.

An engine unpacks one layer after another on one CPU, which compiling byte code does not need. An
engine that must be sent whole images is sent the layers again at the end, so there it is no use.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from freezer.engine.interface import SILENT
from freezer.errors import FreezerError
from freezer.image.build_container import working_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.engine.interface import Engine, LayerFile
    from freezer.fetch.store.store import Store
    from freezer.image.layers.order import Layer
    from freezer.model.lock import Lock

LEAST: Final = 100_000_000
"""Bytes of layers for which it is worth the while: a second of the engine's time."""


class Ahead:
    """Layers that the engine is given early, and keeps while a ``with`` block lasts."""

    def __init__(self, lock: Lock, *, engine: Engine, store: Store) -> None:
        self._lock, self._engine, self._store = lock, engine, store
        self._thread: threading.Thread | None = None
        self._loaded, self._finished = threading.Event(), threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._finished.set()
        if self._thread is not None:
            self._thread.join()

    def start(self, base: Sequence[LayerFile], layers: Sequence[Layer]) -> None:
        """Begin to load ``layers``, the lowest above the base, in a thread of its own.

        Nothing is done where the engine cannot build upon them or has them.
        """
        every = [*base, *(layer.file for layer in layers)]
        if not self._engine.info.takes_thin or self._is_held(every):
            return
        titles = [(layer.file.diff_id, layer.title) for layer in layers]
        self._thread = threading.Thread(target=self._load, args=(every, titles))
        self._thread.start()

    def wait(self) -> None:
        """Wait until the engine has the layers, or has failed to take them."""
        if self._thread is not None:
            self._loaded.wait()

    def _is_held(self, layers: Sequence[LayerFile]) -> bool:
        wanted = tuple(layer.diff_id for layer in layers)
        return any(one.diff_ids[: len(wanted)] == wanted for one in self._engine.images())

    def _load(self, layers: Sequence[LayerFile], titles: Sequence[tuple[str, str]]) -> None:
        # What goes wrong here goes wrong again, and is told, when the whole image is loaded.
        with suppress(FreezerError):
            try:
                with working_image(
                    self._lock,
                    layers,
                    titles,
                    engine=self._engine,
                    store=self._store,
                    report=SILENT,
                ):
                    self._loaded.set()
                    self._finished.wait()
            finally:
                self._loaded.set()
