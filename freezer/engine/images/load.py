"""Makes an image of a config and layers, without sending layers that the engine has."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.engine import tarstream, wire
from freezer.engine.images import identity, images, save
from freezer.engine.interface import SILENT, ImageInfo, LayerFile
from freezer.errors import EngineError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.engine.link import Link
    from freezer.model.events import Reporter

TIMEOUT = 1800.0
"""Maximum seconds without output: unpacking a layer of gigabytes reports nothing."""


def load(
    link: Link,
    config: bytes,
    layers: Sequence[LayerFile],
    *,
    tags: Sequence[str] = (),
    report: Reporter = SILENT,
) -> ImageInfo:
    """Return the image, loaded or existing; see ``Engine.load``."""
    image_id = f"sha256:{hashlib.sha256(config).hexdigest()}"
    if images.inspect(link, image_id) is None:
        _send(link, image_id, config, layers, report)
    loaded = images.require_image(link, image_id)
    for name in tags:
        repository, _, tag = name.rpartition(":")
        images.tag(link, image_id, repository, tag)
    return images.require_image(link, image_id) if tags else loaded


def _send(
    link: Link, image_id: str, config: bytes, layers: Sequence[LayerFile], report: Reporter
) -> None:
    known = _known_layers(link, [layer.diff_id for layer in layers])
    if known and link.info.takes_thin and all(layer.path for layer in layers[known:]):
        refusal = _attempt(link, image_id, archive(config, layers, skip=known), report)
        if refusal is None:
            return
        report.debug(f"the engine requires all layers: {refusal}")
    with tempfile.TemporaryDirectory(prefix="freezer-load-") as scratch:
        complete = _completed(link, layers, Path(scratch))
        if link.info.containerd_store:
            _require_bytes(complete)
        tag = identity.id_tag(link.info, image_id)
        refusal = _attempt(link, image_id, archive(config, complete, tag=tag), report)
    if refusal is not None:
        raise link.refused(f"loading the image {image_id}", refusal)


def _require_bytes(layers: Sequence[LayerFile]) -> None:
    """Hash the layers: containerd's store accepts any bytes, and checks them only on unpacking."""
    for layer in layers:
        if layer.path is not None:
            with layer.path.open("rb") as stream:
                found = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
            if found != layer.diff_id:
                raise IntegrityError(
                    "a layer does not have the diff ID in the image's config",
                    found=found,
                    expected=layer.diff_id,
                    hint=f"remove {layer.path} and build again",
                )


_FEW, _MANY = 2, 4
"""Number of light top layers that are sent without searching more images for them, and the minimum
number of layers found below."""


def common_prefix(wanted: Sequence[str], others: Iterable[Sequence[str]]) -> int:
    """Return how many of the lowest layers another image shares, in the same order.

    An engine identifies a layer by its chain, so the same tar on another base is a different layer.
    The search ends when all but a few are found.
    """
    most = 0
    for other in others:
        most = max(most, _shared(wanted, other))
        if most >= max(len(wanted) - _FEW, _MANY):
            break
    return most


def archive(
    config: bytes, layers: Sequence[LayerFile], *, skip: int = 0, tag: str | None = None
) -> list[tarstream.Entry]:
    """Return the members of a docker-archive; the lowest ``skip`` layers are listed but omitted."""
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    files = {_file(layer): layer.path for layer in layers[skip:] if layer.path is not None}
    tags = [tag] if tag else None
    manifest = [{"Config": name, "RepoTags": tags, "Layers": [_file(item) for item in layers]}]
    return [
        tarstream.member(name, config),
        *(tarstream.member(file, path) for file, path in files.items()),
        tarstream.member("manifest.json", json.dumps(manifest).encode()),
    ]


def _known_layers(link: Link, wanted: Sequence[str]) -> int:
    return common_prefix(wanted, images.chains(link))


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _file(layer: LayerFile) -> str:
    return f"{layer.diff_id.removeprefix('sha256:')}.tar"


def _attempt(
    link: Link, image_id: str, entries: Sequence[tarstream.Entry], report: Reporter
) -> str | None:
    """Send an archive; return None when the image exists afterwards, else the engine's message."""
    refusal = ""
    size = tarstream.total(entries)
    title = "Loading the image into the engine"
    with report.task(title, total=size, unit="bytes") as task, link.doing("loading an image"):
        body = tarstream.counted(tarstream.stream(entries), task)
        for message in wire.load(link.api, body, timeout=TIMEOUT):
            refusal = str(message.get("error") or message.get("stream") or refusal).strip()
    return None if images.inspect(link, image_id) else refusal or "nothing"


def _completed(link: Link, layers: Sequence[LayerFile], scratch: Path) -> list[LayerFile]:
    """Fetch layers without a path from images that have them."""
    missing = {layer.diff_id for layer in layers if layer.path is None}
    fetched: dict[str, Path] = {}
    for image in images.listed(link) if missing else ():
        wanted = {
            diff_id: scratch / diff_id.removeprefix("sha256:")
            for diff_id in missing.intersection(image.diff_ids) - fetched.keys()
        }
        if wanted:
            save.save_layers(link, image.id, wanted)
            fetched |= wanted
    if absent := missing - fetched.keys():
        raise EngineError(
            "a layer of the image is neither on this host nor in the engine",
            details=sorted(absent),
            hint="the base image was removed from the engine in between; repeat `freeze build`",
        )
    return [LayerFile(item.diff_id, item.path or fetched[item.diff_id]) for item in layers]
