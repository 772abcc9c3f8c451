"""Packages that were selected before from the same inputs, kept with the digest of their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from freezer.model.canonical import json_bytes, plain
from freezer.model.lock import DebianPackage

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezer.fetch.store.store import Store


def known_packages(
    store: Store, kind: str, key: str, select: Callable[[], tuple[DebianPackage, ...]]
) -> tuple[DebianPackage, ...]:
    """Return the memoised packages of a key, else select and memoise them.

    The key must be a digest of everything that decides them. A memo whose bytes have changed, or of
    another form, counts as none: what it says would go into a lock without another look at the
    archive's index.
    """
    data = store.get_packed_memo(kind, key)
    if data is not None:
        try:
            return TypeAdapter(tuple[DebianPackage, ...]).validate_json(data, strict=True)
        except ValueError:
            pass  # of another version of Freezer
    found = select()
    store.put_packed_memo(kind, key, json_bytes([plain(package) for package in found]))
    return found
