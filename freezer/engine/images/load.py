"""Make an image of a config and layers: what the engine has already is not sent again."""

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
"""Seconds that the engine may be silent: unpacking a layer of gigabytes says nothing."""


def load(
    link: Link,
    config: bytes,
    layers: Sequence[LayerFile],
    *,
    tags: Sequence[str] = (),
    report: Reporter = SILENT,
) -> ImageInfo:
    """Return the image, made now or found; see ``Engine.load``."""
    image_id = f"sha256:{hashlib.sha256(config).hexdigest()}"
    if images.inspect(link, image_id) is None:
        _send(link, image_id, config, layers, report)
    loaded = images.demand(link, image_id)
    for name in tags:
        repository, _, tag = name.rpartition(":")
        images.tag(link, image_id, repository, tag)
    return images.demand(link, image_id) if tags else loaded


def _send(
    link: Link, image_id: str, config: bytes, layers: Sequence[LayerFile], report: Reporter
) -> None:
    held = _held(link, [layer.diff_id for layer in layers])
    if held and link.info.takes_thin and all(layer.path for layer in layers[held:]):
        said = _attempt(link, image_id, archive(config, layers, skip=held), report)
        if said is None:
            return
        report.debug(f"the engine wants all layers: {said}")
    with tempfile.TemporaryDirectory(prefix="freezer-load-") as scratch:
        whole = _completed(link, layers, Path(scratch))
        if link.info.containerd_store:
            _require_bytes(whole)
        tag = identity.id_tag(link.info, image_id)
        said = _attempt(link, image_id, archive(config, whole, tag=tag), report)
    if said is not None:
        raise link.refused(f"loading the image {image_id}", said)


def _require_bytes(layers: Sequence[LayerFile]) -> None:
    """Hash the layers: containerd's store takes whatever it is sent, and looks when it unpacks."""
    for layer in layers:
        if layer.path is not None:
            with layer.path.open("rb") as stream:
                found = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
            if found != layer.diff_id:
                raise IntegrityError(
                    "a layer is not what the image's config says",
                    found=found,
                    expected=layer.diff_id,
                    hint=f"remove {layer.path} and build again",
                )


_FEW, _MANY = 2, 4
"""Layers that are sent without looking further for an image that has them, the light top ones; and
how many must have been found beneath."""


def common_prefix(wanted: Sequence[str], others: Iterable[Sequence[str]]) -> int:
    """Return how many of the lowest layers some other image shares, in the same order.

    An engine knows a layer by the chain below it, so the same tar on another base is another.
    When all but a few are found, no more images are looked at.
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
    """Return a docker-archive's members; the lowest ``skip`` layers are named but left out."""
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    files = {_file(layer): layer.path for layer in layers[skip:] if layer.path is not None}
    tags = [tag] if tag else None
    manifest = [{"Config": name, "RepoTags": tags, "Layers": [_file(item) for item in layers]}]
    return [
        tarstream.member(name, config),
        *(tarstream.member(file, path) for file, path in files.items()),
        tarstream.member("manifest.json", json.dumps(manifest).encode()),
    ]


def _held(link: Link, wanted: Sequence[str]) -> int:
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
    """Send an archive; return None when the image is there after it, else what the engine said."""
    said = ""
    size = tarstream.total(entries)
    title = "Loading the image into the engine"
    with report.task(title, total=size, unit="bytes") as task, link.doing("loading an image"):
        body = tarstream.counted(tarstream.stream(entries), task)
        for message in wire.load(link.api, body, timeout=TIMEOUT):
            said = str(message.get("error") or message.get("stream") or said).strip()
    return None if images.inspect(link, image_id) else said or "nothing"


def _completed(link: Link, layers: Sequence[LayerFile], scratch: Path) -> list[LayerFile]:
    """Fetch the layers that have no path from images that hold them."""
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
            hint="the base image was removed from the engine meanwhile; repeat `freeze build`",
        )
    return [LayerFile(item.diff_id, item.path or fetched[item.diff_id]) for item in layers]
