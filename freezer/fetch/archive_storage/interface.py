"""What an archive asks of the place that keeps it: list, read, write once.

Paths are relative to the archive, with ``/``. An object is the folder of one environment. Nothing
of a new version counts before it is complete, and a published file is never written again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from freezer.errors import FetchError, HostError, IntegrityError, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BLOCK: Final = 1 << 20
"""Bytes that are read at a time."""
OBJECT_MARK: Final = "0=ocfl_object_1.1"


@dataclass(frozen=True)
class Source:
    """A file to be archived."""

    sha256: str
    size: int
    """Bytes."""
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Stored:
    """A file of an archive."""

    size: int
    """Bytes of the newest version."""
    deleted: bool = False
    """Whether a marker hides it: only earlier versions are left."""
    versions: tuple[str, ...] = ()
    """IDs of all versions, newest first; empty where the place keeps one version only."""


@dataclass(frozen=True)
class Head:
    """The files of an object that name its newest version, by file name."""

    number: int
    files: Mapping[str, bytes]
    """The inventory and its digest; they are in the version's folder and in the object's."""


class NotStoredError(FetchError):
    """The archive has no such file."""


class Draft(ABC):
    """A version that is being written."""

    @abstractmethod
    def put(self, path: str, source: Source, advance: Callable[[int], None]) -> None:
        """Write a file of the version; ``path`` is relative to the version's folder.

        Raises ``IntegrityError`` for a file that is not what its digest says.
        """

    @abstractmethod
    def copy(self, source: str, path: str) -> None:
        """Take a file of the archive over into the version; its bytes are not verified."""

    @abstractmethod
    def publish(self, head: Head, needed: Mapping[str, str]) -> None:
        """Finish the version: its files and its inventory are there, or none of it counts.

        ``needed`` are the files that the version refers to: path, relative to the object, to
        SHA-256. Raises ``BusyError`` when another process published the same version before.
        """


class Storage(ABC):
    """A place that keeps one archive."""

    address: str
    """As the user named it, without secrets."""

    @abstractmethod
    def files(self, folder: str = "") -> Mapping[str, Stored]:
        """Return the files below a folder, by path relative to it. Raises ``FreezerError``."""

    @abstractmethod
    def objects(self) -> list[str]:
        """Return the names of the objects, sorted."""

    @abstractmethod
    def blocks(self, path: str, version: str | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises ``NotStoredError``, ``FetchError``."""

    @abstractmethod
    def is_empty(self) -> bool:
        """Return whether nothing at all is stored there, or the place does not exist yet."""

    @abstractmethod
    def start(self, files: Mapping[str, bytes]) -> None:
        """Make an empty place an archive by its small files; the last one makes it one."""

    @abstractmethod
    def draft(self, name: str, number: int) -> AbstractContextManager[Draft]:
        """Start a version; what an earlier draft of that number left is removed.

        When the block ends before ``publish``, nothing of the version is left that counts.
        """

    @abstractmethod
    def complete(self, name: str, head: Head) -> None:
        """Make a published version the newest one of its object. May be repeated."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove an object whole. Raises ``FreezerError`` where the place does not allow it."""

    def retained(self, name: str) -> str | None:
        """Return until when the place refuses to remove an object; None: it does not."""
        del name
        return None

    def exclusive(self) -> AbstractContextManager[None]:
        """Let one process at a time write, where the place can do so."""
        return nullcontext()

    def exists(self, path: str) -> bool:
        """Return whether a file is there."""
        folder, _, file = path.rpartition("/")
        found = self.files(folder).get(file)
        return found is not None and not found.deleted

    def read(self, path: str, limit: int, version: str | None = None) -> bytes:
        """Return the bytes of a small file. Raises ``IntegrityError`` beyond ``limit`` bytes."""
        parts, size = [], 0
        for block in self.blocks(path, version):
            parts.append(block)
            size += len(block)
            if size > limit:
                raise IntegrityError(
                    "a file of the archive is too large", where=Where(path),
                    expected=f"at most {limit} bytes",
                )  # fmt: skip
        return b"".join(parts)


def not_empty(address: str) -> HostError:
    """Return the error for a new archive in a place that something else uses."""
    return HostError(
        "an archive needs a place of its own", where=Where(address),
        found="something else is in it", hint="name an empty place, or one that does not exist",
    )  # fmt: skip


def changed_meanwhile(path: str, found: str, expected: str) -> IntegrityError:
    """Return the error for a file that changed while it was archived."""
    return IntegrityError(
        f"{path.rpartition('/')[2]} changed while it was archived", found=f"sha256 {found}",
        expected=f"sha256 {expected}", hint="run the command again",
    )  # fmt: skip
