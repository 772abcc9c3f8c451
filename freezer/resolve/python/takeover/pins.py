"""What an existing lock says of its Python packages, and what of it cannot be taken over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from freezer.errors import SpecError, Where
from freezer.fetch.git.repository import COMMIT
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import file_name_of, require_unambiguous, split_url
from freezer.resolve.python.git.requirement import GitRequirement, parse_git
from freezer.resolve.python.pins import Candidate, Pin

if TYPE_CHECKING:
    from freezer.model.lock import Target


@dataclass(frozen=True)
class LockedPin:
    """One package of an existing lock, and the files that it lists."""

    pin: Pin
    where: Where
    requires: tuple[str, ...] | None = None
    """Normalised names of what it needs; None where the lock does not say it."""
    requested: bool = False
    """Whether the lock says that the project itself asks for it."""
    git: GitRequirement | None = None
    """Where it comes from git: the commit, of which a wheel is built."""


class LockedPackages(Protocol):
    """The Python packages of one existing lock."""

    @property
    def shown(self) -> str:
        """The file's path, as messages show it."""

    @property
    def digest(self) -> str:
        """SHA-256 of what the lock says, for the question."""

    @property
    def indexes(self) -> tuple[str, ...]:
        """Addresses of the indexes that the lock names; may hold credentials."""

    def pins(self, target: Target) -> tuple[LockedPin, ...]:
        """Return what it installs on a target.

        Raises ``SpecError`` for what cannot be taken over, ``ResolveError`` for another target.
        """


@dataclass(frozen=True)
class FixedPackages:
    """Packages of a lock that is for one target alone, as the pip half of a conda lock is."""

    shown: str
    digest: str
    fixed: tuple[LockedPin, ...]
    indexes: tuple[str, ...] = ()

    def pins(self, target: Target) -> tuple[LockedPin, ...]:  # noqa: ARG002 - see LockedPackages
        """Return all packages."""
        return self.fixed


@dataclass
class Refusals:
    """Packages of a lock that have no file whose hash is locked; all are named at once."""

    shown: str
    found: list[str] = field(default_factory=list)

    def add(self, name: str, version: str | None, why: str) -> None:
        """Note a package that cannot be taken over."""
        self.found.append(redact(f"{name} {version}: {why}" if version else f"{name}: {why}"))

    def require_none(self) -> None:
        """Raise ``SpecError`` where there are any."""
        if not self.found:
            return
        one = len(self.found) == 1
        raise SpecError(
            f"{'a package' if one else f'{len(self.found)} packages'} of this lock cannot be taken "
            "over: no published file with a locked hash",
            where=Where(self.shown),
            details=self.found,
            hint="lock a release of it from an index; or build a wheel of it, put it into a folder "
            "or an index of yours, and lock that",
        )


def address_problem(url: str, sha256: str | None) -> str | None:
    """Return why an address cannot be locked: version control, this machine, or no hash.

    Raises ``SpecError`` for an address without a clear host.
    """
    require_unambiguous(url)
    scheme = split_url(url).scheme
    if "+" in scheme or scheme == "git":
        return f"from version control ({url})"
    if scheme not in ("http", "https"):
        return f"from a folder or file of another machine ({url})"
    return None if sha256 else f"from {url}, without a SHA-256"


def git_pin(name: str, version: str, git: GitRequirement, **more: Any) -> LockedPin:
    """Return a package that a lock takes from git, at a whole commit."""
    return LockedPin(Pin(name, version), git.where, git=git, **more)


def whole_commit(name: str, address: str, where: Where) -> GitRequirement | None:
    """Return the requirement for an address ``git+https://…@COMMIT``; None for any other one.

    A branch or a tag is no pin, and what is spoken over ssh cannot be built everywhere.
    """
    found = parse_git(f"{name} @ {address}", where)
    return found if found and found.revision and COMMIT.match(found.revision) else None


def file_of(url: str) -> str:
    """Return the name of the file that an address names."""
    return file_name_of(url)


def candidate(url: str, sha256: str | None, size: object = None) -> Candidate:
    """Return a file of a lock as one that can be locked."""
    known = size if type(size) is int and size >= 0 else None
    return Candidate(file_of(url), url.partition("#")[0], sha256, known)
