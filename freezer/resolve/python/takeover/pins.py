"""Python packages of an existing lock, and those that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from freezer.errors import SpecError, Where
from freezer.fetch.git.repository import COMMIT
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import file_name_of, require_usable, split_url
from freezer.resolve.python.git.requirement import GitRequirement, parse_git
from freezer.resolve.python.pins import Candidate, Pin

if TYPE_CHECKING:
    from freezer.model.lock import Target


@dataclass(frozen=True)
class LockedPin:
    """One package of an existing lock with its files."""

    pin: Pin
    where: Where
    requires: tuple[str, ...] | None = None
    """Normalised names of its dependencies; None when the lock has none."""
    requested: bool = False
    """Whether it is a direct dependency of the project."""
    git: GitRequirement | None = None
    """For one from git: the commit of which a wheel is built."""


class LockedPackages(Protocol):
    """The Python packages of one existing lock."""

    @property
    def shown(self) -> str:
        """The file's path for messages."""

    @property
    def digest(self) -> str:
        """SHA-256 of the lock's contents, for the digest of the requirements."""

    @property
    def indexes(self) -> tuple[str, ...]:
        """URLs of the lock's indexes; may contain credentials."""

    @property
    def overrides(self) -> tuple[str, ...]:
        """Normalised names of packages whose requirements are replaced, whoever has them."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the lock is not understood."""

    def pins(self, target: Target) -> tuple[LockedPin, ...]:
        """Return the packages for a target.

        Raises ``SpecError`` for packages that cannot be used, ``ResolveError`` for another target.
        """


@dataclass(frozen=True)
class FixedPackages:
    """Packages of a lock for a single target, such as the pip half of a conda lock."""

    shown: str
    digest: str
    fixed: tuple[LockedPin, ...]
    indexes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()

    def pins(self, target: Target) -> tuple[LockedPin, ...]:  # noqa: ARG002 - see LockedPackages
        """Return all packages."""
        return self.fixed


@dataclass
class Refusals:
    """Packages of a lock without a locked file hash; all are reported at once."""

    shown: str
    found: list[str] = field(default_factory=list)
    hint: str = (
        "lock a release of it from an index; or build a wheel of it, put it into a folder or an "
        "index of yours, and lock that"
    )

    def add(self, name: str, version: str | None, why: str) -> None:
        """Add a package that cannot be used."""
        self.found.append(redact(f"{name} {version}: {why}" if version else f"{name}: {why}"))

    def require_none(self) -> None:
        """Raise ``SpecError`` if there are any."""
        if not self.found:
            return
        one = len(self.found) == 1
        raise SpecError(
            f"{'a package' if one else f'{len(self.found)} packages'} of this lock cannot be taken "
            "over: no published file with a locked hash",
            where=Where(self.shown),
            details=self.found,
            hint=self.hint,
        )


def address_problem(url: str, sha256: str | None) -> str | None:
    """Return why a URL cannot be locked: version control, this machine, or no hash.

    Raises ``SpecError`` for a URL whose host is ambiguous.
    """
    require_usable(url)
    scheme = split_url(url).scheme
    if "+" in scheme or scheme == "git":
        return f"from version control ({url})"
    if scheme not in ("http", "https"):
        return f"from a folder or file of another machine ({url})"
    return None if sha256 else f"from {url}, without a SHA-256"


def git_pin(name: str, version: str, git: GitRequirement, **more: Any) -> LockedPin:
    """Return a package that a lock has from git, at a full commit ID."""
    return LockedPin(Pin(name, version), git.where, git=git, **more)


def full_commit(name: str, address: str, where: Where) -> GitRequirement | None:
    """Return the requirement of a URL ``git+https://…@COMMIT``; None for any other one.

    A branch or a tag is no pin, and ssh URLs cannot be built everywhere.
    """
    found = parse_git(f"{name} @ {address}", where)
    return found if found and found.revision and COMMIT.match(found.revision) else None


def file_of(url: str) -> str:
    """Return the file name of a URL."""
    return file_name_of(url)


def candidate(url: str, sha256: str | None, size: object = None) -> Candidate:
    """Return a file of a lock as a candidate."""
    known = size if type(size) is int and size >= 0 else None
    return Candidate(file_of(url), url.partition("#")[0], sha256, known)
