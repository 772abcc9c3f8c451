"""Why a package that exists cannot be had for the target, and what to do about it."""

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


_SHOWN = 8
"""Versions that a message names."""
_OLDEST = 308
"""Python 3.8: the oldest that Freezer's part of an image runs on."""


@dataclass(frozen=True)
class Unavailable:
    """A package that has no file for the target, and who wants it."""

    name: str
    specifier: str
    """Such as ``==1.19.5``; empty: any version."""
    where: Where | None
    wanted_by: str | None
    """The package that needs it, when the user does not ask for it directly."""

    @property
    def title(self) -> str:
        """Return the package as the user would write it."""
        version = f" {self.specifier.removeprefix('==')}" if self.specifier else ""
        by = f" (needed by {self.wanted_by})" if self.wanted_by else ""
        return f"{self.name}{version}{by}"


def explain_unavailable(
    unfit: Unavailable, request: PipRequest, index: PythonIndex
) -> ResolveError:
    """Return the error that says what the index has instead.

    Other pins of the user's that cannot be had either are named too, so that one look is enough.
    """
    error = _explain(unfit, request, index)
    details = [*_hashed_elsewhere(unfit.name, request, index), *_others(unfit.name, request, index)]
    error.details = tuple(details)
    return error


def is_available(name: str, specifier: str, request: PipRequest, index: PythonIndex) -> bool:
    """Return whether an index has a release within a range that the target can use.

    A withdrawn release counts where it is requested exactly, as pip has it.
    """
    exact = specifier.startswith("==") and "*" not in specifier
    return any(
        (exact or not item.yanked)
        and item.runs_on(request.target.python.version)
        and (best_wheel(item.wheels, request.target) or name in request.allow_sdist)
        for item in within(releases(index, name, request.cut_off(name)), specifier)
    )


def files_with_hashes(name: str, hashes: Collection[str], index: PythonIndex) -> list[str]:
    """Return the files of a package, for whatever target, that have one of some SHA-256."""
    try:
        return sorted({file.name for file in index.files(name) if file.sha256 in hashes})
    except FetchError:
        return []


def _hashed_elsewhere(name: str, request: PipRequest, index: PythonIndex) -> Iterator[str]:
    """Yield what the hashes of a requirement are of, where none of these files fits the target."""
    for item in request.by_name().get(name, []):
        files = files_with_hashes(name, item.hashes, index) if item.hashes else []
        if files and best_wheel(files, request.target) is None:
            yield f"{item.where}: the hashes given are those of {', '.join(files)}"


def _explain(unfit: Unavailable, request: PipRequest, index: PythonIndex) -> ResolveError:
    offered = releases(index, unfit.name, request.cut_off(unfit.name))
    wanted = within(offered, unfit.specifier)
    wheels = [item for item in wanted if item.wheels]
    if not wanted:
        later = within(releases(index, unfit.name), unfit.specifier)
        return _too_new(unfit, later, request) if later else _no_version(unfit, offered, request)
    if all(item.yanked for item in wanted) and not unfit.specifier.startswith("=="):
        return _withdrawn(unfit, wanted, offered)
    python = request.target.python
    if not any(item.runs_on(python.version) for item in wanted):
        return _other_python(unfit, wanted, offered, request)
    if not wheels:
        return _sdist_only(unfit, offered, request)
    return _wrong_target(unfit, wheels, offered, request)


def no_such_package(unfit: Unavailable, request: PipRequest) -> ResolveError:
    """Return the error for a package that no index has in any version."""
    near = near_names(unfit.name)
    indexed = len(request.indexes.index_urls) + len(request.indexes.find_links)
    return ResolveError(
        f"no index has a package called {replace(unfit, specifier='').title}",
        where=unfit.where,
        found=None if indexed else "no index is configured",
        hint=f"did you mean {' or '.join(near)}?"
        if near
        else "check its spelling; if it is a private one, name its index with --extra-index-url",
    )


def _others(name: str, request: PipRequest, index: PythonIndex) -> Iterator[str]:
    pinned = [
        asked
        for asked in request.requirements
        if asked.name not in {name, *request.allow_sdist}
        and asked.applies(request.target)
        and str(asked.requirement.specifier).startswith("==")
    ]
    with ThreadPoolExecutor(max_workers=8) as pool:
        offers = pool.map(
            lambda asked: releases(index, asked.name, request.cut_off(asked.name)), pinned
        )
        for asked, offered in zip(pinned, offers, strict=True):
            wanted = within(offered, str(asked.requirement.specifier))
            if wanted and not any(best_wheel(item.wheels, request.target) for item in wanted):
                pythons = {python for item in wanted for python in item.pythons()}
                what = f"wheels for Python {_span(pythons)}" if pythons else "no wheel"
                yield f"{asked.where}: {asked.requirement} has {what}"


def _withdrawn(unfit: Unavailable, wanted: list[Release], offered: list[Release]) -> ResolveError:
    newest = wanted[-1]
    others = [item.version for item in offered if not item.yanked]
    reason = f" ({newest.withdrawn})" if newest.withdrawn else ""
    hints = [f"use {unfit.name} {_final(others)[-1]}"] if others else []
    hints.append(f"write `{unfit.name}=={newest.version}` to have it all the same")
    return ResolveError(
        f"every version that answers {unfit.title} was withdrawn by its maker (yanked)",
        where=unfit.where,
        found=f"{newest.version}{reason}",
        hint="; or ".join(hints),
    )


def _other_python(
    unfit: Unavailable, wanted: list[Release], offered: list[Release], request: PipRequest
) -> ResolveError:
    python, newest = request.target.python, wanted[-1]
    fit = [item.version for item in offered if item.runs_on(python.version) and not item.yanked]
    hints = [f"use {unfit.name} {_final(fit)[-1]}, which does"] if fit else []
    hints.append("set another `python:` in the spec, with a base that has it")
    return ResolveError(
        f"{unfit.title} does not run on Python {python.minor}",
        where=unfit.where,
        found=f"{newest.version} requires Python {newest.requires_python}",
        hint="; or ".join(hints),
    )


def _sdist_only(unfit: Unavailable, offered: list[Release], request: PipRequest) -> ResolveError:
    hints = []
    if alias := aliases().get(unfit.name):
        hints.append(f"write {alias} instead: {unfit.name} is an old name for it")
    others = _final([item.version for item in fitting(offered, request.target)])
    if others and unfit.wanted_by is None:
        hints.append(f"ask for a version that has a wheel, such as {others[-1]}")
    hints.append(
        "let it be built, without network, in the environment's own base: "
        f"`pip: {{allow-sdist: [{unfit.name}]}}`"
    )
    return ResolveError(
        f"{unfit.title} is published only as a source distribution",
        where=unfit.where,
        found="no wheel of it for any Python" if not others else "no wheel of this version",
        expected="a wheel: nothing is built from source unless the spec allows it by name",
        hint="; or ".join(hints),
    )


def _too_new(unfit: Unavailable, later: list[Release], request: PipRequest) -> ResolveError:
    first = min(later, key=lambda item: item.uploaded or "~")
    return ResolveError(
        f"nothing that answers {unfit.title} had been uploaded by {request.cut_off(unfit.name)}",
        where=unfit.where,
        found=f"{first.version} of {first.uploaded}" if first.uploaded else str(first.version),
        hint="choose a later `as-of`, or ask for an older version",
    )


def _no_version(unfit: Unavailable, offered: list[Release], request: PipRequest) -> ResolveError:
    _, _, local = unfit.specifier.partition("+")
    if not offered:
        return no_such_package(unfit, request)
    return ResolveError(
        f"there is no {unfit.title}",
        where=unfit.where,
        found=_some(offered),
        hint=f"versions that end in +{local} are on an index of their maker's: name it with "
        "--extra-index-url"
        if local
        else f"choose one of these; nothing newer than {request.as_of} is considered (`as-of`)",
    )


def _wrong_target(
    unfit: Unavailable, wheels: list[Release], offered: list[Release], request: PipRequest
) -> ResolveError:
    target, newest = request.target, wheels[-1]
    found, advice = _fault(newest, target)
    build = "let it be built from source with `allow-sdist`" if newest.sdist else None
    hints = (*_instead(unfit, newest, offered, request), advice, build)
    return ResolveError(
        f"{unfit.title} has no wheel for Python {target.python.minor} on {target.architecture} "
        f"with glibc {target.glibc}",
        where=unfit.where,
        found=found,
        hint="; or ".join(hint for hint in hints if hint) or "choose another version",
    )


def _fault(newest: Release, target: Target) -> tuple[str, str | None]:
    """Return why a release's wheels do not fit, and what about the target would have to change."""
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
    unfit: Unavailable, newest: Release, offered: list[Release], request: PipRequest
) -> list[str]:
    """Return the nearest versions that do have a wheel for the target."""
    fit = _final([item.version for item in fitting(offered, request.target)])
    later = [version for version in fit if version > newest.version]
    earlier = [version for version in fit if version < newest.version]
    if later:
        return [f"use {unfit.name} {later[0]} or later: it has one"]
    return [f"use {unfit.name} {earlier[-1]}: the last that has one"] if earlier else []


def _final(versions: list[Version]) -> list[Version]:
    """Leave out pre-releases where there is anything else."""
    return [version for version in versions if not version.is_prerelease] or versions


def _nearest(pythons: set[str], minor: str) -> str | None:
    """Return the Python nearest to a wanted one, of those that an image can have."""
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
    more = " …" if len(newest) > _SHOWN else ""
    return ", ".join(newest[:_SHOWN]) + more
