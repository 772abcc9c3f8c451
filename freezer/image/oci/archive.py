"""An image as an OCI layout in one tar, for skopeo, podman, containerd and Docker.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md. Layers are stored
uncompressed: the archive depends on the image alone, not on a compression library.
``manifest.json``, next to the layout's index, lists the same blobs for old versions of Docker.
"""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

from freezer.image.tar.canonical import END, Entry, write_entry
from freezer.model import oci
from freezer.model.canonical import json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freezer.engine.interface import LayerFile
    from freezer.image.tar.canonical import Sink

_NAME = "org.opencontainers.image.ref.name"


def write_layout(
    sink: Sink, name: str, config: bytes, layers: Sequence[LayerFile], epoch: int
) -> str:
    """Write the layout of an image; return the digest of its manifest.

    ``name`` is the image's name in the layout, such as ``demo:1f2e3d``; ``layers`` are all layers
    of the image, lowest first, each with its path.
    """
    sizes = {layer.diff_id: layer.path.stat().st_size for layer in layers if layer.path}
    manifest = oci.image_manifest(
        oci.describe(oci.CONFIG, config),
        [oci.descriptor(oci.LAYER, item.diff_id, sizes[item.diff_id]) for item in layers],
    )
    found = oci.sha256(manifest)
    index = oci.index([oci.describe(oci.MANIFEST, manifest, annotations={_NAME: name})])
    contents: dict[str, tuple[int, Callable[[], IO[bytes]]]] = {
        "oci-layout": _data(json_bytes({"imageLayoutVersion": "1.0.0"})),
        "index.json": _data(index),
        "manifest.json": _data(json_bytes([_for_docker(name, config, layers)])),
        _blob(oci.sha256(config)): _data(config),
        _blob(found): _data(manifest),
    }
    for layer in layers:
        if layer.path is not None:
            contents[_blob(layer.diff_id)] = (sizes[layer.diff_id], _file(layer))
    for folder in ("blobs", "blobs/sha256"):
        write_entry(sink, Entry(folder, "dir", 0o755), None, epoch)
    for path in sorted(contents):
        size, opened = contents[path]
        with opened() as stream:
            write_entry(sink, Entry(path, "file", 0o644, size), stream, epoch)
    sink.write(END)
    return found


def _for_docker(name: str, config: bytes, layers: Sequence[LayerFile]) -> dict[str, object]:
    return {
        "Config": _blob(oci.sha256(config)),
        "RepoTags": [name],
        "Layers": [_blob(layer.diff_id) for layer in layers],
    }


def _blob(found: str) -> str:
    return f"blobs/{found.replace(':', '/', 1)}"


def _data(data: bytes) -> tuple[int, Callable[[], IO[bytes]]]:
    return len(data), lambda: io.BytesIO(data)


def _file(layer: LayerFile) -> Callable[[], IO[bytes]]:
    path = layer.path
    if path is None:
        msg = "a layer without a path cannot be written"
        raise ValueError(msg)
    return lambda: path.open("rb")
