"""Platform tags and markers of a target: which wheels fit, and in which order."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from freezer.errors import ResolveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.model.lock import Target

_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""glibc 2.x to its legacy manylinux name; the two oldest are for x86-64 only."""
_UV_GLIBC = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
"""The glibc 2.x versions with a platform in uv."""


def marker_environment(target: Target) -> dict[str, str]:
    """Return the marker variables of the image, not of this host."""
    return {
        "implementation_name": "cpython",
        "implementation_version": target.python.version,
        "os_name": "posix",
        "platform_machine": target.architecture,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": target.python.version,
        "python_version": target.python.minor,
        "sys_platform": "linux",
        "extra": "",
    }


def glibc_minor(target: Target) -> int:
    """Return 36 for glibc 2.36. Raises ``ResolveError`` for a glibc without wheels."""
    major, _, minor = target.glibc.partition(".")
    number = minor.partition(".")[0]
    if major != "2" or not number.isdigit() or int(number) < _UV_GLIBC[0]:
        raise ResolveError(
            f"no wheels are made for glibc {target.glibc}",
            expected=f"glibc 2.{_UV_GLIBC[0]} or later",
            hint="choose a base image that is not older than 2014",
        )
    return int(number)


def uv_platform(target: Target) -> str:
    """Return uv's platform of the target: the nearest one without a newer glibc."""
    minor = glibc_minor(target)
    offered = max(known for known in _UV_GLIBC if known <= minor)
    return f"{target.architecture}-manylinux_2_{offered}"


def wheel_tags(target: Target) -> tuple[Tag, ...]:
    """Return all tags that the target supports, best first, in pip's order."""
    return _tags(target.python.minor, target.python.abi, target.architecture, glibc_minor(target))


@lru_cache(maxsize=16)
def _tags(python: str, abi: str, architecture: str, glibc: int) -> tuple[Tag, ...]:
    major, minor = (int(part) for part in python.split("."))
    platforms = list(_platforms(architecture, glibc))
    version = (major, minor)
    return (
        *cpython_tags(version, [abi], platforms),
        *compatible_tags(version, f"cp{major}{minor}", platforms),
    )


def _platforms(architecture: str, glibc: int) -> Iterator[str]:
    yield f"linux_{architecture}"
    oldest = 5 if architecture == "x86_64" else 17
    for minor in range(glibc, oldest - 1, -1):
        yield f"manylinux_2_{minor}_{architecture}"
        if minor in _LEGACY:
            yield f"{_LEGACY[minor]}_{architecture}"


def best_wheel(files: Iterable[str], target: Target) -> str | None:
    """Return the wheel of one version that pip would install, by file name, if any fits."""
    ranks = {tag: rank for rank, tag in enumerate(wheel_tags(target))}
    best: tuple[int, tuple[int, str], str] | None = None
    for file in files:
        try:
            _, _, build, tags = parse_wheel_filename(file)
        except InvalidWheelFilename:
            continue
        fitting = [ranks[tag] for tag in tags if tag in ranks]
        if not fitting:
            continue
        # A higher build number comes first; the name breaks ties that pip leaves to index order.
        number, letter = build or (0, "")
        candidate = (min(fitting), (-number, letter), file)
        if best is None or candidate < best:
            best = candidate
    return best[2] if best else None
