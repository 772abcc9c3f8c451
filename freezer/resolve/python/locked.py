"""Locked packages from the pins and edges of any resolver.

Each pin becomes the file that pip would install on the target, with its hash and size.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import FreezerError, IntegrityError, ResolveError
from freezer.fetch.http.client import open_url
from freezer.fetch.http.redact import redact, without_secrets
from freezer.fetch.http.url import file_name_of
from freezer.fetch.store.download import fetch_one
from freezer.model.artifact import Artifact
from freezer.model.events import SilentTask
from freezer.model.lock import PipPackage
from freezer.model.reason import needed_by, requested_in
from freezer.resolve.python.no_wheel import files_with_hashes
from freezer.resolve.python.pins import requires
from freezer.resolve.python.sdist import build_request, declared_requires
from freezer.resolve.python.tags import best_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freezer.fetch.store.store import Store
    from freezer.model.lock import Target
    from freezer.resolve.python.interface import PipRequest, PipRequirement
    from freezer.resolve.python.pins import Candidate, Pin

    Build = Callable[[PipRequest], tuple[PipPackage, ...]]


@dataclass(frozen=True)
class ResolvedPins:
    """A resolver's result: the pins, and the dependents of each."""

    pins: Sequence[Pin]
    needed_by: Mapping[str, set[str]]


def locked_packages(
    answer: ResolvedPins, request: PipRequest, store: Store, build: Build
) -> tuple[PipPackage, ...]:
    """Return one file for each pin, sorted by name.

    ``build`` resolves the build requirements of a source distribution. Raises ``IntegrityError``
    for files with other hashes than the required ones, ``FetchError``, ``ResolveError``.
    """
    requested = request.by_name()
    needs = requires(answer.needed_by)

    def package(pin: Pin) -> PipPackage:
        mine = requested.get(pin.name, [])
        direct = next((item for item in mine if item.requirement.url), None)
        if direct is not None:
            found = direct_artifact(direct, store)
        else:
            allowed = [value for item in mine for value in item.hashes]
            try:
                found = artifact(choose(pin, request.target, allowed), store)
            except (IntegrityError, ResolveError) as error:
                raise _hashes_of_others(error, pin, mine, request) from error
        return PipPackage(
            **found.model_dump(),
            name=pin.name,
            version=pin.version,
            requires=needs[pin.name],
            requested=bool(mine),
            reason=requested_in(item.where for item in mine)
            if mine
            else needed_by(answer.needed_by[pin.name]),
        )

    with ThreadPoolExecutor(max_workers=8) as pool:
        packages = list(pool.map(package, answer.pins))
    packages = [with_build(item, request, store, build) for item in packages]
    return tuple(sorted(packages, key=lambda item: item.name))


def _hashes_of_others(
    error: FreezerError, pin: Pin, mine: Sequence[PipRequirement], request: PipRequest
) -> FreezerError:
    """Return the error for hashes of files for another target; otherwise ``error``."""
    hashes = {value for item in mine for value in item.hashes}
    files = files_with_hashes(pin.name, hashes, request.index) if hashes else []
    best = best_wheel([wheel.file for wheel in pin.wheels], request.target)
    if not files or best is None:
        error.where = error.where or (mine[0].where if mine else None)
        return error
    python = request.target.python
    return ResolveError(
        f"the hashes of {pin.name} {pin.version} are those of files for another Python or platform",
        where=mine[0].where,
        found=", ".join(files),
        expected=f"also the hash of a file for Python {python.minor} on Linux "
        f"{request.target.architecture}: {best}",
        hint="add it to the requirement (`pip hash FILE` prints it), or remove the hashes: the "
        "lock has its own",
    )


def with_build(package: PipPackage, request: PipRequest, store: Store, build: Build) -> PipPackage:
    """Lock the build requirements of a source distribution."""
    if package.file.endswith(".whl"):
        return package
    _fetch(package, request, store)
    declared = declared_requires(store.verified(package.sha256), package.file)
    if not declared:
        return package
    needed = build(build_request(request, declared, package.file))
    return package.model_copy(update={"build_requires": needed})


def _fetch(package: Artifact, request: PipRequest, store: Store) -> None:
    fetch_one(package, store=store, sources=[request.index], task=SilentTask())


def choose(pin: Pin, target: Target, allowed: Sequence[str] = ()) -> Candidate:
    """Return the file of a pinned version that pip would install.

    ``allowed`` are the SHA-256 that the user accepts; empty: any. Raises ``IntegrityError`` when
    the index has the version, but no file with one of these hashes.
    """
    if pin.direct is not None:
        return pin.direct
    files = [file for file in (*pin.wheels, pin.sdist) if file is not None]
    accepted = [file for file in files if not allowed or file.sha256 in allowed]
    if files and not accepted:
        raise IntegrityError(
            f"no file of {pin.name} {pin.version} has a hash that the requirement allows",
            details=[f"{file.file}: sha256 {file.sha256}" for file in files],
            expected=", ".join(allowed),
            hint="the index serves other files than the hashed ones; find out why first",
        )
    best = best_wheel([file.file for file in accepted], target)
    for file in accepted:
        if file.file == best or (best is None and file is pin.sdist):
            return file
    raise ResolveError(
        f"{pin.name} {pin.version} has no wheel for this target",
        found=", ".join(file.file for file in files) or "no file",
        expected=f"Python {target.python.version}, glibc {target.glibc}, {target.architecture}",
    )


def artifact(candidate: Candidate, store: Store) -> Artifact:
    """Return a file of an index as an artifact, with its hash and size.

    Where the index gives no hash, the file is fetched into the store and hashed. Raises
    ``FetchError``.
    """
    sha256, size = candidate.sha256, candidate.size
    if sha256 is not None and size is None:
        with open_url(candidate.url) as response:
            size = response.size
    if sha256 is None or size is None:
        found, size = download(candidate.url, store)
        if sha256 not in (None, found):
            raise IntegrityError(
                f"{redact(candidate.url)} does not have the hash that its index lists",
                found=f"sha256 {found}",
                expected=f"sha256 {sha256}",
                hint="do not use that index until you know why",
            )
        sha256 = found
    return Artifact(source="pypi", file=candidate.file, size=size, sha256=sha256)


def direct_artifact(requirement: PipRequirement, store: Store) -> Artifact:
    """Return the file that a URL requirement names, fetched and hashed.

    Raises ``FetchError``; ``IntegrityError`` when it does not have the hash that the user gave.
    """
    address, _, fragment = (requirement.requirement.url or "").partition("#")
    sha256, size = download(address, store)
    allowed = [*requirement.hashes, *_fragment_hashes(fragment)]
    if allowed and sha256 not in allowed:
        raise IntegrityError(
            f"{redact(address)} does not have the required hash",
            where=requirement.where,
            found=f"sha256 {sha256}",
            expected=", ".join(f"sha256 {value}" for value in allowed),
        )
    return Artifact(
        source="url",
        file=file_name_of(address),
        size=size,
        sha256=sha256,
        url=without_secrets(address),
    )


def download(url: str, store: Store) -> tuple[str, int]:
    """Fetch a URL into the store; return its SHA-256 and size in bytes."""
    with open_url(url) as response, store.writer() as writer:
        for block in response.blocks():
            writer.write(block)
    return writer.sha256, writer.size


def _fragment_hashes(fragment: str) -> list[str]:
    pairs = (part.partition("=") for part in fragment.split("&"))
    return [value.lower() for key, _, value in pairs if key == "sha256"]
