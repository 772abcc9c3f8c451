"""``freeze diff``: two locks, wherever they are, held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.check.locks import compare_locks
from freezer.check.numerics import compare_inventories
from freezer.check.reference import read_reference, reference_path, references
from freezer.errors import CheckError, LockError, Where
from freezer.flows.check_image import find_image, is_image, read_image_lock
from freezer.flows.generations import generation, history
from freezer.flows.spec import Locked, environments, load_locked, read_lock
from freezer.history.diff import LockDiff, diff_locks
from freezer.history.suspects import Suspect, assess
from freezer.model.inventory import INVENTORY_FILE, Inventory
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock, short_id

if TYPE_CHECKING:
    from freezer.flows.sources import Workshop

CURRENT: Final = "current"


@dataclass(frozen=True)
class Side:
    """One of the two locks, and what to call it."""

    title: str
    locked: Locked


@dataclass(frozen=True)
class DiffResult:
    """What differs between two locks, and what that may mean."""

    old: Side
    new: Side
    diff: LockDiff
    suspects: tuple[Suspect, ...]
    inventory: tuple[str, ...]
    """What changed in what does the arithmetic, where both sides have an inventory."""
    references: tuple[str, ...]
    """How the recorded numbers compare, for each numerics class that both sides have."""


def diff(workshop: Workshop, name: str | None, first: str | None, second: str | None) -> DiffResult:
    """Hold two locks against each other; by default the generation before, and the current one.

    ``first`` and ``second`` are generations (``3``, ``@3``, ``-1`` for the one before, a lock ID's
    first digits), ``current``, environments, paths of locks or of their folders, or images.
    Raises ``LockError``, ``HistoryError`` and ``CheckError`` for what is none of these.
    """
    if first is None:
        old, new = _before(workshop, name), _current(workshop, name)
    else:
        old = _side(workshop, name, first)
        new = _side(workshop, name, second) if second is not None else _current(workshop, name)
    found = diff_locks(old.locked.lock, new.locked.lock)
    return DiffResult(
        old=old,
        new=new,
        diff=found,
        suspects=assess(found),
        inventory=_inventories(old.locked, new.locked),
        references=tuple(_references(old.locked, new.locked)),
    )


def _current(workshop: Workshop, name: str | None) -> Side:
    locked = load_locked(workshop.project, name)
    return Side(f"{locked.lock.name}, current ({short_id(locked.id)})", locked)


def _before(workshop: Workshop, name: str | None, back: int = 1) -> Side:
    """Return the generation that was current before the current lock, or further back."""
    locked = load_locked(workshop.project, name)
    known = list(history(workshop, locked.lock.name).generations)
    if known and known[-1].lock_id == locked.id:
        known.pop()
    if len(known) < back:
        raise LockError(
            f"{locked.lock.name} has no generation {back} before the current one",
            hint="name two locks: generations (`freeze log`), files, images or environments",
        )
    return _generation(workshop, locked.lock.name, known[-back].number)


def _generation(workshop: Workshop, name: str, number: int | str) -> Side:
    locked = generation(workshop, name, number)
    return Side(f"{name}, generation {number} ({short_id(locked.id)})", locked)


def _side(workshop: Workshop, name: str | None, text: str) -> Side:
    if text == CURRENT:
        return _current(workshop, name)
    path = Path(text)
    path = path if path.is_absolute() else workshop.project / path
    if path.exists():
        return _file(path / LOCK_FILE if path.is_dir() else path, text)
    if text in environments(workshop.project) and (locked := read_lock(workshop.project, text)):
        return Side(f"{text} ({short_id(locked.id)})", locked)
    bare = text.removeprefix("@")
    if bare.startswith("-") and bare[1:].isdecimal() and int(bare) < 0:
        return _before(workshop, name, -int(bare))
    if is_image(text) and not text.startswith("@"):
        image = find_image(workshop, text)
        lock, identifier = read_image_lock(workshop, text, image)
        return Side(f"image {text} ({short_id(identifier)})", Locked(lock, identifier, path))
    number = int(bare) if bare.isdecimal() and len(bare) < 8 else bare.lower()
    return _generation(workshop, load_locked(workshop.project, name).lock.name, number)


def _file(path: Path, text: str) -> Side:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LockError(
            "the lock cannot be read", where=Where(text), found=error.strerror
        ) from error
    lock = parse_lock(data, text)
    identifier = lock_id(data)
    return Side(f"{text} ({short_id(identifier)})", Locked(lock, identifier, path.parent))


def _inventories(old: Locked, new: Locked) -> tuple[str, ...]:
    before, after = _inventory(old), _inventory(new)
    return compare_inventories(before, after) if before and after else ()


def _inventory(locked: Locked) -> Inventory | None:
    """Return the inventory beside a lock; one that cannot be read is as good as none."""
    try:
        return Inventory.model_validate_json((locked.folder / INVENTORY_FILE).read_bytes())
    except (OSError, ValueError):
        return None


def _references(old: Locked, new: Locked) -> list[str]:
    """Say for each numerics class that both sides have how the recorded numbers compare."""
    said = []
    for name in references(old.folder):
        try:
            before, after = (
                read_reference(reference_path(side.folder, name), f"{name}.json")
                for side in (old, new)
            )
        except CheckError:
            continue
        mine = before is not None and before.lock_id == old.id
        if before is None or after is None or not mine or after.lock_id != new.id:
            continue
        for one in compare_locks(before, after).trainings:
            first = f", first in {one.first.what}" if one.first else ""
            reason = f" ({one.reason})" if one.reason else ""
            said.append(f"{name}: {one.training} {one.word}{first}{reason}")
    return said
