"""Linking small conda packages that a test writes by hand."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import IntegrityError
from freezer.fetch.store.store import Store
from freezer.image.conda.chunks import conda_chunks
from freezer.image.wheel.chunks import Chunk
from freezer.image.wheel.install import Layout
from freezer.model.events import SilentReporter
from freezer.model.lock import CondaPackage
from tests.support.conda.channel_files import JANUARY, File, Link, Package, Tree, locked, record

LAYOUT = Layout("/opt/env", "3.11")
EPOCH = 1793491200
"""2026-11-01, after the packages were built."""
SITE = "opt/env/lib/python3.11/site-packages"


@dataclass
class Heard(SilentReporter):
    """Keeps warnings and notes."""

    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


def made(files: Tree, name: str = "demo", **more: Any) -> Package:
    """Return a small package of this architecture, or of none with ``noarch``."""
    subdir = "noarch" if "noarch" in more else "linux-64"
    return Package(name, "1.0", "h0_0", subdir, files, **more)


class Shop:
    """Takes packages in and links them."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(folder)
        self.heard = Heard()

    def take(
        self, package: Package, packed: bytes | None = None, *, suffix: str = ".conda", **more: Any
    ) -> CondaPackage:
        """Put an archive into the store; return its entry in a lock."""
        data = package.packed() if packed is None else packed
        assert self.store.put_bytes(data) == hashlib.sha256(data).hexdigest()
        item = locked({**record(package, data), "fn": package.stem + suffix}, "lab")
        return item.model_copy(update=more)

    def link(self, *packages: CondaPackage, epoch: int = EPOCH) -> list[Chunk]:
        """Return the chunks of an environment."""
        return conda_chunks(
            packages, layout=LAYOUT, epoch=epoch, store=self.store, report=self.heard
        )

    def files(self, *packages: CondaPackage) -> dict[str, bytes | str]:
        """Link packages; return content or link target of every path in the layer."""
        return {
            member.name: data
            for chunk in self.link(*packages)
            for member, data in self.members(chunk)
        }

    def members(self, chunk: Chunk) -> Iterator[tuple[tarfile.TarInfo, bytes | str]]:
        """Yield the members of a chunk, each with its content or link target."""
        with tarfile.open(self.store.verified(chunk.sha256), mode="r:") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isreg() else None
                yield member, stream.read() if stream is not None else member.linkname

    def refusal(self, package: CondaPackage) -> str:
        """Return why a package is refused."""
        with pytest.raises(IntegrityError) as caught:
            self.link(package)
        assert package.file in caught.value.what
        assert caught.value.hint is not None
        return caught.value.what


__all__ = ["EPOCH", "JANUARY", "LAYOUT", "SITE", "File", "Link", "Shop", "made"]
