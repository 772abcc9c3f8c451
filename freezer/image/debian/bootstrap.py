"""Makes a base image from Debian packages, for sites without a registry.

Two steps, without root, network or Debian's tools on the host: the packages' files become a root on
the host; in a container of that root the packages are installed by their own scripts. The result,
in canonical form, is one layer and depends only on the list of packages: its time is the build time
of the newest one.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile, RunOptions
from freezer.errors import BuildError, EngineError
from freezer.image.debian.deb import build_time
from freezer.image.debian.root import KEPT, LEFT_OUT, write_root
from freezer.image.dockerfile import deb_name, render
from freezer.image.layout import BASE_PATH, SYSTEM_FOLDER
from freezer.image.tar.canonical import DEBIAN_NOISE, END, Entry, canonicalise, write_entry
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from freezer.engine.interface import Engine, RunResult
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter, Task
    from freezer.model.lock import DebianPackage

_MEMO = "bootstrap"
_FORMAT = 1
"""Format number; increment when the same packages would give another layer."""
_TIMEOUT = 1800.0
_PATIENCE = 3600.0
"""Maximum seconds to wait for another process that makes the same base."""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_RUNTIME = ("dev/", "proc/", "sys/", f"{SYSTEM_FOLDER}/")
"""Folders whose contents exist in a running container only."""
_PACKED = "root.tar"
_COPY = 1 << 20
_LAST_LINES = 12
_NOISE = ("update-alternatives: warning:", "dpkg: warning:", "debconf: ")
"""Output lines of the scripts that are no errors."""


@dataclass(frozen=True)
class _Recipe:
    """All inputs of a base."""

    architecture: str
    debs: tuple[tuple[str, Path], ...]
    """File names and verified files."""
    epoch: int
    script: str


def make_base(
    suite: str,
    packages: Sequence[DebianPackage],
    architecture: str,
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
) -> tuple[bytes, LayerFile]:
    """Return the config and the single layer of a base made of some packages.

    ``packages`` include all dependencies and their files are in the store; ``architecture`` is
    ``x86_64`` or ``aarch64``. Made once for each list of packages. Raises ``IntegrityError`` for a
    malformed package, ``BuildError`` when the packages do not install.
    """
    recipe = _recipe(packages, architecture, store)
    key = digest(
        json_bytes([_FORMAT, architecture, recipe.script, sorted(p.sha256 for p in packages)])
    )
    with store.lock(f"bootstrap-{key[:16]}", timeout=_PATIENCE, report=report):
        known = store.get_memo(_MEMO, key)
        if not isinstance(known, str) or not store.has(known):
            title = f"Making a {suite} base of {len(packages)} Debian packages"
            with report.task(title, total=3, unit="steps") as task:
                known = _make(recipe, engine, store, task)
            store.put_memo(_MEMO, key, known)
        layer = LayerFile(f"sha256:{known}", store.verified(known))
    return _config(architecture, recipe.epoch, layer.diff_id, f"a {suite} base"), layer


def _recipe(packages: Sequence[DebianPackage], architecture: str, store: Store) -> _Recipe:
    ordered = sorted(packages, key=lambda package: (package.name, package.architecture))
    debs = tuple((deb_name(p.file), store.verified(p.sha256)) for p in ordered)
    epoch = max((build_time(path, name) for name, path in debs), default=0)
    script = render(
        "system/bootstrap.sh.j2", folder=SYSTEM_FOLDER, epoch=epoch, left_out=LEFT_OUT, kept=KEPT
    )
    return _Recipe(architecture, debs, epoch, script)


def _make(recipe: _Recipe, engine: Engine, store: Store, task: Task) -> str:
    """Make the layer and store it; return its SHA-256."""
    from freezer.image.build_container import store_name

    with store.scratch() as scratch:
        task.describe("unpacking")
        with _unpacked(recipe, scratch, engine, store_name(store)) as image:
            task.advance()
            task.describe("installing")
            installed = _install(recipe, image, scratch, engine)
        task.advance()
        task.describe("canonicalising the layer")
        with installed.open("rb") as tar, store.writer() as writer:
            canonicalise(tar, writer, epoch=recipe.epoch, drop=_drop)
        task.advance()
    return writer.sha256


@contextmanager
def _unpacked(recipe: _Recipe, scratch: Path, engine: Engine, owner: str) -> Iterator[str]:
    """Load the packages' files as an image; yield its ID; remove it at the end.

    ``owner`` distinguishes it from those of other stores, which remove their own.
    """
    path = scratch / "root.tar"
    with path.open("wb") as file:
        layer = write_root(file, recipe.debs, recipe.architecture, recipe.epoch)
    config = _config(recipe.architecture, recipe.epoch, layer.diff_id, f"unpacked for {owner}")
    image = engine.load(config, [LayerFile(layer.diff_id, path)]).id
    path.unlink()
    try:
        yield image
    finally:
        engine.remove_image(image)


def _install(recipe: _Recipe, image: str, scratch: Path, engine: Engine) -> Path:
    """Run the packages' scripts; return a tar of the whole root."""
    files, installed = scratch / "packages.tar", scratch / "installed.tar"
    _pack(recipe, files)
    options = RunOptions(
        read_only=False, user="0:0", drop_capabilities=False, working_dir="/", timeout=_TIMEOUT
    )
    script, packed = f"/{SYSTEM_FOLDER}/bootstrap.sh", f"/{SYSTEM_FOLDER}/{_PACKED}"
    try:
        result = engine.run(
            image, ["/bin/sh", script], options, files=files, fetch={packed: installed}
        )
    except EngineError as error:
        if recipe.architecture == engine.info.architecture:
            raise
        raise _other_architecture(recipe, engine, error.found) from error
    if result.timed_out or result.exit_code != 0:
        raise _failure(recipe, result, engine)
    return _unwrapped(installed, scratch / _PACKED)


def _unwrapped(fetched: Path, target: Path) -> Path:
    """Extract the root's tar from the tar in which the engine returns a single file."""
    with tarfile.open(fetched, mode="r:") as archive:
        member = archive.next()
        stream = archive.extractfile(member) if member is not None and member.isreg() else None
        if stream is None:
            raise BuildError("the engine did not return the base's root as one file")
        with target.open("wb") as file:
            shutil.copyfileobj(stream, file, _COPY)
    fetched.unlink()
    return target


def _pack(recipe: _Recipe, target: Path) -> None:
    """Write the tar of packages and script that is copied into the container."""
    with target.open("wb") as file:
        write_entry(file, Entry(SYSTEM_FOLDER, "dir", 0o755), None, recipe.epoch)
        for name, path in recipe.debs:
            entry = Entry(f"{SYSTEM_FOLDER}/{name}", "file", 0o644, path.stat().st_size)
            with path.open("rb") as data:
                write_entry(file, entry, data, recipe.epoch)
        script = recipe.script.encode()
        entry = Entry(f"{SYSTEM_FOLDER}/bootstrap.sh", "file", 0o755, len(script))
        write_entry(file, entry, io.BytesIO(script), recipe.epoch)
        file.write(END)


def _drop(path: str) -> bool:
    return path == SYSTEM_FOLDER or path.startswith(_RUNTIME) or DEBIAN_NOISE(path)


def _config(architecture: str, epoch: int, diff_id: str, title: str) -> bytes:
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json_bytes(
        {
            "architecture": _MACHINES[architecture],
            "os": "linux",
            "created": created,
            "config": {"Env": [f"PATH={BASE_PATH}"], "Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created": created, "created_by": f"freezer: {title}"}],
        }
    )


def _failure(recipe: _Recipe, result: RunResult, engine: Engine) -> BuildError:
    lines = result.stderr.decode(errors="replace").splitlines()
    output = [line for line in lines if line.strip() and not line.startswith(_NOISE)]
    if recipe.architecture != engine.info.architecture:
        return _other_architecture(recipe, engine, next(iter(output[-1:]), None))
    return BuildError(
        f"the base's packages were not installed after {_TIMEOUT:.0f} seconds"
        if result.timed_out
        else "the base's packages do not install",
        found=f"exit code {result.exit_code}",
        details=output[-_LAST_LINES:],
        hint="see the packages' own messages; lock again if the archive was being updated when "
        "they were selected",
    )


def _other_architecture(recipe: _Recipe, engine: Engine, output: str | None) -> BuildError:
    return BuildError(
        f"packages for {recipe.architecture} cannot be installed on this engine",
        found=output,
        expected=f"an engine on {recipe.architecture}; this one is on {engine.info.architecture}",
        hint="name such an engine with DOCKER_HOST, or set `platform` to this one's",
    )
