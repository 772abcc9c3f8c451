"""``freeze diff``: two locks, wherever they are, compared with each other."""

from __future__ import annotations

import difflib
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import CheckError, HistoryError, LockError, Where
from freezer.flows.history.generations import generation, history
from freezer.flows.history.recorded import require_recorded
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.project.environment import LOCKS, Locked, environments, load_locked
from freezer.flows.project.image_reference import is_image
from freezer.history.diff import LockDiff, diff_locks
from freezer.history.files import read_regular
from freezer.history.stored import INVENTORY_FILE, REFERENCES
from freezer.history.suspects import Suspect, assess
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock, short_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.flows.project.project import Project
    from freezer.model.record.inventory import Inventory
    from freezer.model.record.record import Record

CURRENT: Final = "current"
_GENERATION: Final = re.compile(r"\d+|[0-9a-fA-F]{4,64}")
"""A number, or a prefix of a lock ID."""


@dataclass(frozen=True)
class Side:
    """One of the two locks, with a title."""

    title: str
    locked: Locked


@dataclass(frozen=True)
class DiffResult:
    """The differences of two locks, and their possible effects."""

    old: Side
    new: Side
    diff: LockDiff
    suspects: tuple[Suspect, ...]
    inventory: tuple[str, ...]
    """Changes of numeric libraries, when both sides have an inventory."""
    references: tuple[str, ...]
    """Comparisons of the recorded results, for each numerics class that both sides have."""


def diff(project: Project, name: str | None, first: str | None, second: str | None) -> DiffResult:
    """Compare two locks; by default the generation before, and the current one.

    ``first`` and ``second`` are generations (``3``, ``@3``, ``-1`` for the one before, a prefix of
    a lock ID), ``current``, environments, paths of locks or of their folders, or images. Warns when
    the spec has changed since the current lock. Raises ``LockError``, ``HistoryError`` and
    ``CheckError`` for other words.
    """
    if first is None:
        old, new = _before(project, name), _current(project, name)
    else:
        old = _side(project, name, first)
        new = _side(project, name, second) if second is not None else _current(project, name)
    found = diff_locks(old.locked.lock, new.locked.lock)
    return DiffResult(
        old=old,
        new=new,
        diff=found,
        suspects=assess(found),
        inventory=_inventories(project, old.locked, new.locked),
        references=tuple(_references(old.locked, new.locked)),
    )


def split_words(project: Path, words: Sequence[str]) -> tuple[str | None, str | None, str | None]:
    """Split up to three words into environment, first and second lock; None for missing ones.

    Of two words the first is an environment only if the second is none.
    """
    known, rest = _known(project), list(words)
    name = None
    if rest and rest[0] in known and (len(rest) != 2 or rest[1] not in known):
        name = rest.pop(0)
    first, second = (*rest, None, None)[:2]
    return name, first, second


def _known(project: Path) -> set[str]:
    """Return the environments that have a spec or a lock; a pulled one has no spec."""
    locked = (path.parent.name for path in (project / LOCKS).glob(f"*/{LOCK_FILE}"))
    return {*environments(project), *locked} - {""}


def _current(project: Project, name: str | None) -> Side:
    locked = load_current_lock(project, name)
    return Side(f"{locked.lock.name}, current ({short_id(locked.id)})", locked)


def _before(project: Project, name: str | None, back: int = 1) -> Side:
    """Return the generation before the current lock, or ``back`` generations before it."""
    locked = load_locked(project.root, name)
    known = list(history(project, locked.lock.name).generations)
    if known and known[-1].lock_id == locked.id:
        known.pop()
    if len(known) < back:
        raise LockError(
            f"{locked.lock.name} has no generation {back} before the current one",
            hint="name two locks: generations (`freeze log`), files, images or environments",
        )
    return _generation(project, locked.lock.name, known[-back].number)


def _generation(project: Project, name: str, number: int | str) -> Side:
    locked = generation(project, name, number)
    return Side(f"{name}, generation {number} ({short_id(locked.id)})", locked)


def _side(project: Project, name: str | None, text: str) -> Side:
    if text == CURRENT:
        return _current(project, name)
    if text in _known(project.root):
        locked = load_current_lock(project, text)
        return Side(f"{text} ({short_id(locked.id)})", locked)
    path = Path(text)
    path = path if path.is_absolute() else project.root / path
    if path.exists():
        return _file(path / LOCK_FILE if path.is_dir() else path, text)
    bare = text.removeprefix("@")
    if bare.startswith("-") and bare[1:].isdecimal() and int(bare) < 0:
        return _before(project, name, -int(bare))
    if not _GENERATION.fullmatch(bare):
        return _image(project, text, path)
    number = int(bare) if bare.isdecimal() and len(bare) < 8 else bare.lower()
    return _generation(project, load_locked(project.root, name).lock.name, number)


def _image(project: Project, text: str, path: Path) -> Side:
    if not is_image(text) or text.startswith("@"):
        raise _no_lock(project, text)
    # Importing the clients of engines and registries takes a quarter of a second.
    from freezer.flows.check.check_image import find_image, read_image_lock

    try:
        image = find_image(project, text)
    except CheckError as error:
        raise _no_lock(project, text) from error
    lock, identifier = read_image_lock(project, text, image)
    return Side(f"image {text} ({short_id(identifier)})", Locked(lock, identifier, path))


def _no_lock(project: Project, text: str) -> LockError:
    near = difflib.get_close_matches(text, _known(project.root), 1, 0.6)
    return LockError(
        f"{text!r} is not a lock: no environment, file, folder, generation or image has that name",
        where=Where(str(project.root)),
        expected="`current`, an environment, a generation (3, @-1, the first digits of a lock ID), "
        "the path of a lock, or an image in the engine",
        hint=f"did you mean {near[0]}?" if near else "`freeze log` and `freeze images` list them",
    )


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


def _inventories(project: Project, old: Locked, new: Locked) -> tuple[str, ...]:
    before, after = _inventory(project, old), _inventory(project, new)
    if before is None or after is None:
        return ()
    from freezer.check.inventory.numerics import compare_inventories

    return compare_inventories(before, after)


def _inventory(project: Project, locked: Locked) -> Inventory | None:
    """Return the inventory stored with a lock; None when missing or not trustworthy."""
    try:
        require_recorded(project, locked, INVENTORY_FILE)
    except HistoryError as error:
        project.report.warn(str(error))
        return None
    try:
        data = read_regular(locked.folder, INVENTORY_FILE)
    except OSError:
        return None
    from freezer.model.record.inventory import Inventory

    try:
        return Inventory.model_validate_json(data)
    except ValueError:
        return None


def _references(old: Locked, new: Locked) -> Iterator[str]:
    """Yield a comparison of the recorded results for each common numerics class."""
    before, after = _records(old), _records(new)
    shared = [name for name in before if name in after]
    for name in shared:
        from freezer.check.compare.locks import compare_locks

        for one in compare_locks(before[name], after[name]).trainings:
            first = f", first in {one.first.what}" if one.first else ""
            reason = f" ({one.reason})" if one.reason else ""
            yield f"{name}: {one.training} {one.word}{first}{reason}"
    if not shared and old.id != new.id and (before or after):
        known = [", ".join(side) or "none" for side in (before, after)]
        listed = f"{known[0]}; {known[1]}"
        yield f"none of a common class ({listed}): `freeze check --against` compares them"


def _records(locked: Locked) -> dict[str, Record]:
    """Return a lock's own references by class, without unreadable ones."""
    if not (locked.folder / REFERENCES).is_dir():
        return {}
    from freezer.check.reference import read_reference, reference_path, references

    found = {}
    for name in references(locked.folder):
        with suppress(CheckError):
            record = read_reference(reference_path(locked.folder, name), f"{name}.json")
            if record is not None and record.lock_id == locked.id:
                found[name] = record
    return found
