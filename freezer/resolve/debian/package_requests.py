"""The spec's Debian packages, compared with the indices before apt runs. Pure."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import ResolveError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.resolve.debian.packages import Candidate, PackageTable

_REQUEST = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]+)(?::(?P<architecture>[a-z0-9]+))?(?:=(?P<version>\S+))?"
)
_CHANGE = "correct `system` in the spec"


@dataclass(frozen=True)
class PackageRequest:
    """One package on apt's command line."""

    name: str
    version: str | None
    text: str
    """The entry of `system` in the spec."""

    def __str__(self) -> str:
        """Render as on apt's command line."""
        return self.name if self.version is None else f"{self.name}={self.version}"


def parse_requests(
    requested: Sequence[str], table: PackageTable, installed: Mapping[str, str]
) -> list[PackageRequest]:
    """Return the packages to install: the requested ones without those in the base.

    ``installed`` maps names to versions. Raises ``ResolveError`` for names and versions that no
    index has, with similar names.
    """
    found, unknown = [], []
    for text in requested:
        match = _REQUEST.fullmatch(text)
        if match is None:
            raise ResolveError(
                f"{text!r} is not a Debian package", expected="name or name=version", hint=_CHANGE
            )
        name, version = match["name"], match["version"]
        if name in installed and version in (None, installed[name]):
            continue
        one = table.newest(name) or _provider(name, table, installed)
        if one is None:
            unknown.append(name)
        elif one.name not in installed or one.name == name:
            _require_version(name, version, table)
            _require_architecture(name, match["architecture"], table)
            found.append(PackageRequest(one.name, version, text))
    if unknown:
        raise _unknown(unknown, table)
    return list({item.name: item for item in reversed(found)}.values())[::-1]


def _provider(name: str, table: PackageTable, installed: Mapping[str, str]) -> Candidate | None:
    """Return the provider of a virtual package, preferably one in the base."""
    providers = table.providers(name)
    for one in providers:
        if one.name in installed:
            return one
    if len(providers) > 1:
        raise ResolveError(
            f"{name} is a virtual package that several others provide",
            found=", ".join(one.name for one in providers),
            hint=f"name one of them instead of {name} under `system` in the spec",
        )
    return next(iter(providers), None)


def _require_version(name: str, version: str | None, table: PackageTable) -> None:
    versions = [one.version for one in table.candidates(name)]
    if version is not None and version not in versions:
        raise ResolveError(
            f"the archives have no {name} at version {version}",
            found=", ".join(versions) or "no version at all: it is a virtual package",
            expected=version,
            hint=f"{_CHANGE}, or use `as-of` with a dated archive (`debian-snapshot`)",
        )


def _require_architecture(name: str, architecture: str | None, table: PackageTable) -> None:
    offered = sorted({one.architecture for one in table.candidates(name)})
    if architecture is not None and offered and not {architecture, "all"} & set(offered):
        raise ResolveError(
            f"{name} for {architecture} is not available for this platform",
            found=f"{name} for {', '.join(offered)}",
            hint=f"{_CHANGE}: leave out the architecture",
        )


def _unknown(names: Sequence[str], table: PackageTable) -> ResolveError:
    if not table.names:
        return ResolveError(
            f"the base has no Debian package sources to install {', '.join(names)} from",
            hint="choose a base with apt sources, or {bootstrap: …}",
        )
    near = {name: ", ".join(_near(name, table.names)) for name in names}
    plural = len(names) > 1
    return ResolveError(
        f"no Debian archive of the base has {'these packages' if plural else names[0]}",
        details=[f"{name}: {near[name] or 'no similar name'}" for name in names] if plural else (),
        found=None if plural or not near[names[0]] else f"similar names: {near[names[0]]}",
        hint=_CHANGE,
    )


def _near(name: str, names: Sequence[str]) -> list[str]:
    """Return up to five similar names: misspelt, abbreviated, or with another version suffix."""
    close = difflib.get_close_matches(name, names, n=4, cutoff=0.8)
    stem = name.rstrip("0123456789.-")
    begun = [other for other in names if len(stem) > 3 and other.startswith(stem)]
    return list(dict.fromkeys([*close, *sorted(begun, key=len)]))[:5]
