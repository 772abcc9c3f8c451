"""What of an image can do arithmetic, by digest: its base, and packages with more than modules.

Two images that agree in it have the same inventory of libraries, and need not both be searched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.image.wheel.chunks import read_index
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fetch.store.store import Store
    from freezer.image.assemble.assemble import Parts
    from freezer.image.verify import Expected
    from freezer.model.lock import Lock

_HARMLESS: Final = (
    *(".py", ".pyc", ".pyi", ".pth", ".typed", ".txt", ".md", ".rst", ".html", ".json", ".csv"),
    *(".toml", ".yaml", ".yml", ".cfg", ".ini", ".h", ".hpp"),
)
"""No library is named so: a loader asks for ``.so``, and people name files by what they are."""
_LISTS: Final = (".dist-info/", "/conda-meta/")
_SCRIPT: Final = 1024
"""Bytes: a file in ``bin`` that is shorter is an entry point. The least ELF program has more."""


def computing(lock: Lock, parts: Parts, store: Store) -> str | None:
    """Return the digest; None where steps of the user's own may have put anything anywhere."""
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
