"""Known vulnerabilities: OSV records (https://ossf.github.io/osv-schema/) against a lock. Pure.

OSV names Python packages by their normalised name, and Debian packages by their **source** package,
which a lock tells by the path in the archive. conda has no ecosystem there: a conda package is
compared with the Python package of its name, where there is one.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from packaging.utils import canonicalize_name

from freezer.ecosystems import BY_NAME
from freezer.governance.policy.packages import locked_packages
from freezer.model.lock import DebianPackage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.ecosystems.interface import Package
    from freezer.model.lock import Lock

_NMU: Final = re.compile(r"\+b\d+$")
_LEVELS: Final = ("low", "medium", "high", "critical")
_WORDS: Final = {"LOW": "low", "MODERATE": "medium", "MEDIUM": "medium", "HIGH": "high",
                 "CRITICAL": "critical", "NEGLIGIBLE": "low", "UNIMPORTANT": "low"}  # fmt: skip


@dataclass(frozen=True)
class Affected:
    """One package of one record."""

    record: Record
    ranges: tuple[tuple[tuple[str, str], ...], ...]
    """Events of each range in their order: ``introduced``, ``fixed``, ``last_affected``."""
    versions: frozenset[str]


@dataclass(frozen=True)
class Record:
    """What OSV says of one vulnerability."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: tuple[tuple[str, str], ...]
    """Type and CVSS vector."""
    word: str | None
    """The database's own word, such as ``HIGH``."""

    def is_named(self, name: str) -> bool:
        """Return whether an ID is this record's, or one of its aliases."""
        return name == self.id or name in self.aliases


@dataclass
class Database:
    """Records by ecosystem (``PyPI``, ``Debian``) and package."""

    affected: dict[tuple[str, str], list[Affected]] = field(
        default_factory=lambda: defaultdict(list)
    )
    records: int = 0

    def add(self, data: bytes) -> None:
        """Read one record. Raises ``ValueError`` for what is none; a withdrawn one is left out."""
        document = json.loads(data)
        if not isinstance(document, dict) or not isinstance(document.get("id"), str):
            msg = "an OSV record is a JSON object with an id"
            raise ValueError(msg)
        self.records += 1
        if document.get("withdrawn"):
            return
        record = Record(
            document["id"],
            tuple(str(one) for one in _list(document.get("aliases"))),
            " ".join(str(document.get("summary") or document.get("details") or "").split())[:200],
            tuple(
                (str(one.get("type")), str(one.get("score")))
                for one in _list(document.get("severity"))
                if isinstance(one, dict)
            ),
            _word(document.get("database_specific")),
        )
        for one in _list(document.get("affected")):
            if isinstance(one, dict):
                self._add(record, one)

    def _add(self, record: Record, one: dict[str, Any]) -> None:
        package = one.get("package")
        if not isinstance(package, dict):
            return
        ecosystem = str(package.get("ecosystem"))
        name = str(package.get("name"))
        if ecosystem == "PyPI":
            name = canonicalize_name(name)
        elif ecosystem.partition(":")[0] != "Debian":
            return
        ranges = tuple(
            tuple(
                (kind, str(version))
                for event in _list(span.get("events"))
                if isinstance(event, dict)
                for kind, version in event.items()
            )
            for span in _list(one.get("ranges"))
            if isinstance(span, dict) and span.get("type") in ("ECOSYSTEM", "SEMVER")
        )
        versions = frozenset(str(version) for version in _list(one.get("versions")))
        self.affected[ecosystem, name].append(Affected(record, ranges, versions))


@dataclass(frozen=True)
class Match:
    """A locked package that a record is about, at its version."""

    ecosystem: str
    """Freezer's: ``pip``, ``conda`` or ``debian``."""
    package: str
    version: str
    record: Record
    fixed: tuple[str, ...]
    """Versions that are said to be without it."""

    @property
    def severity(self) -> str:
        """``low`` to ``critical``; ``high`` where the record names none."""
        return severity_of(self.record)


def matches(lock: Lock, database: Database) -> Iterator[Match]:
    """Yield each locked package with each record that is about it."""
    release = lock.target.distribution.partition(" ")[2]
    for ecosystem, package in locked_packages(lock):
        for theirs, name, version in _keys(ecosystem, package, release):
            order = BY_NAME["debian" if theirs.startswith("Debian") else "pip"].order
            for affected in database.affected.get((theirs, name), ()):
                if _is_affected(version, affected, order):
                    fixed = tuple(
                        dict.fromkeys(
                            bound
                            for events in affected.ranges
                            for kind, bound in events
                            if kind == "fixed"
                        )
                    )
                    yield Match(ecosystem, package.name, package.version, affected.record, fixed)


def _keys(ecosystem: str, package: Package, release: str) -> Iterable[tuple[str, str, str]]:
    """Yield OSV's ecosystem, name and version for a package."""
    if ecosystem == "debian":
        version = _NMU.sub("", package.version)
        name = source_name(package)
        return [(f"Debian:{release}", name, version), ("Debian", name, version)]
    return [("PyPI", canonicalize_name(package.name), package.version)]


def source_name(package: Package) -> str:
    """Return the source package of a Debian package: ``pool/main/o/openssl/libssl3_….deb``."""
    if isinstance(package, DebianPackage):
        parts = package.file.split("/")
        if len(parts) > 1:
            return parts[-2]
    return package.name


def _is_affected(version: str, affected: Affected, order: Any) -> bool:
    if version in affected.versions:
        return True
    return any(_within(version, events, order) for events in affected.ranges)


def _within(version: str, events: tuple[tuple[str, str], ...], order: Any) -> bool:
    """Evaluate the events of a range in the order of their versions, as the schema says."""
    own = order(version)
    inside = False
    ranked = sorted(events, key=lambda event: (event[1] != "0", order(event[1])))
    for kind, bound in ranked:
        reached = bound == "0" or own >= order(bound)
        if kind == "introduced" and reached:
            inside = True
        elif (kind == "fixed" and reached) or (kind == "last_affected" and own > order(bound)):
            inside = False
    return inside


def severity_of(record: Record) -> str:
    """Return the severity of a record, by its database's word or its CVSS vector."""
    if record.word is not None:
        return _WORDS.get(record.word.upper(), "high")
    found = [level for kind, vector in record.severity if (level := _cvss(kind, vector))]
    return max(found, key=_LEVELS.index) if found else "high"


def at_least(severity: str, floor: str) -> bool:
    """Return whether a severity reaches a floor."""
    return _LEVELS.index(severity) >= _LEVELS.index(floor)


def _cvss(kind: str, vector: str) -> str | None:
    import cvss

    classes = {"CVSS_V2": cvss.CVSS2, "CVSS_V3": cvss.CVSS3, "CVSS_V4": cvss.CVSS4}
    if kind not in classes:
        return None
    try:
        word = classes[kind](vector).severities()[0]
    except cvss.exceptions.CVSSError:
        return None
    return "low" if word == "None" else word.lower()


def _word(specific: Any) -> str | None:
    word = specific.get("severity") if isinstance(specific, dict) else None
    return word if isinstance(word, str) and word.upper() in _WORDS else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
