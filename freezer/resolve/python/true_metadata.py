"""Compares wheel metadata that indexes serve with the wheels' own (PEP 658).

Resolvers read only the metadata that an index serves next to a wheel, so a wrong file there decides
what is installed: one without a requirement gives an incomplete environment, one with an additional
requirement installs a package that nothing needs. PEP 658 requires both to be identical; this
compares what affects an installation: name, version, requirements.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.parser import BytesParser
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from freezer.errors import FetchError, IntegrityError, Where
from freezer.fetch.http.client import get_bytes
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import split_url
from freezer.model.canonical import digest, json_bytes
from freezer.resolve.python.consistency import (
    LARGEST,
    contradictions,
    other_pythons,
    wheel_metadata,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.python.simple_api import IndexFile
    from freezer.fetch.store.store import Store
    from freezer.model.lock import Lock, PipPackage

_MEMO = "metadata-compared-1"
_REFUSED, _EQUAL = "refused", "equal"
_THREADS = 8


@dataclass(frozen=True)
class Metadata:
    """The fields of wheel metadata that affect an installation."""

    name: str
    """Normalised."""
    version: str
    requires: frozenset[str]
    """Requirements normalised by PEP 508, markers and extras included."""

    @classmethod
    def parse(cls, data: bytes) -> Metadata:
        """Parse a ``METADATA`` file. Raises ``InvalidRequirement``."""
        found = BytesParser().parsebytes(data)
        listed = found.get_all("Requires-Dist", [])
        return cls(
            name=canonicalize_name(str(found.get("Name", ""))),
            version=str(found.get("Version", "")),
            requires=frozenset(_normal(Requirement(str(text))) for text in listed),
        )

    def differences(self, wheel: Metadata) -> Iterator[str]:
        """Yield as text how these, which an index serves, differ from a wheel's own."""
        if (self.name, self.version) != (wheel.name, wheel.version):
            yield f"is of {self.name} {self.version}, the wheel of {wheel.name} {wheel.version}"
        for text in sorted(wheel.requires - self.requires):
            yield f"lacks {text!r}, which the wheel requires"
        for text in sorted(self.requires - wheel.requires):
            yield f"adds {text!r}, which the wheel does not require"


def require_true_metadata(
    lock: Lock, fetched: Collection[str], *, index: Callable[[], PythonIndex], store: Store
) -> tuple[str, ...]:
    """Compare what a lock and its indexes say about wheels with the wheels' own metadata.

    ``fetched`` are SHA-256 of wheels that came into the store just now: their metadata on the
    indexes are compared. What the lock says of every wheel is compared without a network, as a
    wheel may have been in the store before. A wheel without served metadata on a reachable index is
    skipped. After a lock was refused, all its wheels are compared until the indexes serve correct
    metadata, even when nothing is missing any more.

    Returns warnings, where the lock was not compared before: wheels that are declared for other
    versions of Python. Raises ``IntegrityError`` with each URL that serves other metadata than the
    wheel's, or with what the lock lacks.
    """
    packages = [item for one in lock.pip for item in (one, *one.build_requires)]
    wheels = [one for one in packages if one.file.endswith(".whl")]
    own = [[one.sha256, *one.requires] for one in wheels]
    key = digest(json_bytes([own, lock.overrides, [item.name for item in lock.conda]]))
    before = store.get_memo(_MEMO, key)
    wrong = [] if before == _EQUAL else list(contradictions(lock, store))
    suspects = {package.sha256 for package, _ in wrong} | set(fetched)
    if before != _REFUSED:
        wheels = [one for one in wheels if one.sha256 in suspects]
    faults = _served_faults(wheels, index, store) if wheels else []
    if before != _EQUAL or faults:
        store.put_memo(_MEMO, key, _REFUSED if faults or wrong else _EQUAL)
    if faults:
        raise _refusal(lock, faults)
    if wrong:
        raise _contradiction(lock, wrong)
    return () if before == _EQUAL else tuple(other_pythons(lock, store))


def _served_faults(
    wheels: Sequence[PipPackage], index: Callable[[], PythonIndex], store: Store
) -> list[_Fault]:
    source = index()
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        found = pool.map(lambda one: list(_faults(one, source, store)), wheels)
    return [fault for mine in found for fault in mine]


def _contradiction(lock: Lock, wrong: Sequence[tuple[PipPackage, str]]) -> IntegrityError:
    return IntegrityError(
        "the lock does not agree with the metadata in its wheels",
        where=Where(wrong[0][0].file),
        details=[text for _, text in wrong],
        expected="what each wheel's own METADATA requires",
        hint="an index or a lock that was taken over said something else; correct the metadata "
        "there or use another index (where an override is meant, `override-dependencies` of "
        f"[tool.uv] is followed), then run `freeze lock --upgrade {lock.name}`",
    )


def _refusal(lock: Lock, faults: list[_Fault]) -> IntegrityError:
    hosts = dict.fromkeys(fault.host for fault in faults)
    return IntegrityError(
        "an index serves metadata that differs from the wheel's own",
        where=Where(faults[0].file),
        details=[fault.text for fault in faults],
        expected="the wheel's own METADATA (PEP 658)",
        hint=f"the lock was resolved with metadata from {' and '.join(hosts)} and may be wrong; "
        f"use another index, then run `freeze lock --upgrade {lock.name}`",
    )


@dataclass(frozen=True)
class _Fault:
    """One difference between a wheel and its served metadata."""

    file: str
    host: str
    text: str


def _faults(package: PipPackage, index: PythonIndex, store: Store) -> Iterator[_Fault]:
    data = wheel_metadata(package, store)
    if data is None:
        return
    try:
        own = Metadata.parse(data)
    except InvalidRequirement:
        return  # no resolver can read it either, so it decided nothing
    for file in _listed(package, index):
        address = f"{file.url}.metadata"
        try:
            served = Metadata.parse(get_bytes(address, limit=LARGEST))
        except (FetchError, InvalidRequirement):
            continue
        for text in served.differences(own):
            host = split_url(file.url).hostname or redact(file.url)
            yield _Fault(package.file, host, f"{redact(address)} {text}")


def _listed(package: PipPackage, index: PythonIndex) -> Iterator[IndexFile]:
    """Yield a file's entries on indexes that serve its metadata, each URL once."""
    seen = set()
    try:
        files = [*index.files(package.name), *index.linked(package.name)]
    except FetchError:
        return
    for file in files:
        if file.name == package.file and file.metadata is not None and file.url not in seen:
            seen.add(file.url)
            yield file


def _normal(requirement: Requirement) -> str:
    requirement.name = canonicalize_name(requirement.name)
    return str(requirement)
