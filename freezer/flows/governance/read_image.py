"""The files of an image in the engine, layer by layer."""

from __future__ import annotations

import hashlib
import tarfile
from typing import IO, TYPE_CHECKING, Final

from freezer.governance.image_files import FileFact, ImageFiles, is_list

if TYPE_CHECKING:
    from freezer.flows.project.project import Project

_BLOCK: Final = 1 << 20
_LARGEST_LIST: Final = 64 << 20
"""Bytes of one list of a package manager."""
_OPAQUE: Final = ".wh..wh..opq"


def read_image(project: Project, image_id: str) -> ImageFiles:
    """Return the merged files of an image. Takes as much time as reading all of its bytes."""
    found = ImageFiles()
    with project.store.scratch() as scratch, project.report.task("Reading the image"):
        for _, stream in project.engine().layer_tars(image_id, 0, scratch=scratch):
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                for member in archive:
                    _apply(found, archive, member)
                    archive.members = []  # type: ignore[attr-defined]
    return found


def _apply(found: ImageFiles, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    path = member.name.removeprefix("./").strip("/")
    folder, _, name = path.rpartition("/")
    if name == _OPAQUE:
        found.remove(folder)
    elif name.startswith(".wh."):
        found.remove(f"{folder}/{name[4:]}".lstrip("/"))
    elif member.issym():
        found.files.pop(path, None)
        found.links[path] = member.linkname
    elif member.islnk():
        target = member.linkname.removeprefix("./").strip("/")
        if target in found.files:
            found.files[path] = found.files[target]
            if target in found.lists:
                found.lists[path] = found.lists[target]
    elif member.isfile():
        found.links.pop(path, None)
        stream = archive.extractfile(member)
        if stream is not None:
            found.files[path] = _fact(found, path, stream)


def _fact(found: ImageFiles, path: str, stream: IO[bytes]) -> FileFact:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    kept = bytearray() if is_list(path) else None
    while block := stream.read(_BLOCK):
        sha256.update(block)
        md5.update(block)
        size += len(block)
        if kept is not None and len(kept) < _LARGEST_LIST:
            kept += block
    if kept is not None:
        found.lists[path] = bytes(kept)
    return FileFact(sha256.hexdigest(), md5.hexdigest(), size)
