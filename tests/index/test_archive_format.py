"""An archive read by another implementation of OCFL, from the Python index."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.fetch.archive_storage.interface import Source
from freezer.governance.archive.ocfl import add_version, open_root, read_object
from freezer.governance.archive.rewrite import rewrite

pytestmark = pytest.mark.index
PACKAGES = ["ocfl-py==2.1.0", "setuptools<81"]


def test_the_other_validator_accepts_it_and_finds_an_edit(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(tools)], check=True)
    subprocess.run(
        [uv, "pip", "install", "-q", "--python", str(tools / "bin/python"), *PACKAGES], check=True
    )
    root = tmp_path / "archive"
    storage = FolderStorage(root)
    open_root(storage, make=True)
    for words in (b"first", b"second"):
        files = {
            path: Source(
                hashlib.sha256(data).hexdigest(), len(data), lambda data=data: io.BytesIO(data)
            )
            for path, data in {"lock/a": words, "blobs/sha256/b": b"kept"}.items()
        }
        add_version(storage, "demo", files, created="2026-11-30T00:00:00Z", message="x")

    def validated(name: str = "demo") -> tuple[int, str]:
        done = subprocess.run(
            [tools / "bin/python", tools / "bin/ocfl-validate.py", str(root / name)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    assert "is VALID" in validated()[1]
    inventory = read_object(storage, "demo")
    assert inventory is not None
    pruned = rewrite(storage, inventory, {2})
    assert "is VALID" in validated(pruned)[1]
    (root / pruned / "v1/content/lock/a").write_bytes(b"edited")
    assert "is INVALID" in validated(pruned)[1]
