"""Bundles, locks, and what an image says of itself after a build."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from freezer.engine.interface import RunResult
from freezer.errors import IntegrityError
from freezer.image.oci.bundle import INDEX, content_of, read_bundle, write_bundle
from freezer.image.tar.canonical import END, Entry, write_entry
from freezer.image.verify import Account, take_account, verify
from freezer.model.lockfile import lock_bytes, parse_lock
from tests.support.fuzz import Target, as_file, hold
from tests.support.project.locks import make_lock

BLOB = b"some bytes" * 30
LOCK = make_lock()
ACCOUNT = {
    "python": "3.11.2", "prefix": "/opt/env", "libc": ["glibc", "2.36"], "machine": "x86_64",
    "files": {"/opt/env/x": ["file", "a" * 64, 420, 5], "/opt/env/l": ["link", "x", 511, 0]}, "rest": False,
    "debian": [["libc6", "2.36-9", "amd64"]], "dpkg_verify": [0, "??5?????? c /etc/x\n??5?????? /usr/x"],
    "distributions": [["numpy", "2.4.6"], ["pip", "24"]], "pip_check": [1, "numpy 1 requires x, which is not installed."],
}  # fmt: skip


class Kept(dict[str, bytes]):
    def take(self, sha256: str, stream: Any) -> None:
        data = stream.read()
        if content_of(data).sha256 != sha256:
            raise IntegrityError("other bytes")
        self[sha256] = data


def members() -> dict[str, bytes]:
    return {f"blobs/sha256/{content_of(BLOB).sha256}": BLOB, "lock/freeze.lock.yaml": b"lock"}


def bundle() -> bytes:
    target = io.BytesIO()
    write_bundle(
        target, "demo", "1" * 64, {name: content_of(data) for name, data in members().items()}, 0
    )
    return target.getvalue()


def index() -> bytes:
    with tarfile.open(fileobj=io.BytesIO(bundle())) as archive:
        stream = archive.extractfile(INDEX)
        return stream.read() if stream else b""


def with_index(data: bytes) -> object:
    target = io.BytesIO()
    for name, content in {INDEX: data, **members()}.items():
        write_entry(target, Entry(name, "file", 0o644, len(content)), io.BytesIO(content), 0)
    target.write(END)
    return READ(target.getvalue())


def account(data: bytes) -> object:
    class Engine:
        def run(self, *_: Any, **__: Any) -> RunResult:
            return RunResult(0, data, b"", False, False, 1.0)

    found = take_account(Engine(), "demo")  # type: ignore[arg-type]
    return verify(LOCK, found, {}, hashed=())


def sealed(data: bytes) -> object:
    """Parse a lock; its integrity is made to fit, so that all of it is read."""
    parse_lock(data, "freeze.lock.yaml")
    return None


READ = as_file("demo.bundle", lambda path: read_bundle(path, Kept()))
TARGETS = [
    Target("bundle", READ, [bundle()]),
    Target("bundle: its index", with_index, [index()], "json"),
    Target("image: its account of itself", account, [json.dumps(ACCOUNT).encode()], "json"),
    Target("lock", sealed, [lock_bytes(LOCK)], "text"),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)


def test_the_seeds_mean_what_they_should() -> None:
    assert READ(bundle())
    assert with_index(index())
    assert Account.model_validate(ACCOUNT)
