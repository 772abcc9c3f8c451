"""Extracts layers from the engine, from any format of image archive.

Layers are recognised by their hash, not by name, so the formats need not be distinguished: old
``<id>/layer.tar`` (which repeats a layer as a symbolic link), OCI ``blobs/sha256/…``, plain, gzip
or zstd.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO, cast

import zstandard

from freezer.engine import wire
from freezer.engine.images import identity, images
from freezer.errors import EngineError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping

    from freezer.engine.link import Link

TIMEOUT = 1800.0
"""Maximum seconds without data: the engine may create the whole archive first."""

_CHUNK = 1 << 20
_METADATA = {"json", "VERSION", "repositories", "oci-layout", "manifest.json", "index.json"}
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


def save_layers(link: Link, image_id: str, wanted: Mapping[str, Path]) -> None:
    """Write some of an image's layers, uncompressed and verified; see ``Engine.save_layers``."""
    if not wanted:
        return
    with (
        link.doing(f"saving layers of the image {image_id}"),
        wire.saved(link.api, identity.handle(link, image_id), timeout=TIMEOUT) as archive,
    ):
        missing = extract(archive, wanted)
    if missing:
        raise EngineError(
            f"the engine's archive of {image_id} lacks layers of the image",
            details=sorted(missing),
            hint="its store may be damaged: `docker image rm` the image and make it again",
        )


def layer_tars(
    link: Link, image_id: str, skip: int, scratch: Path | None
) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the layers above the first ``skip``, bottom up; see ``Engine.layer_tars``."""
    diff_ids = images.require_image(link, image_id).diff_ids[skip:]
    with tempfile.TemporaryDirectory(prefix="freezer-save-", dir=scratch) as folder:
        paths = {item: Path(folder, item.removeprefix("sha256:")) for item in diff_ids}
        save_layers(link, image_id, paths)
        for diff_id in diff_ids:
            with paths[diff_id].open("rb") as file:
                yield diff_id, file


def extract(archive: IO[bytes], wanted: Mapping[str, Path]) -> set[str]:
    """Read an image archive until all wanted layers are extracted; return missing ones.

    Raises ``tarfile.TarError`` when the archive is truncated.
    """
    missing = set(wanted)
    with tarfile.open(fileobj=archive, mode="r|", bufsize=_CHUNK) as members:
        while missing and (member := members.next()) is not None:
            members.members.clear()  # type: ignore[attr-defined]
            if member.isreg() and PurePosixPath(member.name).name not in _METADATA:
                content = cast("BinaryIO", members.extractfile(member))
                _keep(member.name, content, wanted, missing)
    return missing


def _keep(name: str, content: BinaryIO, wanted: Mapping[str, Path], missing: set[str]) -> None:
    plain = _plain(content)
    if plain is content and _is_other_blob(name, missing):
        return
    folder = next(iter(wanted.values())).parent
    handle, temporary = tempfile.mkstemp(prefix=".layer-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            diff_id = _copy(plain, file)
        if diff_id in missing:
            Path(temporary).replace(wanted[diff_id])
            missing.discard(diff_id)
    except OSError as error:
        error.filename = error.filename or str(folder)  # the error of a write has no path
        raise
    finally:
        Path(temporary).unlink(missing_ok=True)


def _is_other_blob(name: str, missing: set[str]) -> bool:
    """Return whether an uncompressed blob can be skipped: OCI layouts name it by its diff ID."""
    path = PurePosixPath(name)
    return path.parent.name == "sha256" and f"sha256:{path.name}" not in missing


def _plain(content: BinaryIO) -> BinaryIO:
    """Return the content uncompressed; the same object if it was."""
    magic = cast("io.BufferedReader", content).peek(4)
    if magic.startswith(_GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=content, mode="rb"))
    if magic.startswith(_ZSTD):
        return cast("BinaryIO", zstandard.ZstdDecompressor().stream_reader(content))
    return content


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(source):
        digest.update(chunk)
        target.write(chunk)
    return f"sha256:{digest.hexdigest()}"


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    try:
        while chunk := source.read(_CHUNK):
            yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise tarfile.ReadError(f"a compressed layer is damaged: {error}") from error
