"""``freeze build --verify``: builds the image again from scratch, and compares."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from freezer.ecosystems import lock_artifacts
from freezer.engine.interface import LayerFile
from freezer.fetch.store.store import Store
from freezer.flows.image.build import Built, build
from freezer.flows.project.image_runtime import require_runtime
from freezer.image.assemble.assemble import SYSTEM_TITLE, assemble
from freezer.image.assemble.steps import TITLE as STEPS_TITLE
from freezer.image.base import base_blobs, ensure_base
from freezer.image.debian.bootstrap import make_base
from freezer.image.oci.config import image_config, image_id
from freezer.image.tar.difference import differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.image.assemble.parts import Parts
    from freezer.model.lock import BootstrapBase, Lock

_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
BASE_TITLE = "the base"
_MAKERS = {
    BASE_TITLE: "the step that makes the base",
    SYSTEM_TITLE: "the step that installs Debian packages",
    STEPS_TITLE: "the spec's own steps",
}
_MEMO = "rebuilt"
_IMAGE = "rebuilt-image"
_DISPLAYED = 20
"""Maximum listed differences of one layer."""


@dataclass(frozen=True)
class Rebuilt:
    """A second build of a lock next to the first."""

    built: Built
    image: str
    """The second image's ID."""
    differences: tuple[str, ...]
    """A sentence for each different layer, and for each difference in it."""

    @property
    def same(self) -> bool:
        """Whether both builds gave the same image ID."""
        return self.image == self.built.image


def rebuild(project: Project, name: str | None) -> Rebuilt:
    """Build an environment again from its artifacts alone, and compare the images.

    Nothing that was made before is used: no chunks, no builder cache, no base. The second image is
    not loaded or tagged. Raises the errors of building.
    """
    built = build(project, name)
    lock, lock_id = built.locked.lock, built.locked.id
    engine, store, report = project.engine(), project.store, project.report
    require_runtime(project, lock)
    reference = ensure_base(lock, engine=engine, store=store, report=report)
    first = assemble(lock, lock_id, reference, engine=engine, store=store, report=report)
    with store.scratch() as scratch:
        empty = _with_artifacts(scratch, store, lock)
        found = list(_bases(project, lock, empty))
        second = assemble(
            lock, lock_id, reference, engine=engine, store=empty, report=report, use_cache=False
        )
        found += _layers(first, second)
        layers = [(item.file.diff_id, item.title) for item in second.layers]
        done = Rebuilt(built, image_id(image_config(lock, lock_id, layers)), tuple(found))
    store.put_memo(_MEMO, lock_id, done.same)
    store.put_memo(_IMAGE, lock_id, built.image)
    return done


def rebuilt_before(project: Project, lock_id: str) -> bool | None:
    """Return whether the last rebuild of a lock gave the same image; None: there was none here."""
    return project.store.get_memo(_MEMO, lock_id, bool)


def rebuilt_image(project: Project, lock_id: str) -> str | None:
    """Return the ID of the image that the last rebuild of a lock was compared with."""
    return project.store.get_memo(_IMAGE, lock_id, str)


def _with_artifacts(folder: Path, store: Store, lock: Lock) -> Store:
    """Return a store that has only the lock's artifacts."""
    empty = Store.open(folder / "store")
    wanted = {artifact.sha256 for artifact in lock_artifacts(lock)}
    wanted |= {file.sha256 for file in lock.own_files} | set(base_blobs(lock.base))
    wanted.add(lock.inside.sha256)
    for sha256 in wanted:
        if store.has(sha256):
            path = empty.path(sha256)
            path.parent.mkdir(exist_ok=True)
            path.hardlink_to(store.verified(sha256))
    return empty


def _bases(project: Project, lock: Lock, empty: Store) -> Iterator[str]:
    """Make a bootstrapped base again; one from a registry is given by its digest."""
    if lock.base.kind != "bootstrap":
        return
    base: BootstrapBase = lock.base
    config, layer = make_base(
        base.suite,
        base.packages,
        _MACHINES[lock.platform],
        engine=project.engine(),
        store=empty,
        report=project.report,
    )
    if image_id(config) == base.config and (layer.diff_id,) == base.diff_ids:
        return
    yield f"base: {layer.diff_id[7:19]}, locked {base.diff_ids[0][7:19]}"
    old = project.store.path(base.diff_ids[0].removeprefix("sha256:"))
    if old.is_file():
        yield from _inside(LayerFile(base.diff_ids[0], old), layer, BASE_TITLE)


def _layers(first: Parts, second: Parts) -> Iterator[str]:
    for old, new in zip(first.layers, second.layers, strict=True):
        if old.file.diff_id != new.file.diff_id:
            yield f"layer {old.title!r}: {new.file.diff_id[7:19]}, was {old.file.diff_id[7:19]}"
            yield from _inside(old.file, new.file, old.title)


def _inside(old: LayerFile, new: LayerFile, title: str) -> Iterator[str]:
    if old.path is None or new.path is None:
        return
    found = differences(old.path, new.path)
    for sentence in islice(found, _DISPLAYED):
        yield f"  {sentence} (made by {_maker(title, sentence.partition(': ')[0])})"
    more = sum(1 for _ in found)
    if more:
        yield f"  and {more} more"


def _maker(title: str, path: str) -> str:
    """Return the step that made a file of a layer."""
    if title in _MAKERS:
        return _MAKERS[title]
    return "byte compilation" if path.endswith(".pyc") else "assembly on the host"
