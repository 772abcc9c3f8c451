"""Every failure that a user can cause or mend.

One small hierarchy. Each error formats itself from the same four parts (what happened, where,
what was expected, what to do next), so that every message in the tool reads alike and the
command turns any of them into text, JSON and an exit code in exactly one place.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_OK = 0
EXIT_NEGATIVE = 1
EXIT_USER = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Where:
    """A place in a user's file: path as the user knows it, 1-based line, dotted key."""

    file: str
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        """Render as ``file:line (key)``, leaving out what is not known."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return place if self.key is None else f"{place} ({self.key})"


def printable(text: str) -> str:
    r"""Return a line that someone else wrote, so that it cannot steer the terminal.

    Control characters, bidirectional overrides and the like become escapes such as ``\x1b``; blanks
    of any kind become a space.
    """
    if text.isprintable():
        return text
    return "".join(map(_printable, text))


def printable_lines(text: str) -> str:
    """Return a text of several lines, each printable; what follows the first is indented."""
    first, *rest = text.replace("\r\n", "\n").split("\n")
    return "\n".join([printable(first), *(f"    {printable(line)}".rstrip() for line in rest)])


def _printable(one: str) -> str:
    if one.isprintable():
        return one
    blank = one == "\t" or unicodedata.category(one) == "Zs"
    return " " if blank else one.encode("unicode_escape").decode()


class FreezerError(Exception):
    """Base of all expected failures.

    ``code`` is stable and machine-readable; scripts branch on it, never on the text.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = EXIT_USER

    def __init__(
        self,
        what: str,
        *,
        where: Where | None = None,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        details: Sequence[str] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.found = found
        self.expected = expected
        self.hint = hint
        self.details = tuple(details)

    def __str__(self) -> str:
        """Render the parts that are known, one a line, the place first; each made printable."""
        head = self.what if self.where is None else f"{self.where}: {self.what}"
        lines = [head, *(f"  - {detail}" for detail in self.details)]
        if self.found is not None:
            lines.append(f"  found:    {self.found}")
        if self.expected is not None:
            lines.append(f"  expected: {self.expected}")
        if self.hint is not None:
            lines.append(f"  next:     {self.hint}")
        return "\n".join(map(printable_lines, lines))

    def to_json(self) -> dict[str, object]:
        """Return the error as the document that ``--json`` prints."""
        where = None
        if self.where is not None:
            where = {"file": self.where.file, "line": self.where.line, "key": self.where.key}
        return {
            "error": self.code,
            "message": self.what,
            "where": where,
            "found": self.found,
            "expected": self.expected,
            "next": self.hint,
            "details": list(self.details),
        }


class SpecError(FreezerError):
    """The spec, or a file that it names, is not what it should be."""

    code = "spec"


class ConfigError(FreezerError):
    """A configuration file is invalid."""

    code = "config"


class LockError(FreezerError):
    """A lockfile is missing, unreadable, edited by hand or of another schema."""

    code = "lock"


class StaleLockError(FreezerError):
    """The lock no longer satisfies the spec."""

    code = "stale-lock"
    exit_code = EXIT_NEGATIVE


class ResolveError(FreezerError):
    """No set of packages satisfies the spec, or a resolver could not be asked."""

    code = "resolve"


class FetchError(FreezerError):
    """Bytes could not be had: a source is out of reach or refuses."""

    code = "fetch"


class ArtifactGoneError(FetchError):
    """Sources answered, but no longer hold what the lock names."""

    code = "artifact-gone"
    exit_code = EXIT_NEGATIVE


class IntegrityError(FreezerError):
    """Bytes are not the ones that were locked, or an archive is not safe to unpack."""

    code = "integrity"


class EngineError(FreezerError):
    """The container engine is missing, out of reach, or failed at what it was asked."""

    code = "engine"


class BuildError(FreezerError):
    """A build step failed."""

    code = "build"


class VerificationError(FreezerError):
    """What is in the image is not what is in the lock."""

    code = "verification"
    exit_code = EXIT_NEGATIVE


class CheckError(FreezerError):
    """The smoke training could not be run or its record could not be read."""

    code = "check"


class BusyError(FreezerError):
    """Another freezer works on the same environment and did not finish in time."""

    code = "busy"


class HostError(FreezerError):
    """Something on this host is missing or full: a tool, disk space, a permission."""

    code = "host"


class HistoryError(FreezerError):
    """The history was edited, forked, or does not hold what was asked for."""

    code = "history"


class DataError(FreezerError):
    """A data set is not there, cannot be read, or changed while it was read."""

    code = "data"


class LedgerError(FreezerError):
    """The ledger of runs is not one, is of a newer version, or refused."""

    code = "ledger"


class LedgerGoneError(LedgerError):
    """The ledger's database is out of reach for now: no connection, a full disk, a held lock."""

    code = "ledger-gone"


class QueryError(FreezerError):
    """A filter of runs cannot be read, or compares what cannot be compared."""

    code = "query"


class DirtyTreeError(FreezerError):
    """The working tree differs from its commit, and a clean one is required."""

    code = "dirty-tree"


class PolicyError(FreezerError):
    """An environment breaks the project's policy, and the policy enforces it."""

    code = "policy"
    exit_code = EXIT_NEGATIVE


class RunError(FreezerError):
    """A run cannot be started as it was asked for."""

    code = "run"


class PlanError(FreezerError):
    """A plan of runs cannot be read, or contradicts itself."""

    code = "plan"


class FleetError(FreezerError):
    """A fleet of hosts cannot be reached, started or read."""

    code = "fleet"
