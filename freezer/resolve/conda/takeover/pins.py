"""Pins of an existing conda lock: file and hash of each package."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from freezer.errors import FetchError, SpecError, Where
from freezer.fetch.conda.channels import read_channels
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import split_url
from freezer.resolve.python.pins import Pin
from freezer.resolve.python.takeover.pins import LockedPin, address_problem, candidate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.config import Config
    from freezer.resolve.python.pins import Candidate

_ARCHIVE = re.compile(r"^(?P<stem>.+)\.(conda|tar\.bz2)$")
_HEX = {32: "md5", 64: "sha256"}


@dataclass(frozen=True)
class CondaPin:
    """One package of an existing lock: its file, and the file's hash."""

    name: str
    version: str
    build: str
    file: str
    channel: CondaChannel
    subdir: str
    where: Where
    md5: str | None = None
    sha256: str | None = None
    record: dict[str, Any] | None = None
    """Its full repodata record, where the lock stores it."""

    def line(self) -> list[str | None]:
        """Return the pin as text, for the digest of the requirements."""
        return [self.channel.name, self.subdir, self.file, self.sha256 or self.md5]


@dataclass
class Taken:
    """The packages of a lock for one platform, those for pip included."""

    pins: list[CondaPin] = field(default_factory=list)
    pip: list[LockedPin] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Packages that are not pinned to a published file's hash, and why."""
    warnings: list[str] = field(default_factory=list)

    def take_pip(
        self,
        name: str,
        version: str,
        url: str,
        sha256: str | None,
        where: Where,
        *,
        direct: bool = False,
        requires: Iterable[str] | None = None,
    ) -> None:
        """Add a package for pip: as locked, or among the refused.

        ``direct``: whether the URL is the user's own and not an index's.
        """
        if problem := address_problem(url, sha256):
            self.refused.append(redact(f"{name} {version}: {problem}"))
            return
        file = candidate(url, sha256)
        known = {"direct": file} if direct else _kind(file)
        pin = Pin(canonicalize_name(name), version, **known)
        needs = None if requires is None else tuple(sorted(map(canonicalize_name, requires)))
        self.pip.append(LockedPin(pin, where, needs))


def _kind(file: Candidate) -> dict[str, Any]:
    return {"wheels": (file,)} if file.file.endswith(".whl") else {"sdist": file}


def _path(url: str, where: Where) -> str:
    try:
        return split_url(url).path
    except FetchError as error:
        raise SpecError(
            error.what, where=where, found=error.found, expected=error.expected
        ) from error


def pin(url: str, where: Where, *, folder: Path, config: Config, **known: Any) -> CondaPin:
    """Return the pin of an archive's URL. Raises ``SpecError`` when it is none."""
    parts = PurePosixPath(unquote(_path(url, where)))
    match = _ARCHIVE.match(parts.name)
    fields = match["stem"].rsplit("-", 2) if match else []
    if len(fields) != 3 or len(parts.parts) < 3:
        raise SpecError(
            "this is not the URL of a conda package",
            where=where,
            found=redact(url),
            expected="CHANNEL/SUBDIR/NAME-VERSION-BUILD.conda",
        )
    [channel] = read_channels([(url.rsplit("/", 2)[0], where)], folder=folder, config=config)
    return CondaPin(
        name=fields[0].lower(),
        version=fields[1],
        build=fields[2],
        file=parts.name,
        channel=channel,
        subdir=parts.parent.name,
        where=where,
        **known,
    )


def named(found: CondaPin, name: str, version: str) -> CondaPin:
    """Return a pin whose archive is of the package that the lock names.

    Raises ``SpecError`` for an archive of another package or version.
    """
    if (found.name, found.version) == (name.lower(), version):
        return found
    raise SpecError(
        f"the lock has an archive of another package or version for {name} {version}",
        where=found.where,
        found=f"{found.channel.name}: {found.file}",
        hint="regenerate the lock with the tool that wrote it; do not install from it until you "
        "know why",
    )


def hashes(text: str, where: Where) -> dict[str, str]:
    """Return ``{"md5": ...}`` or ``{"sha256": ...}`` from a URL's fragment; empty without one.

    Raises ``SpecError`` for anything else.
    """
    kind, _, value = text.rpartition(":")
    if not text:
        return {}
    found = _HEX.get(len(value)) if re.fullmatch(r"[0-9a-fA-F]+", value) else None
    if found is None or kind not in ("", found):
        raise SpecError("this is neither an MD5 nor a SHA-256", where=where, found=text)
    return {found: value.lower()}


def nothing_for(label: str, subdir: str, found: set[str]) -> SpecError:
    """Return the error for a lock without packages for a platform."""
    return SpecError(
        f"{label} has no packages for {subdir}",
        where=Where(label),
        found=", ".join(sorted(found)) or "none at all",
        hint="lock it for this platform too, or name the file that it was made from",
    )
