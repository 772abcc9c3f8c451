"""Key of an image's numeric libraries: its base, and the packages that may contain any.

Two images with the same key have the same inventory, so only one has to be searched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.image.wheel.chunks import read_index
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fetch.store.store import Store
    from freezer.image.assemble.parts import Parts
    from freezer.image.verify import Expected
    from freezer.model.lock import Lock

_HARMLESS: Final = (
    *(".py", ".pyc", ".pyi", ".pth", ".typed", ".txt", ".md", ".rst", ".html", ".json", ".csv"),
    *(".toml", ".yaml", ".yml", ".cfg", ".ini", ".h", ".hpp"),
)
"""File name suffixes that no library has; loaders look for ``.so``."""
_LISTS: Final = (".dist-info/", "/conda-meta/")
_SCRIPT: Final = 1024
"""Bytes: a shorter file in ``bin`` is an entry point; the smallest ELF program is larger."""


def inventory_key(lock: Lock, parts: Parts, store: Store) -> str | None:
    """Return the key; None when steps of the user may have put libraries anywhere."""
    if lock.steps is not None:
        return None
    python = lock.target.python
    below = [layer.diff_id for layer in (*parts.base, parts.layers[0].file)]
    indexes = [index for layer in parts.layers[1:-1] for index in layer.indexes]
    able = [index for index in indexes if _computes(read_index(index, store))]
    around = [python.executable, python.version, dict(lock.environment)]
    return digest(json_bytes([around, below, able]))


def _computes(facts: Mapping[str, Expected]) -> bool:
    return any(
        not path.endswith(_HARMLESS)
        and not any(part in path for part in _LISTS)
        and not ("/bin/" in path and fact.kind == "file" and fact.size < _SCRIPT)
        for path, fact in facts.items()
    )
