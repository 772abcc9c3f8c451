"""Package stanzas of Debian archive indices. Pure; fast for 60,000 stanzas.

Stanzas are located by offset and parsed on first use.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from debian.debian_support import Version
from pydantic import ValidationError

from freezer.errors import IntegrityError
from freezer.model.lock import DebianPackage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.fetch.debian.packages_index import Index

# A pattern that begins with a literal line feed is searched ten times faster than one with ``^``:
# each index is searched with one put before it.
_PACKAGE = re.compile(rb"\nPackage: *([^\s]+)$", re.MULTILINE)
_PROVIDES = re.compile(rb"\nProvides:[^\n]*(?:\n[ \t][^\n]*)*")
_FIELD = re.compile(r"^([!-9;-~]+):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
_RELATION = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9+.\-]*)(?::(?P<architecture>[a-z0-9-]+))?"
    r"\s*(?:\(\s*(?P<operator><<|<=|=|>=|>>)\s*(?P<version>[^\s)]+)\s*\))?"
)


@dataclass(frozen=True)
class Relation:
    """One alternative of a dependency: a name with an optional version bound."""

    name: str
    operator: str | None = None
    version: str | None = None

    def admits(self, version: str) -> bool:
        """Return whether a version satisfies the bound."""
        if self.operator is None or self.version is None:
            return True
        found, bound = Version(version), Version(self.version)
        admitted: dict[str, bool] = {
            "<<": found < bound,
            "<=": found <= bound,
            "=": found == bound,
            ">=": found >= bound,
            ">>": found > bound,
        }
        return admitted[self.operator]

    def __str__(self) -> str:
        """Render as in a control file."""
        return f"{self.name} ({self.operator} {self.version})" if self.operator else self.name


@dataclass(frozen=True)
class Candidate:
    """One version of a package in an archive."""

    source: str
    fields: Mapping[str, str]
    """Stanza fields, keyed by lower-case name."""

    @property
    def name(self) -> str:
        """The package's name."""
        return self.fields["package"]

    @property
    def version(self) -> str:
        """The package's version, with its epoch."""
        return self.fields.get("version", "")

    @property
    def architecture(self) -> str:
        """Debian's name of the architecture, or ``all``."""
        return self.fields.get("architecture", "")

    def relations(self, *fields: str) -> list[tuple[Relation, ...]]:
        """Return the clauses of relation fields such as ``depends``; each lists alternatives."""
        clauses = ",".join(self.fields.get(field, "") for field in fields).split(",")
        return [
            parse_clause(clause, self.name, self.source) for clause in clauses if clause.strip()
        ]

    def package(self, *, requested: bool, reason: str) -> DebianPackage:
        """Return the lock entry. Raises ``IntegrityError`` when the stanza is unusable."""
        path = self.fields.get("filename", "")
        try:
            return DebianPackage(
                source=self.source,
                file=path.removeprefix("./"),
                size=int(self.fields.get("size", "-1")),
                sha256=self.fields.get("sha256", "").lower(),
                name=self.name,
                version=self.version,
                architecture=self.architecture,
                requested=requested,
                reason=reason,
            )
        except (ValidationError, ValueError) as error:
            raise _malformed(self.source, self.name, _first_fault(error)) from None


class PackageTable:
    """The packages of some indices, by name and by provided name."""

    def __init__(self, indices: Sequence[Index]) -> None:
        self._texts = [(index.source, b"\n" + index.packages) for index in indices]
        self._offsets: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, (_, packages) in enumerate(self._texts):
            for match in _PACKAGE.finditer(packages):
                self._offsets[match[1].decode("latin-1")].append((number, match.start()))
        self._parsed: dict[str, list[Candidate]] = {}

    @cached_property
    def names(self) -> list[str]:
        """All package names, sorted."""
        return sorted(self._offsets)

    def candidates(self, name: str) -> list[Candidate]:
        """Return all versions of a package, newest first.

        Of duplicates the first index's is returned.
        """
        if name not in self._parsed:
            found: dict[tuple[str, str], Candidate] = {}
            for number, offset in self._offsets.get(name, ()):
                one = self._parse(number, offset)
                found.setdefault((one.version, one.architecture), one)
            ordered = sorted(found.values(), key=lambda one: Version(one.version), reverse=True)
            self._parsed[name] = ordered
        return self._parsed[name]

    def newest(self, name: str) -> Candidate | None:
        """Return the newest version of a package."""
        return next(iter(self.candidates(name)), None)

    def marked(self, field: str, value: str) -> list[Candidate]:
        """Return packages whose newest version has a field with a value, sorted by name."""
        line = re.compile(rf"\n{field}: *{value} *$".encode(), re.MULTILINE | re.IGNORECASE)
        names = {name for _, packages in self._texts for name in _owners(line, packages)}
        newest = (self.newest(name) for name in sorted(names))
        key = field.lower()
        return [one for one in newest if one and one.fields.get(key, "").lower() == value]

    def providers(self, name: str) -> list[Candidate]:
        """Return packages whose newest version provides a virtual one, sorted by name."""
        newest = (self.newest(provider) for provider in sorted(self._provided.get(name, ())))
        return [one for one in newest if one and provides(one, Relation(name))]

    @cached_property
    def _provided(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for _, packages in self._texts:
            for match in _PROVIDES.finditer(packages):
                owner = _owner(packages, match.start())
                value = match[0].decode("utf-8", errors="replace").partition(":")[2]
                for clause in value.split(","):
                    found[clause.split("(")[0].strip()].add(owner)
        return found

    def _parse(self, number: int, start: int) -> Candidate:
        source, packages = self._texts[number]
        begin = packages.rfind(b"\n\n", 0, start + 1) + 1
        end = packages.find(b"\n\n", start + 1)
        text = packages[begin : end if end >= 0 else None].decode("utf-8", errors="replace")
        fields: dict[str, str] = {}
        for match in _FIELD.finditer(text.strip("\n")):
            if fields.setdefault(match[1].lower(), match[2].strip()) != match[2].strip():
                raise _malformed(source, fields.get("package", ""), f"{match[1]} twice")
        try:
            Version(fields.get("version", ""))
        except ValueError as error:
            raise _malformed(source, fields["package"], str(error)) from None
        return Candidate(source, fields)


def provides(one: Candidate, relation: Relation) -> bool:
    """Return whether a package satisfies a relation, by its name or by what it provides."""
    if one.name == relation.name:
        return relation.admits(one.version)
    for provided, *_ in one.relations("provides"):
        if provided.name != relation.name:
            continue
        if relation.operator is None or (provided.version and relation.admits(provided.version)):
            return True
    return False


def parse_clause(clause: str, owner: str, source: str = "debian") -> tuple[Relation, ...]:
    """Parse the alternatives of ``a (>= 1) | b``. Raises ``IntegrityError``."""
    found = []
    for part in clause.split("|"):
        match = _RELATION.fullmatch(part.strip())
        if match is None:
            raise _malformed(source, owner, f"the dependency {part.strip()!r}")
        found.append(Relation(match["name"], match["operator"], match["version"]))
    return tuple(found)


def _owners(line: re.Pattern[bytes], packages: bytes) -> Iterable[str]:
    for match in line.finditer(packages):
        yield _owner(packages, match.start())


def _owner(packages: bytes, offset: int) -> str:
    """Return the name of the package whose stanza contains an offset."""
    begin = packages.rfind(b"\n\n", 0, offset + 1) + 1
    match = _PACKAGE.search(packages, begin)
    return match[1].decode("latin-1") if match else ""


def _malformed(source: str, name: str, found: str) -> IntegrityError:
    return IntegrityError(
        f"the archive {source} has a malformed entry of {name or 'a package'}",
        found=found,
        hint="do not use that archive or mirror until you know why",
    )


def _first_fault(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{first['loc'][0]}: {str(first['input'])[:200]!r}"
    return str(error)
