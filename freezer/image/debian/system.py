"""The system layer: Debian packages, installed by the base's own tools without network.

Maintainer scripts must run, so this part of an image is made by a builder. The result is
canonicalised and stored under a digest of its inputs: the same packages on the same base are
installed once.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile, RunOptions
from freezer.errors import BuildError, EngineError
from freezer.image.clock import EARLIEST, epoch
from freezer.image.debian.deb import build_time
from freezer.image.dockerfile import deb_name, render_dockerfile, render_install_script
from freezer.image.layout import SYSTEM_FOLDER
from freezer.image.tar.canonical import DEBIAN_NOISE, Folder, canonicalise
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freezer.engine.interface import Engine
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock

_FOLDER = re.compile(
    rb"(?:^|(?<=\0))(?P<mode>[0-7]{1,5}) (?P<uid>\d{1,10}) (?P<gid>\d{1,10}) (?P<path>[^\0]+)\0"
)
_MEMO = "system-layer"
_FORMAT = 2
"""Format number; increment when the same inputs would give another layer."""


def system_layer(
    lock: Lock,
    lock_id: str,
    base_reference: str,
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
    use_cache: bool = True,
) -> LayerFile:
    """Return the layer above the base. Raises ``BuildError`` when a package does not install.

    ``base_reference`` is the engine's name of the verified base; ``use_cache`` permits the
    builder's own cache when the layer is not in the store.
    """
    moment = _moment(lock, store)
    script = render_install_script(lock, moment)
    key = _key(lock, script)
    known = store.get_memo(_MEMO, key)
    if isinstance(known, str) and store.has(known):
        return LayerFile(f"sha256:{known}", store.verified(known))
    with store.scratch() as scratch:
        context = _context(lock, lock_id, base_reference, scratch, store)
        count = len(lock.debian)
        title = f"Installing {count} Debian packages" if count else "Preparing the base"
        with report.task(title) as task:
            task.describe("building the system step")
            image = engine.build(context, target="system", use_cache=use_cache, report=report)
            try:
                task.describe("canonicalising the layer")
                below = folders_of(engine, base_reference)
                layer = _canonical(engine, image, lock, moment, below, store)
            finally:
                engine.remove_image(image)
    store.put_memo(_MEMO, key, layer.diff_id.removeprefix("sha256:"))
    return layer


def write_system_folder(lock: Lock, folder: Path, store: Store) -> None:
    """Write the verified packages and their install script into a context's ``system``."""
    folder.mkdir(parents=True)
    for package in lock.debian:
        _place(store.verified(package.sha256), folder / deb_name(package.file))
    script = folder / "install.sh"
    script.write_text(render_install_script(lock, _moment(lock, store)))


def _moment(lock: Lock, store: Store) -> int:
    """Return the build time of the newest package, at most the lock's ``as-of``."""
    times = (build_time(store.verified(p.sha256), deb_name(p.file)) for p in lock.debian)
    return min(max(times, default=EARLIEST), epoch(lock.as_of))


def _key(lock: Lock, script: str) -> str:
    parts = [lock.base.config, script, sorted(package.sha256 for package in lock.debian)]
    return digest(json_bytes([_FORMAT, lock.image_format, *parts]))


def _context(lock: Lock, lock_id: str, base_reference: str, scratch: Path, store: Store) -> Path:
    context = scratch / "context"
    context.mkdir()
    write_system_folder(lock, context / "system", store)
    dockerfile = render_dockerfile(lock, lock_id, base_reference=base_reference, labels={})
    (context / "Dockerfile").write_text(dockerfile)
    return context


def _place(source: Path, target: Path) -> None:
    """Link a file if possible, otherwise copy it."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _canonical(
    engine: Engine,
    image: str,
    lock: Lock,
    moment: int,
    below: Mapping[str, Folder] | None,
    store: Store,
) -> LayerFile:
    """Return the last layer, made by the script; the one below only copied the packages."""
    built = engine.image(image)
    if built is None or len(built.diff_ids) <= len(lock.base.diff_ids):
        raise BuildError("the builder returned an image without the system step's layer")
    with store.scratch() as scratch, store.writer() as writer:
        for _, tar in engine.layer_tars(image, len(built.diff_ids) - 1, scratch=scratch):
            made = canonicalise(tar, writer, epoch=moment, drop=_drop, below=below)
            return LayerFile(made.diff_id, store.path(made.diff_id.removeprefix("sha256:")))
    raise BuildError("the builder's image has fewer layers than its config lists")


def folders_of(engine: Engine, base: str) -> dict[str, Folder] | None:
    """Return an image's folders by path; None when it has no ``find``."""
    command = ["find", "/", "-xdev", "-type", "d", "-printf", "%m %U %G %P\\0"]
    try:
        result = engine.run(base, command, RunOptions(user="0:0", timeout=600))
    except EngineError:
        return None
    if result.exit_code != 0:
        return None
    found = {}
    for match in _FOLDER.finditer(result.stdout):
        name = match["path"].decode("utf-8", "surrogateescape")
        found[name] = Folder(int(match["mode"], 8), int(match["uid"]), int(match["gid"]))
    return found


def _drop(path: str) -> bool:
    name = path.removeprefix(".wh.")
    return name.split("/", 1)[0] == SYSTEM_FOLDER or DEBIAN_NOISE(path)
