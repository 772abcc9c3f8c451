"""Errors for packages that exist but have no file for the target, with remedies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.errors import FetchError, ResolveError
from freezer.resolve.python.index.releases import Release, fitting, releases, within
from freezer.resolve.python.names import aliases, near_names
from freezer.resolve.python.tags import best_wheel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from packaging.version import Version

    from freezer.errors import Where
    from freezer.fetch.python.index import PythonIndex
    from freezer.model.lock import Target
    from freezer.resolve.python.interface import PipRequest


_LIMIT = 8
"""Maximum versions in a message."""
_OLDEST = 308
"""Python 3.8: the oldest that Freezer's runtime supports."""


@dataclass(frozen=True)
class Unavailable:
    """A package that has no file for the target, and its dependent."""

    name: str
    specifier: str
    """A specifier such as ``==1.19.5``; empty: any version."""
    where: Where | None
    dependent: str | None
    """The package that depends on it, when it is not requested directly."""

    @property
    def title(self) -> str:
        """Return the package as the user would write it."""
        version = f" {self.specifier.removeprefix('==')}" if self.specifier else ""
        by = f" (needed by {self.dependent})" if self.dependent else ""
        return f"{self.name}{version}{by}"


def explain_unavailable(
    package: Unavailable, request: PipRequest, index: PythonIndex
) -> ResolveError:
    """Return the error, with what the index has instead.

    Other unavailable pins of the user are included, so that all are reported at once.
    """
    error = _explain(package, request, index)
    details = [
        *_hashed_elsewhere(package.name, request, index),
        *_others(package.name, request, index),
    ]
    error.details = tuple(details)
    return error


def is_available(name: str, specifier: str, request: PipRequest, index: PythonIndex) -> bool:
    """Return whether an index has a release in a range that the target can use.

    A yanked release counts when it is requested exactly, as in pip.
    """
    exact = specifier.startswith("==") and "*" not in specifier
    return any(
        (exact or not item.yanked)
        and item.runs_on(request.target.python.version)
        and (best_wheel(item.wheels, request.target) or name in request.allow_sdist)
        for item in within(releases(index, name, request.cut_off(name)), specifier)
    )


def files_with_hashes(name: str, hashes: Collection[str], index: PythonIndex) -> list[str]:
    """Return the files of a package, for any target, that have one of some SHA-256."""
    try:
        return sorted({file.name for file in index.files(name) if file.sha256 in hashes})
    except FetchError:
        return []


def _hashed_elsewhere(name: str, request: PipRequest, index: PythonIndex) -> Iterator[str]:
    """Yield the files of a requirement's hashes, when none of them fits the target."""
    for item in request.by_name().get(name, []):
        files = files_with_hashes(name, item.hashes, index) if item.hashes else []
        if files and best_wheel(files, request.target) is None:
            yield f"{item.where}: the hashes given are those of {', '.join(files)}"


def _explain(package: Unavailable, request: PipRequest, index: PythonIndex) -> ResolveError:
    offered = releases(index, package.name, request.cut_off(package.name))
    wanted = within(offered, package.specifier)
    wheels = [item for item in wanted if item.wheels]
    if not wanted:
        later = within(releases(index, package.name), package.specifier)
        return (
            _too_new(package, later, request) if later else _no_version(package, offered, request)
        )
    if all(item.yanked for item in wanted) and not package.specifier.startswith("=="):
        return _withdrawn(package, wanted, offered)
    python = request.target.python
    if not any(item.runs_on(python.version) for item in wanted):
        return _other_python(package, wanted, offered, request)
    if not wheels:
        return _sdist_only(package, offered, request)
    return _wrong_target(package, wheels, offered, request)


def no_such_package(package: Unavailable, request: PipRequest) -> ResolveError:
    """Return the error for a package that no index has in any version."""
    near = near_names(package.name)
    indexed = len(request.indexes.index_urls) + len(request.indexes.find_links)
    return ResolveError(
        f"no index has a package called {replace(package, specifier='').title}",
        where=package.where,
        found=None if indexed else "no index is configured",
        hint=f"did you mean {' or '.join(near)}?"
        if near
        else "check its spelling; if it is a private one, name its index with --extra-index-url",
    )


def _others(name: str, request: PipRequest, index: PythonIndex) -> Iterator[str]:
    pinned = [
        pin
        for pin in request.requirements
        if pin.name not in {name, *request.allow_sdist}
        and pin.applies(request.target)
        and str(pin.requirement.specifier).startswith("==")
    ]
    with ThreadPoolExecutor(max_workers=8) as pool:
        offers = pool.map(lambda pin: releases(index, pin.name, request.cut_off(pin.name)), pinned)
        for pin, offered in zip(pinned, offers, strict=True):
            wanted = within(offered, str(pin.requirement.specifier))
            if wanted and not any(best_wheel(item.wheels, request.target) for item in wanted):
                pythons = {python for item in wanted for python in item.pythons()}
                what = f"wheels for Python {_span(pythons)}" if pythons else "no wheel"
                yield f"{pin.where}: {pin.requirement} has {what}"


def _withdrawn(package: Unavailable, wanted: list[Release], offered: list[Release]) -> ResolveError:
    newest = wanted[-1]
    others = [item.version for item in offered if not item.yanked]
    reason = f" ({newest.withdrawn})" if newest.withdrawn else ""
    hints = [f"use {package.name} {_final(others)[-1]}"] if others else []
    hints.append(f"write `{package.name}=={newest.version}` to have it anyway")
    return ResolveError(
        f"every version that satisfies {package.title} was yanked by its maintainer",
        where=package.where,
        found=f"{newest.version}{reason}",
        hint="; or ".join(hints),
    )


def _other_python(
    package: Unavailable, wanted: list[Release], offered: list[Release], request: PipRequest
) -> ResolveError:
    python, newest = request.target.python, wanted[-1]
    fit = [item.version for item in offered if item.runs_on(python.version) and not item.yanked]
    hints = [f"use {package.name} {_final(fit)[-1]}, which supports it"] if fit else []
    hints.append("set another `python:` in the spec, with a base that has it")
    return ResolveError(
        f"{package.title} does not run on Python {python.minor}",
        where=package.where,
        found=f"{newest.version} requires Python {newest.requires_python}",
        hint="; or ".join(hints),
    )


def _sdist_only(package: Unavailable, offered: list[Release], request: PipRequest) -> ResolveError:
    hints = []
    if alias := aliases().get(package.name):
        hints.append(f"write {alias} instead: {package.name} is an old name of it")
    others = _final([item.version for item in fitting(offered, request.target)])
    if others and package.dependent is None:
        hints.append(f"request a version that has a wheel, such as {others[-1]}")
    hints.append(
        "let it be built, without network, in the environment's own base: "
        f"`pip: {{allow-sdist: [{package.name}]}}`"
    )
    return ResolveError(
        f"{package.title} is published only as a source distribution",
        where=package.where,
        found="no wheel of it for any Python" if not others else "no wheel of this version",
        expected="a wheel: nothing is built from source unless the spec allows it by name",
        hint="; or ".join(hints),
    )


def _too_new(package: Unavailable, later: list[Release], request: PipRequest) -> ResolveError:
    first = min(later, key=lambda item: item.uploaded or "~")
    return ResolveError(
        f"no version that satisfies {package.title} was uploaded by "
        f"{request.cut_off(package.name)}",
        where=package.where,
        found=f"{first.version} of {first.uploaded}" if first.uploaded else str(first.version),
        hint="choose a later `as-of`, or request an older version",
    )


def _no_version(package: Unavailable, offered: list[Release], request: PipRequest) -> ResolveError:
    _, _, local = package.specifier.partition("+")
    if not offered:
        return no_such_package(package, request)
    return ResolveError(
        f"no index has {package.title}",
        where=package.where,
        found=_some(offered),
        hint=f"versions that end in +{local} are on their maintainer's own index: name it with "
        "--extra-index-url"
        if local
        else f"choose one of these; nothing newer than {request.as_of} is considered (`as-of`)",
    )


def _wrong_target(
    package: Unavailable, wheels: list[Release], offered: list[Release], request: PipRequest
) -> ResolveError:
    target, newest = request.target, wheels[-1]
    found, advice = _fault(newest, target)
    build = "let it be built from source with `allow-sdist`" if newest.sdist else None
    hints = (*_instead(package, newest, offered, request), advice, build)
    return ResolveError(
        f"{package.title} has no wheel for Python {target.python.minor} on {target.architecture} "
        f"with glibc {target.glibc}",
        where=package.where,
        found=found,
        hint="; or ".join(hint for hint in hints if hint) or "choose another version",
    )


def _fault(newest: Release, target: Target) -> tuple[str, str | None]:
    """Return why a release's wheels do not fit, and the change of the target that would help."""
    pythons, minor = newest.pythons(), target.python.minor
    machines = newest.architectures()
    systems = newest.systems()
    if systems and "Linux" not in systems:
        return f"{newest.version} has wheels for {' and '.join(systems)} only", None
    if machines and target.architecture not in machines:
        return f"wheels for {', '.join(sorted(machines))} only", "choose another platform"
    if pythons and minor not in pythons:
        near = _nearest(pythons, minor)
        advice = f'set `python: "{near}"` with a base that offers it' if near else None
        return f"{newest.version} has wheels for Python {_span(pythons)}", advice
    if glibc := newest.glibc(minor, target.architecture):
        return (
            f"{newest.version} has wheels for glibc {glibc} and later",
            f"choose a base with glibc {glibc} or later",
        )
    return f"{newest.version} has no wheel that fits", None


def _instead(
    package: Unavailable, newest: Release, offered: list[Release], request: PipRequest
) -> list[str]:
    """Return the nearest versions that have a wheel for the target."""
    fit = _final([item.version for item in fitting(offered, request.target)])
    later = [version for version in fit if version > newest.version]
    earlier = [version for version in fit if version < newest.version]
    if later:
        return [f"use {package.name} {later[0]} or later: it has one"]
    return [f"use {package.name} {earlier[-1]}: the last that has one"] if earlier else []


def _final(versions: list[Version]) -> list[Version]:
    """Remove pre-releases, unless there is nothing else."""
    return [version for version in versions if not version.is_prerelease] or versions


def _nearest(pythons: set[str], minor: str) -> str | None:
    """Return the available Python nearest to the requested one."""
    wish = _number(minor)
    usable = [python for python in pythons if _number(python) >= _OLDEST]
    return min(usable, key=lambda one: (abs(_number(one) - wish), -_number(one)), default=None)


def _number(minor: str) -> int:
    major, _, rest = minor.partition(".")
    return int(major) * 100 + int(rest)


def _span(pythons: set[str]) -> str:
    ordered = sorted(pythons, key=_number)
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"


def _some(offered: list[Release]) -> str:
    """Return the newest few versions, newest first."""
    newest = [str(version) for version in reversed(_final([item.version for item in offered]))]
    more = " …" if len(newest) > _LIMIT else ""
    return ", ".join(newest[:_LIMIT]) + more
