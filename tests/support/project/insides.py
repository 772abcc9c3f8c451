"""Parts of an image that are another Freezer's: small ones for tests, and one to be installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from freezer import inside
from freezer.model.canonical import digest
from freezer.model.lock import ImageRuntime

ASKED = ("__init__", "bytecode", "fingerprint", "record", "smoke", "verify")
"""Modules that every part has."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Write files as one piece, by the words of docs/reference/inside.md."""
    return b"".join(b"%s\0%d\0%s" % (p.encode(), len(data), data) for p, data in files.items())


def part_files(marker: str = "old", **more: bytes) -> dict[str, bytes]:
    """Return the files of a small part; ``more`` are further modules by name."""
    modules = {name: f"# {marker}\n".encode() for name in ASKED} | more
    return {f"freezer_inside/{name}.py": modules[name] for name in sorted(modules)}


PART = pack(part_files())
OLD = ImageRuntime(version="1", sha256=digest(PART))
"""What a lock says of it."""


@contextmanager
def other_freezer(folder: Path) -> Iterator[ImageRuntime]:
    """Be a Freezer whose own part is another one, and of no use in an image."""
    root = Path(inside.__file__).parent
    for name in ("freezer_inside", "freezer_inventory"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "freezer_inside").glob("*.py"):
        path.write_text('raise SystemExit("this is the part of another Freezer")\n')
    with mock.patch.object(inside, "_ROOT", folder):
        _forget()
        try:
            yield ImageRuntime(version=inside.VERSION, sha256=inside.inside_digest()[1])
        finally:
            _forget()


def _forget() -> None:
    for known in (inside.inside_files, inside.inside_bytes, inside.inside_digest):
        known.cache_clear()
