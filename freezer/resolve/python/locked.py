"""From pins and edges, whichever resolver found them, to the packages of a lock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import ResolveError
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.store.download import fetch_one
from freezer.model.events import SilentTask
from freezer.model.lock import PipPackage
from freezer.resolve.python.files import artifact, choose, direct_artifact
from freezer.resolve.python.pins import requires
from freezer.resolve.python.reasons import asked_by_name, reason
from freezer.resolve.python.sdist import build_request, declared_requires

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freezer.fetch.store.store import Store
    from freezer.model.artifact import Artifact
    from freezer.resolve.python.interface import PipRequest
    from freezer.resolve.python.pins import Pin

    Build = Callable[[PipRequest], tuple[PipPackage, ...]]


@dataclass(frozen=True)
class ResolvedPins:
    """A resolver's answer: the pins, and who needs each of them."""

    pins: Sequence[Pin]
    needed_by: Mapping[str, set[str]]


def locked_packages(
    answer: ResolvedPins, request: PipRequest, store: Store, build: Build
) -> tuple[PipPackage, ...]:
    """Return one file for each pin, sorted by name.

    ``build`` resolves what the build of a source distribution needs. Raises ``IntegrityError`` for
    files with other hashes than asked for, ``FetchError``, ``ResolveError``.
    """
    asked = asked_by_name(request)
    needs = requires(answer.needed_by)

    def package(pin: Pin) -> PipPackage:
        mine = asked.get(pin.name, [])
        direct = next((item for item in mine if item.requirement.url), None)
        if direct is not None:
            found = direct_artifact(direct, store)
        else:
            allowed = [value for item in mine for value in item.hashes]
            found = artifact(choose(pin, request.target, allowed), store)
        return PipPackage(
            **found.model_dump(),
            name=pin.name,
            version=pin.version,
            requires=needs[pin.name],
            requested=bool(mine),
            reason=reason(mine, answer.needed_by[pin.name]),
        )

    with ThreadPoolExecutor(max_workers=8) as pool:
        packages = list(pool.map(package, answer.pins))
    packages = [with_build(item, request, store, build) for item in packages]
    return tuple(sorted(packages, key=lambda item: item.name))


def require_allowed(request: PipRequest) -> frozenset[str]:
    """Return the URL requirements that are source distributions; all must be allowed by name.

    Raises ``ResolveError`` for one that is not.
    """
    found = set()
    for name, mine in asked_by_name(request).items():
        for item in mine:
            address = (item.requirement.url or "").partition("#")[0]
            if not address or address.endswith(".whl"):
                continue
            if name not in request.allow_sdist:
                raise ResolveError(
                    f"the file that {name} names is a source distribution",
                    where=item.where,
                    expected="a wheel: nothing is built from source unless the spec allows it",
                    hint=f"name a wheel, or allow it: `pip: {{allow-sdist: [{name}]}}`",
                )
            found.add(name)
    return frozenset(found)


def with_build(package: PipPackage, request: PipRequest, store: Store, build: Build) -> PipPackage:
    """Lock what a source distribution's build needs."""
    if package.file.endswith(".whl"):
        return package
    _fetch(package, request, store)
    declared = declared_requires(store.verified(package.sha256), package.file)
    if not declared:
        return package
    needed = build(build_request(request, declared, package.file))
    return package.model_copy(update={"build_requires": needed})


def _fetch(package: Artifact, request: PipRequest, store: Store) -> None:
    index = PythonIndex(request.indexes)
    fetch_one(package, store=store, sources=[index], task=SilentTask())
