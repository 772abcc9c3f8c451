"""The image's Python, and the platform that wheels must be compatible with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freezer.errors import ResolveError
from freezer.model.lock import PythonTarget, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.lock import DebianPackage
    from freezer.resolve.base.probe import BaseFacts

_OFFERED = {
    "debian 11": "3.9",
    "debian 12": "3.11",
    "debian 13": "3.13",
    "ubuntu 20.04": "3.8",
    "ubuntu 22.04": "3.10",
    "ubuntu 24.04": "3.12",
}
"""The only Python version in each distribution's own archive."""
_SUITES = {"debian 11": "bullseye", "debian 12": "bookworm", "debian 13": "trixie"}
_OWN_FILES = re.compile(r"/etc/apt/(?:sources\.list|sources\.list\.d/(?:debian|ubuntu)\.sources)")
_UPSTREAM = re.compile(r"(?:\d+:)?(?P<version>\d+(?:\.\d+)*)")


def choose_python(minor: str, facts: BaseFacts) -> PythonTarget | None:
    """Return the base's interpreter of a minor version such as ``3.11``; None if it has none."""
    return next((python for python in facts.pythons if python.minor == minor), None)


def python_packages(minor: str, facts: BaseFacts) -> tuple[str, ...]:
    """Return the Debian packages that install a Python on a base without it.

    Raises ``ResolveError`` when the base's archive is known to have only another version, or when
    the base has no apt.
    """
    offered = _OFFERED.get(facts.distribution)
    foreign = any(not _OWN_FILES.fullmatch(name) for name, _ in facts.apt_sources)
    if not facts.has_apt or (offered not in (None, minor) and not foreign):
        raise ResolveError(
            f"the base has no Python {minor}, and none can be installed",
            found=_found(facts, offered),
            expected=f"a Python {minor} in the base or in its Debian archive",
            hint=_hint(minor, facts, offered),
        )
    return (f"python{minor}",)


def target(facts: BaseFacts, python: PythonTarget | str, debian: Sequence[DebianPackage]) -> Target:
    """Return the target platform of the image, with some Debian packages on the base.

    ``python`` is the base's interpreter, or the minor version that is among the packages. Raises
    ``ResolveError`` when they contain no such Python.
    """
    if isinstance(python, str):
        python = debian_python(python, debian)
    return Target.model_validate(
        {
            "architecture": facts.architecture,
            "glibc": glibc_of(facts, debian),
            "distribution": facts.distribution,
            "python": python,
        }
    )


def glibc_of(facts: BaseFacts, debian: Sequence[DebianPackage]) -> str:
    """Return the version of the C library, with some Debian packages on the base."""
    libc = next((package for package in debian if package.name == "libc6"), None)
    return _upstream(libc.version) if libc else facts.glibc


def debian_python(minor: str, debian: Sequence[DebianPackage]) -> PythonTarget:
    """Return the Python among some Debian packages. Raises ``ResolveError`` for none."""
    name = f"python{minor}"
    package = next((package for package in debian if package.name == name), None)
    if package is None:
        raise ResolveError(
            f"the locked Debian packages contain no Python {minor}",
            expected=f"the package {name} among them",
            hint="lock again with `freeze lock --upgrade`",
        )
    return PythonTarget(
        version=_upstream(package.version),
        abi=f"cp{minor.replace('.', '')}",
        executable=f"/usr/bin/{name}",
    )


def _upstream(version: str) -> str:
    """Return ``2.36`` of ``2.36-9+deb12u10``, ``3.11.2`` of ``3.11.2-6``."""
    match = _UPSTREAM.match(version)
    return match["version"] if match else version


def _found(facts: BaseFacts, offered: str | None) -> str:
    versions = ", ".join(python.version for python in facts.pythons)
    own = f"Python {versions}" if versions else "no Python"
    if not facts.has_apt:
        return f"{facts.distribution} with {own}, and without apt"
    return f"{facts.distribution} with {own}; its archive offers {offered}"


def _hint(minor: str, facts: BaseFacts, offered: str | None) -> str:
    have = sorted({python.minor for python in facts.pythons} | ({offered} if offered else set()))
    ways = [f"`python: '{have[0]}'`"] if have else []
    ways.append(f"a base that has it, such as python:{minor}-slim")
    suite = next((_SUITES[k] for k, v in _OFFERED.items() if v == minor and k in _SUITES), None)
    if suite:
        ways.append(f"`base: {{bootstrap: {suite}}}`")
    return f"use {' or '.join(ways)}"
