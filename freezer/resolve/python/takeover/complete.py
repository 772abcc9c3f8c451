"""Completes the packages of an existing lock: one file each, with size and hash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesParser
from types import MappingProxyType
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from freezer.errors import FetchError, FreezerError, IntegrityError, ResolveError
from freezer.fetch.http.client import open_url
from freezer.fetch.http.redact import without_secrets
from freezer.fetch.python.filenames import name_and_version, version_of
from freezer.fetch.python.simple_api import IndexFile
from freezer.model.artifact import Artifact
from freezer.model.lock import PipPackage
from freezer.resolve.python.index.local_server import read_metadata
from freezer.resolve.python.locked import choose, download, with_build
from freezer.resolve.python.markers import marker_holds
from freezer.resolve.python.tags import marker_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.fetch.python.index import PythonIndex
    from freezer.fetch.store.store import Store
    from freezer.model.lock import Target
    from freezer.resolve.python.git.stand_ins import GitWheel
    from freezer.resolve.python.interface import PipRequest
    from freezer.resolve.python.locked import Build
    from freezer.resolve.python.pins import Candidate
    from freezer.resolve.python.takeover.pins import LockedPin


def import_runs(
    pins: Sequence[LockedPin],
    request: PipRequest,
    store: Store,
    build: Build,
    built: Mapping[str, GitWheel] = MappingProxyType({}),
) -> tuple[PipPackage, ...]:
    """Return the packages of a lock, sorted by name: exactly the same files.

    ``built`` are the wheels of those from git by name. ``build`` resolves the build requirements of
    a source distribution. Raises ``ResolveError`` for a package without a wheel for the target, or
    that conda provides as well; ``IntegrityError`` for other bytes; ``FetchError``.
    """
    _require_apart(pins, request)
    taking = _Taking(request, store, request.index, built)
    with ThreadPoolExecutor(max_workers=8) as pool:
        files = list(pool.map(taking.file, pins))
        needs = list(pool.map(taking.needs, pins))
    packages = [
        package.model_copy(update={"build_requires": built[package.name].package.build_requires})
        if package.source == "git"
        else with_build(package, request, store, build)
        for package in _packages(pins, files, needs, built)
    ]
    return tuple(sorted(packages, key=lambda item: item.name))


def _require_apart(pins: Sequence[LockedPin], request: PipRequest) -> None:
    for item in pins:
        if provided := request.provided.get(item.pin.name):
            raise ResolveError(
                f"the lock has {item.pin.name} twice: for pip, and for conda",
                where=item.where,
                found=f"{item.pin.name} {item.pin.version} for pip; {provided.by}",
                hint="lock it for one of the two only; pip never replaces what conda installs",
            )


def _packages(
    pins: Sequence[LockedPin],
    files: Sequence[Artifact],
    needs: Sequence[frozenset[str]],
    built: Mapping[str, GitWheel],
) -> list[PipPackage]:
    built_versions = {name: wheel.package.version for name, wheel in built.items()}
    names = {item.pin.name for item in pins}
    needed_by: dict[str, list[str]] = {}
    for item, wanted in zip(pins, needs, strict=True):
        for name in wanted:
            needed_by.setdefault(name, []).append(item.pin.name)
    return [
        PipPackage(
            **file.model_dump(),
            name=item.pin.name,
            version=item.pin.version
            or built_versions.get(item.pin.name)
            or str(version_of(file.file)),
            requires=tuple(sorted(wanted & names)),
            requested=item.requested or item.pin.name not in needed_by,
            reason=f"locked in {item.where.file}"
            if item.requested or item.pin.name not in needed_by
            else f"needed by {', '.join(sorted(needed_by[item.pin.name]))}",
        )
        for item, file, wanted in zip(pins, files, needs, strict=True)
    ]


def _require_same(item: LockedPin, file: Candidate) -> None:
    """Refuse a file whose name is another package's or version's, and one of no version.

    An archive at an address of the user's own may have any name.
    """
    found, name = name_and_version(file.file), f"{item.pin.name} {item.pin.version}".strip()
    if found is None and item.pin.direct and item.pin.version and not file.file.endswith(".whl"):
        return
    if found is None and not item.pin.version:
        raise ResolveError(
            f"the lock has no version of {name}, and its file is not named by one",
            where=item.where,
            found=file.file,
            hint="lock a released version of it, or an archive called NAME-VERSION.tar.gz",
        )
    if (
        found is None
        or found[0] != item.pin.name
        or (item.pin.version and found[1] != _version(item.pin.version))
    ):
        raise ResolveError(
            f"the lock has a file of another package or version for {name}",
            where=item.where,
            found=file.file,
            expected=f"a file of {name}",
            hint="regenerate the lock with the tool that wrote it; do not install from it until "
            "you know why",
        )


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


@contextmanager
def _of(item: LockedPin) -> Iterator[None]:
    """Give errors of a package's file the lock's place, and a next step."""
    try:
        yield
    except FreezerError as error:
        error.where = error.where or item.where
        error.details = (*error.details, f"a file of {item.pin.name} {item.pin.version}".strip())
        error.hint = error.hint or (
            "lock the package anew where its file is gone or replaced, or configure an index that "
            "has it"
        )
        raise


@dataclass(frozen=True)
class _Taking:
    request: PipRequest
    store: Store
    index: PythonIndex
    built: Mapping[str, GitWheel]

    @property
    def _target(self) -> Target:
        return self.request.target

    def file(self, item: LockedPin) -> Artifact:
        """Return the file of a package that fits the target."""
        if item.git is not None:
            wheel = self.built[item.pin.name].package
            return Artifact.model_validate(wheel.model_dump(include=set(Artifact.model_fields)))
        chosen = choose(item.pin, self._target)
        _require_same(item, chosen)
        if not chosen.file.endswith(".whl") and item.pin.name not in self.request.allow_sdist:
            raise ResolveError(
                f"{item.pin.name} {item.pin.version} is locked as a source distribution",
                where=item.where,
                found=chosen.file,
                expected="a wheel: nothing is built from source unless the spec allows it",
                hint=f"allow it: `pip: {{allow-sdist: [{item.pin.name}]}}`, or lock a version that "
                "has a wheel for the target",
            )
        with _of(item):
            if item.pin.direct is None:
                return self._artifact(chosen, source="pypi")
            return self._artifact(chosen, source="url", url=without_secrets(chosen.url))

    def _artifact(self, file: Candidate, *, source: str, url: str | None = None) -> Artifact:
        assert file.sha256 is not None, "pins without a hash are rejected before"  # noqa: S101
        size = file.size if file.size is not None else self._size(file)
        return Artifact(source=source, file=file.file, size=size, sha256=file.sha256, url=url)

    def _size(self, file: Candidate) -> int:
        """Return a file's size in bytes from its server; else by fetching it."""
        address = self._address(file)
        with open_url(address) as response:
            if response.size is not None:
                return response.size
        found, size = download(address, self.store)
        if found != file.sha256:
            raise IntegrityError(
                f"{file.file} is not the file that was locked",
                found=f"sha256 {found}",
                expected=f"sha256 {file.sha256}",
            )
        return size

    def needs(self, item: LockedPin) -> frozenset[str]:
        """Return the normalised names of a package's dependencies, locked or from metadata."""
        if item.requires is not None:
            return frozenset(item.requires)
        if item.git is not None:
            metadata = self.built[item.pin.name].metadata
        else:
            chosen = choose(item.pin, self._target)
            if not chosen.file.endswith(".whl"):
                return frozenset()
            with _of(item):
                metadata = self._metadata(chosen)
        listed = BytesParser().parsebytes(metadata)
        environment = marker_environment(self._target)
        return frozenset(
            canonicalize_name(requirement.name)
            for text in listed.get_all("Requires-Dist", [])
            if (requirement := _requirement(text))
            and (requirement.marker is None or marker_holds(requirement.marker, environment))
        )

    def _metadata(self, file: Candidate) -> bytes:
        return read_metadata(IndexFile(file.file, self._address(file), file.sha256, file.size))

    def _address(self, file: Candidate) -> str:
        """Return a file's URL: on a configured index, which may be a mirror, else as locked."""
        wanted = Artifact(source="pypi", file=file.file, size=0, sha256=file.sha256 or "")
        try:
            location = next(iter(self.index.locate(wanted)), None)
        except FetchError:
            location = None
        return location.url if location else file.url


def _requirement(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None
