"""Files of an image besides packages: the venv's own, and Freezer's runtime.

The venv is written directly: ``python -m venv`` needs ``ensurepip``, which Debian removes, and
writes files that differ between runs. Its layout follows ``site.py``:
https://docs.python.org/3/library/venv.html and PEP 405.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import HostError, IntegrityError, LockError
from freezer.image.clock import EARLIEST, epoch
from freezer.image.layout import ENVIRONMENT, FREEZER, SMOKE_FOLDER
from freezer.image.runtime import runtime_files
from freezer.image.tar.canonical import Entry
from freezer.image.wheel.chunks import Chunk, data_chunk
from freezer.model.lockfile import LOCK_FILE, lock_bytes

if TYPE_CHECKING:
    from freezer.fetch.store.store import Store
    from freezer.image.wheel.install import Layout
    from freezer.model.lock import Lock

Members = dict[str, tuple[Entry, bytes]]


def skeleton_chunk(lock: Lock, layout: Layout, store: Store) -> Chunk:
    """Return the chunk of the venv's own files and of Freezer's runtime with the lock.

    Raises as `freezer.image.runtime.runtime_files` does.
    """
    # A conda environment has a Python of its own and needs no venv.
    venv = {} if lock.conda else _venv(lock)
    members = {**venv, **_path(layout), **_freezer(lock, store)}
    return data_chunk("Freezer's part", members, epoch(lock.as_of), store)


def venv_chunk(lock: Lock, store: Store) -> Chunk:
    """Return the venv's own files alone, for steps that run in the environment earlier."""
    return data_chunk("the environment itself", _venv(lock), EARLIEST, store)


def _path(layout: Layout) -> Members:
    """Return the .pth file that lets the environment import ``freezer_inside``.

    Not PYTHONPATH: that variable is left to the user.
    """
    root = ENVIRONMENT.strip("/")
    return _files({f"{root}/{layout.site_packages}/freezer_inside.pth": f"{FREEZER}\n".encode()})


def _venv(lock: Lock) -> Members:
    python = lock.target.python
    home = python.executable.rsplit("/", 1)[0] or "/"
    settings = (
        f"home = {home}\n"
        "include-system-site-packages = false\n"
        f"version = {python.version}\n"
        f"executable = {python.executable}\n"
        "command = freeze build\n"
    )
    root = ENVIRONMENT.strip("/")
    found = _files({f"{root}/pyvenv.cfg": settings.encode()})
    links = {
        "bin/python": python.executable,
        "bin/python3": "python",
        f"bin/python{python.minor}": "python",
        "lib64": "lib",
    }
    for path, target in links.items():
        entry = Entry(f"{root}/{path}", "symlink", 0o777, target=target)
        found[entry.path] = (entry, b"")
    return found


def _freezer(lock: Lock, store: Store) -> Members:
    root = FREEZER.strip("/")
    smoke = {
        f"{SMOKE_FOLDER.strip('/')}/{file.path}": _smoke_file(file.path, file.sha256, store)
        for file in lock.smoke.files
    }
    own = {f"{root}/{path}": data for path, data in runtime_files(lock, store).items()}
    return _files({**own, **smoke, f"{root}/{LOCK_FILE}": lock_bytes(lock)})


def _smoke_file(path: str, sha256: str, store: Store) -> bytes:
    try:
        return store.verified(sha256).read_bytes()
    except (HostError, IntegrityError):
        raise LockError(
            f"{path}, a file of the smoke training, has changed since it was locked",
            expected=f"sha256 {sha256}",
            hint="restore it next to the spec, or run `freeze lock`",
        ) from None


def _files(contents: dict[str, bytes]) -> Members:
    return {path: (Entry(path, "file", 0o644, len(data)), data) for path, data in contents.items()}
