"""A switch: makes an earlier lock current, atomically even when the process is killed.

A rollback replaces several files, and a file system can rename only one at a time. So the switch is
first written to a journal, and the order of the steps makes a kill at any point harmless:

1. The journal is written under another name, synced to disk, and renamed; then its folder is
   synced. Before the rename nothing has changed; after it the switch will be completed.
2. Each file is replaced by a synced copy from the archive, the lock last; then the entries are
   added to the history, then the changelog is written. Every step follows the journal, whatever
   exists already, so it can be repeated.
3. The journal is removed.

The next process that opens the history completes steps 2 and 3 of a leftover journal. The journal
is synced before the first file is replaced: otherwise a power failure could keep the new files and
lose the journal, leaving one lock's exports next to another lock.
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
    """Everything needed to make an earlier lock current."""

    name: EnvName
    lock_id: Sha256
    image: Digest
    """The image that receives the environment's tags."""
    files: dict[File, Sha256]
    """Archived files, with their SHA-256, to be copied next to the history."""
    references: dict[File, Sha256] = Field(default_factory=dict)
    removed: tuple[File, ...] = ()
    """Files next to the current lock that the earlier lock does not have."""
    removed_references: tuple[File, ...] = ()
    entries: tuple[Entry, ...]
    """Entries to add to the history."""


def begin(folder: Path, switch: Switch) -> None:
    """Write the journal: once it has its name, the switch will be completed."""
    document = plain(switch)
    document["integrity"] = digest(json_bytes(document))
    with disk_errors(folder):
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        write_atomically(folder / FOLDER / JOURNAL, json_bytes(document))


def begun(folder: Path, shown: str) -> Switch | None:
    """Return an unfinished switch; None when there is none.

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
    """Carry out a journal, or the rest of it; return the history with its entries.

    ``past`` is the history in the folder. The image's tags are left to the caller. Raises
    ``HistoryError``, before anything is written, when the archive was edited, or the history has
    other new entries.
    """
    files = dict(_from_archive(folder, switch, shown))
    require_fit(switch, past, shown)
    with disk_errors(folder):
        for name in switch.removed_references:
            (folder / REFERENCES / name).unlink(missing_ok=True)
        for name in switch.removed:
            (folder / name).unlink(missing_ok=True)
        # The lock last: when it is in place, so are its exports and references.
        for name in sorted(files, key=lambda one: one == LOCK_FILE):
            _replace(folder / name, files[name])
    # After the lock: readers that ignore the journal, such as `git`, must not see entries of a
    # lock that is not in place yet.
    after = append(folder, past, *switch.entries)
    write_changelog(folder, after, switch.name)
    return after


def end(folder: Path) -> None:
    """Remove the journal."""
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
    """Raise ``HistoryError`` when the history has other entries after an unfinished switch."""
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
        hint="remove that file to keep the current lock, then see `freeze log`",
    )
