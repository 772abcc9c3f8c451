"""``freeze images --prune``: removes images that the project does not need any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import EngineError
from freezer.flows.image.images import TITLE, chains
from freezer.flows.project.environment import LOCKS, environments, read_lock
from freezer.history.log import FOLDER, LOG_FILE, read_history
from freezer.image.build_container import store_name
from freezer.image.layout import BASE_REPOSITORY, LOCK_LABEL, STORE_LABEL
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from freezer.engine.interface import Engine, ImageInfo
    from freezer.flows.project.project import Project


@dataclass(frozen=True)
class Unneeded:
    """An image that is, or would be, removed."""

    what: str
    """A title for users: an environment's name and lock, or another kind."""
    image: str
    names: tuple[str, ...]
    """Its tags."""
    kept_because: str = ""
    """The engine's message when it refused to remove it; empty otherwise."""


@dataclass(frozen=True)
class Pruned:
    """Images that were, or would be, removed."""

    images: tuple[Unneeded, ...]
    freed: int
    """Bytes of layers that no other image of the engine has."""
    dry: bool


def prune(project: Project, *, dry: bool) -> Pruned:
    """Remove images of this project's environments whose lock the project does not know.

    Kept are: images of current locks and of all generations, images tagged ``latest``, and those of
    other projects. Bases and working images are removed when no kept image is based on them; both
    can be restored from the store. With ``dry`` nothing is removed.
    """
    engine = project.engine()
    engine_images = engine.images()
    wanted, ours = _known(project.root)
    working = store_name(project.store)
    going = [image for image in engine_images if _is_unneeded(image, wanted, ours, working)]
    staying = [image for image in engine_images if image not in going]
    going += [image for image in staying if _is_idle_base(image, staying)]
    sizes = {image.id: _sizes(engine, image) for image in going}
    done = tuple(_remove(engine, image, dry=dry) for image in going)
    gone = {item.image for item in done if not item.kept_because}
    kept = {
        one for image in engine_images if image.id not in gone for one in chains(image.diff_ids)
    }
    layers = {chain: size for image in gone for chain, size in sizes[image].items()}
    return Pruned(done, sum(size for chain, size in layers.items() if chain not in kept), dry)


def _known(project: Path) -> tuple[set[str], set[str]]:
    """Return the IDs of all locks of the project, and its environments' names.

    Raises ``HistoryError`` and ``LockError`` when one cannot be read: nothing is removed then.
    """
    locks, names = set(), set()
    folders = {path.parent for path in project.glob(f"{LOCKS}/*/{LOCK_FILE}")}
    folders |= {path.parent.parent for path in project.glob(f"{LOCKS}/*/{FOLDER}/{LOG_FILE}")}
    for folder in folders:
        names.add(folder.name)
        if (current := read_lock(project, folder.name)) is not None:
            locks.add(current.id)
        shown = f"{LOCKS}/{folder.name}/{FOLDER}/{LOG_FILE}"
        locks |= {one.lock_id for one in read_history(folder, shown).generations}
    return locks, names | {name for name in environments(project) if name}


def _is_unneeded(image: ImageInfo, wanted: set[str], ours: set[str], working: str) -> bool:
    if image.labels.get(STORE_LABEL) == working:
        return True
    lock_id = image.labels.get(LOCK_LABEL)
    if lock_id is None or image.labels.get(TITLE) not in ours:
        return False
    return lock_id not in wanted and not any(tag.endswith(":latest") for tag in image.tags)


def _is_idle_base(image: ImageInfo, staying: Iterable[ImageInfo]) -> bool:
    if STORE_LABEL in image.labels:
        return False  # another store's build uses it
    if not image.tags or any(not t.startswith(f"{BASE_REPOSITORY}:") for t in image.tags):
        return False
    count = len(image.diff_ids)
    above = (other for other in staying if other.id != image.id and other.labels.get(LOCK_LABEL))
    return not any(other.diff_ids[:count] == image.diff_ids for other in above)


def _sizes(engine: Engine, image: ImageInfo) -> dict[str, int]:
    """Return the bytes of each layer by its chain ID; empty when the engine has none."""
    sizes = engine.layer_sizes(image.id)
    return dict(zip(chains(image.diff_ids), sizes, strict=True)) if sizes else {}


def _remove(engine: Engine, image: ImageInfo, *, dry: bool) -> Unneeded:
    title, lock_id = image.labels.get(TITLE), image.labels.get(LOCK_LABEL, "")
    what = f"{title} {lock_id[:12]}" if title else "a base" if image.tags else "a working image"
    refusal = ""
    try:
        for reference in () if dry else image.tags or (image.id,):
            engine.remove_image(reference)
    except EngineError as error:
        refusal = error.found or error.what  # a container uses it, or another image
    return Unneeded(what, image.id, image.tags, refusal)
