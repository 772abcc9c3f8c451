"""Verified layers: files that need not be hashed again, by where the engine keeps them.

An engine keeps a layer that several images share once, in a folder with a random name. After an
image has been verified in full, its layers are remembered by that folder, together with what they
were compared with. Another image on the same folders has the same files; only files in other
layers, or above these, are hashed. `freeze build --force` and `--verify` hash everything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.image.layout import ENVIRONMENT, FREEZER
from freezer.image.tar.scan import scan
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.engine.interface import EngineInfo, ImageInfo, LayerFile
    from freezer.fetch.store.store import Store
    from freezer.image.assemble.parts import Parts

_MEMO = "verified-layer"
_WHITEOUT = ".wh."


@dataclass(frozen=True)
class VerificationScope:
    """What is verified of an image besides names, kinds, sizes and modes."""

    hashed: frozenset[str] | None = None
    """Paths of the files to hash; None: all."""
    dpkg: bool = True
    """Whether dpkg hashes the files of its packages."""


EVERYTHING = VerificationScope()


def verification_scope(
    info: EngineInfo, image: ImageInfo, parts: Parts, store: Store
) -> VerificationScope:
    """Return which files of an image to hash: those outside verified layers, or above one."""
    keys = list(_keys(info, image, parts))
    verified = [store.get_memo(_MEMO, key) is not None for key in keys]
    if not any(verified):
        return EVERYTHING
    below = len(parts.base) + 1
    fresh = [
        layer.file
        for layer, known in zip(parts.layers[1:], verified[below:], strict=True)
        if not known
    ]
    members = {path for layer in fresh for path in _members(layer)}
    if any(_WHITEOUT in path for path in members):
        return EVERYTHING
    known_here = {number for number, known in enumerate(verified[below - 1 :]) if known}
    kept = {path for path, origin in parts.origin.items() if origin in known_here}
    outside = any(not path.startswith((f"{ENVIRONMENT}/", f"{FREEZER}/")) for path in members)
    return VerificationScope(
        hashed=frozenset(parts.expected.keys() - (kept - members)),
        dpkg=outside or not all(verified[:below]),
    )


def mark_verified(info: EngineInfo, image: ImageInfo, parts: Parts, store: Store) -> None:
    """Remember the layers of a verified image, if all their files are visible in it.

    Call it only after verification: files that were not hashed now are in layers marked before.
    """
    below = len(parts.base)
    for number, key in enumerate(_keys(info, image, parts)):
        if store.get_memo(_MEMO, key) is None and (
            number < below or _is_visible(parts, number - below, store)
        ):
            store.put_memo(_MEMO, key, image.id)


def _is_visible(parts: Parts, number: int, store: Store) -> bool:
    """Return whether no file of a layer is hidden by a layer above, and so was not hashed."""
    indexes = (store.verified(index).read_bytes() for index in parts.layers[number].indexes)
    return all(parts.origin.get(path) == number for index in indexes for path in json.loads(index))


def _keys(info: EngineInfo, image: ImageInfo, parts: Parts) -> Iterator[str]:
    """Yield the memo key of each layer, lowest first; empty when the engine has no folders."""
    layers = [*parts.base, *(layer.file for layer in parts.layers)]
    indexes = [*((),) * len(parts.base), *(layer.indexes for layer in parts.layers)]
    if info.id and [layer.diff_id for layer in layers] == list(image.diff_ids):
        for layer, folder, contents in zip(layers, image.folders, indexes, strict=False):
            yield digest(json_bytes([info.id, layer.diff_id, folder, list(contents)]))


def _members(layer: LayerFile) -> Iterator[str]:
    """Yield the absolute paths of all members of a layer's tar, except for folders."""
    if layer.path is None:
        return
    with layer.path.open("rb") as stream:
        yield from (f"/{member.path}" for member in scan(stream) if member.kind != "dir")
