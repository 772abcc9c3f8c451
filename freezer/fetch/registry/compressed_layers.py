"""Compressed layers for registries, reproducible and made once.

The gzip header has no name and no time, and the level is fixed, so an unchanged layer is the same
blob. (Another zlib may give other bytes: then manifests differ, image IDs do not.)
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import zstandard

from freezer.errors import IntegrityError
from freezer.fetch.http.bounded import RATIO, Bounded

if TYPE_CHECKING:
    import io
    from collections.abc import Callable
    from pathlib import Path

    from freezer.fetch.store.store import Store

_MEMO = "packed-layer"
_FORMAT = f"gzip-6-{zlib.ZLIB_RUNTIME_VERSION}"
_LEVEL = 6
_ALLOWANCE = 1 << 30
_BLOCK = 1 << 20
_GZIP_HEADER = 16
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class CompressedLayer:
    """A compressed layer by digest; its bytes may or may not be in the store."""

    digest: str
    size: int


def known_compressed(store: Store, diff_id: str) -> CompressedLayer | None:
    """Return the compressed form of a layer; None when it was never compressed."""
    return store.get_memo(_MEMO, f"{_FORMAT}-{diff_id}", CompressedLayer)


def compress(
    store: Store, diff_id: str, source: Path, advance: Callable[[int], None]
) -> CompressedLayer:
    """Compress a layer into the store; ``advance`` is called with its uncompressed bytes.

    Raises ``IntegrityError`` when the file is not the layer.
    """
    hasher = hashlib.sha256()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS + _GZIP_HEADER)
    with source.open("rb") as stream, store.writer() as writer:
        while block := stream.read(_BLOCK):
            hasher.update(block)
            writer.write(packer.compress(block))
            advance(len(block))
        _require_digest(hasher, diff_id)
        writer.write(packer.flush())
    packed = CompressedLayer(f"sha256:{writer.sha256}", writer.size)
    document = {"digest": packed.digest, "size": packed.size}
    store.put_memo(_MEMO, f"{_FORMAT}-{diff_id}", document)
    return packed


def decompress(source: Path, diff_id: str, target: Path) -> None:
    """Write a layer uncompressed, from any supported compression.

    Raises ``IntegrityError`` when it is not the layer with that diff ID, or is corrupt.
    """
    hasher = hashlib.sha256()
    with ExitStack() as stack:
        plain = _plain(stack.enter_context(source.open("rb")), stack)
        stream = Bounded(plain, _ALLOWANCE + RATIO * source.stat().st_size, _bomb(diff_id))
        out = stack.enter_context(target.open("wb"))
        try:
            while block := stream.read(_BLOCK):
                hasher.update(block)
                out.write(block)
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise IntegrityError(
                f"a layer of the image cannot be uncompressed ({error})",
                expected=f"the layer {diff_id}",
                hint="the image is broken: build it and push it again",
            ) from error
    _require_digest(hasher, diff_id)


def _bomb(diff_id: str) -> Callable[[int], IntegrityError]:
    return lambda limit: IntegrityError(
        "a layer of the image unpacks to suspiciously many bytes",
        found=f"more than {limit}",
        expected=f"the layer {diff_id}",
        hint="do not use that image until you know what it is",
    )


def _plain(stream: IO[bytes], stack: ExitStack) -> IO[bytes]:
    magic = cast("io.BufferedReader", stream).peek(4)
    if magic.startswith(_GZIP):
        return cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb")))
    if magic.startswith(_ZSTD):
        reader = zstandard.ZstdDecompressor().stream_reader(stream)
        return cast("IO[bytes]", stack.enter_context(reader))
    return stream


def _require_digest(hasher: hashlib._Hash, diff_id: str) -> None:
    found = f"sha256:{hasher.hexdigest()}"
    if found != diff_id:
        raise IntegrityError(
            "a layer does not have the diff ID in the image's config",
            found=found,
            expected=diff_id,
            hint="the file was changed, or the image is broken: build it and push it again",
        )
