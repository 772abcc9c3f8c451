"""A switch: an earlier lock becomes current, in one step that survives a kill.

A rollback replaces several files, and a file system can rename only one at a time. So the switch is
first written down whole, in a journal, and the order of the steps makes every kill harmless:

1. The journal is written under another name, synced to disk, and renamed; then its folder is
   synced. Until that rename nothing has changed. From it on the switch counts.
2. Each file is replaced by a synced copy out of the archive, the lock last; then the entries are
   added to the history, then the changelog follows. Every step writes what the journal says,
   whatever is there already, so that repeating a step does no harm.
3. The journal is removed.

Whoever opens the history next finds a journal that is left, and does steps 2 and 3. It is synced
before the first file is replaced: otherwise a power failure could keep the new files and lose the
journal, and leave one lock's exports next to another lock.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pydantic import Field, ValidationError

from freezer.errors import HistoryError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.history.archive import archive_folder
from freezer.history.changelog import write_changelog
from freezer.history.files import read_regular
from freezer.history.log import FOLDER, append
from freezer.history.stored import REFERENCES, verified_file
from freezer.model.base import Digest, EnvName, Model, Sha256
from freezer.model.canonical import digest, json_bytes, plain
from freezer.model.generation import Entry, File
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freezer.history.log import History

JOURNAL: Final = ".switch.json"


class Switch(Model):
    """All that makes an earlier lock current."""

    name: EnvName
    lock_id: Sha256
    image: Digest
    """Gets the environment's tags."""
    files: dict[File, Sha256]
    """Files of the archive, with their SHA-256, that take their place next to the history."""
    references: dict[File, Sha256] = Field(default_factory=dict)
    removed: tuple[File, ...] = ()
    """Files next to the current lock that the earlier lock does not have."""
    removed_references: tuple[File, ...] = ()
    entries: tuple[Entry, ...]
    """What the history gets."""


def begin(folder: Path, switch: Switch) -> None:
    """Write the journal: once it has its name, the switch counts."""
    document = plain(switch)
    document["integrity"] = digest(json_bytes(document))
    with disk_errors(folder):
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        write_atomically(folder / FOLDER / JOURNAL, json_bytes(document))


def begun(folder: Path, shown: str) -> Switch | None:
    """Return a switch that was begun and not finished; None where there is none.

    Raises ``HistoryError`` when the journal was edited.
    """
    place = Where(f"{shown}/{FOLDER}/{JOURNAL}")
    try:
        document = json.loads(read_regular(folder, f"{FOLDER}/{JOURNAL}"))
        if document.pop("integrity") != digest(json_bytes(document)):
            raise ValueError
        return Switch.model_validate(document)
    except FileNotFoundError:
        return None
    except (ValidationError, ValueError, RecursionError, KeyError, AttributeError, TypeError):
        raise _stuck("the journal of an unfinished rollback was edited", place) from None
    except OSError as error:
        raise HistoryError(
            "the journal of an unfinished rollback cannot be read",
            where=place,
            found=error.strerror,
            hint="make it readable",
        ) from error


def apply(folder: Path, switch: Switch, past: History, shown: str) -> History:
    """Do what the journal says, or what is left of it; return the history with its entries.

    ``past`` is the history as it is in the folder. The image's tags are left to the caller. Raises
    ``HistoryError``, before anything is written, when the archive was edited, or the history went
    on without the switch.
    """
    files = dict(_from_archive(folder, switch, shown))
    require_fit(switch, past, shown)
    with disk_errors(folder):
        for name in switch.removed_references:
            (folder / REFERENCES / name).unlink(missing_ok=True)
        for name in switch.removed:
            (folder / name).unlink(missing_ok=True)
        # The lock last: a reader that finds the new lock finds its exports and references too.
        for name in sorted(files, key=lambda one: one == LOCK_FILE):
            _replace(folder / name, files[name])
    # After the lock: entries that name a lock which is not in place yet would be believed by a
    # reader that knows nothing of the journal, such as `git`.
    after = append(folder, past, *switch.entries)
    write_changelog(folder, after, switch.name)
    return after


def end(folder: Path) -> None:
    """Remove the journal: the switch is done."""
    with disk_errors(folder):
        (folder / FOLDER / JOURNAL).unlink(missing_ok=True)


def _from_archive(folder: Path, switch: Switch, shown: str) -> Iterator[tuple[str, bytes]]:
    source = archive_folder(folder, switch.lock_id)
    place = f"{shown}/{FOLDER}/{switch.lock_id}"
    for path, sha256 in _paths(switch).items():
        yield path, verified_file(source, path, sha256, place)


def _paths(switch: Switch) -> Mapping[str, str]:
    references = {f"{REFERENCES}/{name}": one for name, one in switch.references.items()}
    return {**references, **switch.files}


def require_fit(switch: Switch, past: History, shown: str) -> None:
    """Raise ``HistoryError`` when a history went on without a switch that was begun."""
    try:
        past.extended(*switch.entries)
    except HistoryError as error:
        raise _stuck(
            "an unfinished rollback no longer fits the history",
            Where(f"{shown}/{FOLDER}/{JOURNAL}"),
            str(error),
        ) from error


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)


def _stuck(what: str, where: Where, found: str | None = None) -> HistoryError:
    return HistoryError(
        what,
        where=where,
        found=found,
        hint="remove that file to stay with the lock that is there, then look at `freeze log`",
    )
