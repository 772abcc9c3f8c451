"""Loads the lower layers into the engine while the upper ones are being made.

An engine unpacks layers one after another on one CPU, which bytecode compilation does not need. An
engine that must be sent whole images would be sent the layers again at the end, so there it is of
no use.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

from freezer.engine.interface import SILENT
from freezer.errors import FreezerError
from freezer.image.build_container import working_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from freezer.engine.interface import Engine, LayerFile
    from freezer.fetch.store.store import Store
    from freezer.image.assemble.lower_layers import LowerLayers
    from freezer.model.lock import Lock


class LayerPreload:
    """Preloads layers; the engine keeps them while the ``with`` block lasts."""

    def __init__(self, lock: Lock, *, engine: Engine, store: Store, verified: bool = True) -> None:
        """With ``verified`` false the layers are only loaded."""
        self._verified = verified
        self._verifying: list[threading.Thread] = []
        self._lock, self._engine, self._store = lock, engine, store
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._wanted: LowerLayers | None = None
        """The layers to load; None while all that were asked for are loaded."""
        self._busy = self._finished = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._finished = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    @property
    def useful(self) -> bool:
        """Whether the engine can build upon layers that it has."""
        return self._engine.info.takes_thin

    def start(self, lower: LowerLayers) -> None:
        """Start to load the lowest layers in a thread of its own.

        Called again with more layers, it loads those as well, after the ones before. Once they are
        loaded they are verified, while the next are loaded. Does nothing when the engine has them
        or cannot build upon them.
        """
        if not self.useful or self._is_loaded(lower.files):
            return
        with self._changed:
            self._wanted = lower
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work)
            self._thread.start()

    def wait(self) -> None:
        """Wait until the engine has the layers or has failed to load them."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted is None and not self._busy)

    def wait_verified(self) -> None:
        """Wait until all that was loaded is verified, or failed to be."""
        for thread in self._verifying:
            thread.join()

    def _is_loaded(self, layers: Sequence[LayerFile]) -> bool:
        needed = tuple(layer.diff_id for layer in layers)
        return any(one.diff_ids[: len(needed)] == needed for one in self._engine.images())

    def _work(self) -> None:
        """Load what is wanted, and keep it until the end."""
        with ExitStack() as images:
            while (lower := self._next()) is not None:
                # An error here occurs again, and is reported, when the whole image is loaded.
                with suppress(FreezerError):
                    image = images.enter_context(self._loaded(lower))
                    if self._verified:
                        self._begin(lower, image)
            self.wait_verified()

    def _next(self) -> LowerLayers | None:
        """Wait for layers to load; None at the end."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._wanted is not None or self._finished)
            wanted, self._wanted = self._wanted, None
            self._busy = wanted is not None and not self._finished
            return wanted if self._busy else None

    def _loaded(self, lower: LowerLayers) -> AbstractContextManager[str]:
        return working_image(
            self._lock,
            lower.files,
            lower.titles,
            engine=self._engine,
            store=self._store,
            report=SILENT,
        )

    def _begin(self, lower: LowerLayers, image: str) -> None:
        def verify() -> None:
            with suppress(FreezerError):  # it is found again in the finished image
                lower.verify(image, self._engine, self._store)

        thread = threading.Thread(target=verify)
        thread.start()
        self._verifying.append(thread)
