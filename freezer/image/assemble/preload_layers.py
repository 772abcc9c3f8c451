"""Loads the heavy lower layers into the engine while the upper ones are being made.

An engine unpacks layers one after another on one CPU, which bytecode compilation does not need. An
engine that must be sent whole images would be sent the layers again at the end, so there it is of
no use.
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
"""Minimum bytes of layers to preload: a second of the engine's time."""


class LayerPreload:
    """Preloads layers; the engine keeps them while the ``with`` block lasts."""

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
        """Start to load ``layers``, the lowest above the base, in a thread of its own.

        Does nothing when the engine has them or cannot build upon them.
        """
        every = [*base, *(layer.file for layer in layers)]
        if not self._engine.info.takes_thin or self._is_loaded(every):
            return
        titles = [(layer.file.diff_id, layer.title) for layer in layers]
        self._thread = threading.Thread(target=self._load, args=(every, titles))
        self._thread.start()

    def wait(self) -> None:
        """Wait until the engine has the layers or has failed to load them."""
        if self._thread is not None:
            self._loaded.wait()

    def _is_loaded(self, layers: Sequence[LayerFile]) -> bool:
        needed = tuple(layer.diff_id for layer in layers)
        return any(one.diff_ids[: len(needed)] == needed for one in self._engine.images())

    def _load(self, layers: Sequence[LayerFile], titles: Sequence[tuple[str, str]]) -> None:
        # An error here occurs again, and is reported, when the whole image is loaded.
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
