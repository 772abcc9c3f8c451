"""Lower layers in the engine, verified while it loads the upper ones.

They are marked as verified where the engine keeps them, so that only the files of the other layers
are hashed in the finished image. What is found wrong here is not reported: it is not marked, so
that it is found, and reported, in the finished image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.image.assemble.parts import Parts
from freezer.image.assemble.verified_layers import mark_verified, verification_scope
from freezer.image.runtime import runtime_files
from freezer.image.verify import Lister, take_account, verify_lower
from freezer.image.wheel.chunks import expected_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.engine.interface import Engine, LayerFile
    from freezer.fetch.store.store import Store
    from freezer.image.layers.order import Layer
    from freezer.image.wheel.chunks import Chunk
    from freezer.model.lock import Lock

_SCRIPT = "freezer_inside/verify.py"


@dataclass(frozen=True)
class LowerLayers:
    """The base and the lowest layers above it."""

    lock: Lock
    base: Sequence[LayerFile]
    layers: Sequence[Layer]
    contents: Sequence[Sequence[Chunk]]
    """The chunks of each layer above Debian's, which is the first."""

    @property
    def files(self) -> list[LayerFile]:
        """All layers, lowest first."""
        return [*self.base, *(layer.file for layer in self.layers)]

    @property
    def titles(self) -> list[tuple[str, str]]:
        """Diff ID and title of each layer above the base."""
        return [(layer.file.diff_id, layer.title) for layer in self.layers]

    def verify(self, image: str, engine: Engine, store: Store) -> None:
        """Verify an image of these layers, and mark them as verified.

        Raises ``VerificationError`` for other files than the lock's. conda's environments are left
        to the finished image: their Python may be in a layer further up.
        """
        found = engine.image(image)
        if found is None or self.lock.conda:
            return
        expected, origin = expected_files([[], *self.contents], store)
        parts = Parts(tuple(self.base), tuple(self.layers), expected, origin)
        scope = verification_scope(engine.info, found, parts, store)
        python, files = self.lock.target.python.executable, runtime_files(self.lock, store)
        account = take_account(
            engine,
            image,
            hashed=scope.hashed,
            expected=expected,
            dpkg=scope.dpkg,
            lister=Lister(python, files[_SCRIPT]),
        )
        verify_lower(self.lock, account, expected, scope.hashed)
        mark_verified(engine.info, found, parts, store)
