"""Parses a requirement; errors suggest what to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import file_name_of, require_usable, scheme_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.resolve.python.requirements.known_target import KnownTarget

_VCS = re.compile(r"^(git|hg|svn|bzr)\+|^git@|^git://", re.IGNORECASE)
_PATH = re.compile(r"^(\.{1,2}([/\\\[]|$)|[/\\~]|file:|[A-Za-z]:[/\\])|\.(whl|zip|tar\.gz)(\[|$)")
_OWN_FOLDER = re.compile(r"^\.{1,2}/?(\[|$|\s)")
_LEAVE_OUT = (
    "remove the project itself and list its dependencies (`pip: {files: [pyproject.toml], extras: "
    "[...]}` reads its dependencies), or build a wheel of it and name the wheel's folder under "
    "--find-links"
)
_URL = re.compile(r"^https?://", re.IGNORECASE)
_COMPATIBLE = re.compile(r"~=\s*(\d{1,9})\s*(?=$|[,;)])")
_SINGLE = re.compile(r"^([A-Za-z0-9._-]+)\s*=\s*([0-9][A-Za-z0-9.*+!-]*)(=\S+)?$")


def parse_requirement(text: str, where: Where) -> Requirement:
    """Parse a requirement. Raises ``SpecError`` with the location and a suggestion."""
    if _VCS.search(text):
        raise _refuse_vcs(text, where)
    if _URL.search(text):
        text = _named(text, where)
    elif _PATH.search(text) and " @ " not in text:
        raise _refuse_path(text, where)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise _malformed(text, where, str(error)) from error
    if requirement.url:
        _check_url(requirement, where)
    for item in requirement.specifier:
        if item.operator == "===" and not _is_version(item.version):
            raise SpecError(
                "`===` compares text, and this is no version",
                where=where,
                found=redact(text),
                hint=f"write {requirement.name}== and a version of it",
            )
    return requirement


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def is_excluded(text: str, where: Where, known: KnownTarget) -> bool:
    """Return whether a URL requirement is excluded by its marker.

    Such a line is skipped, as in pip, whatever its URL is. Raises ``SpecError`` for one from git
    whose marker depends on the base image.
    """
    address, _, marker = text.partition(" ;")
    if not marker or not (" @ " in address or _VCS.search(address) or _URL.search(address)
                          or _PATH.search(address)):  # fmt: skip
        return False
    try:
        holds = known.holds(Marker(marker))
    except InvalidMarker:
        return False  # reported when the requirement is parsed
    if holds is None and "git+" in address:
        raise SpecError(
            "this marker depends on the base, which is not known here",
            where=where,
            found=marker.strip(),
            hint="use python_version, sys_platform and platform_machine",
        )
    return holds is False


def refuse_editable(options: Sequence[str], where: Where) -> SpecError:
    """Return the error for ``-e``."""
    text = options[0]
    if _VCS.search(text):
        return _refuse_vcs(text, where)
    return SpecError(
        "an editable install cannot be locked: its contents change while you edit",
        where=where,
        found=f"-e {redact(text)}",
        hint=_LEAVE_OUT,
    )


def _check_url(requirement: Requirement, where: Where) -> None:
    url = requirement.url or ""
    require_usable(url, where)
    if _VCS.search(url):
        raise _refuse_vcs(url, where)
    if scheme_of(url) not in ("http", "https"):
        raise _refuse_path(url, where)


def _named(url: str, where: Where) -> str:
    """Return ``name @ url`` for a bare URL of a wheel."""
    address, _, marker = url.partition(" ;")
    require_usable(address.strip(), where)
    file = file_name_of(address.strip())
    try:
        name = parse_wheel_filename(file)[0]
    except InvalidWheelFilename:
        raise SpecError(
            "a URL without a package name",
            where=where,
            found=redact(url),
            expected="NAME @ URL",
        ) from None
    return f"{name} @ {address.strip()}" + (f" ; {marker}" if marker else "")


def _refuse_vcs(text: str, where: Where) -> SpecError:
    return SpecError(
        "a requirement from version control other than git over HTTP(S) cannot be locked",
        where=where,
        found=redact(text),
        expected="NAME @ git+https://HOST/REPOSITORY.git@COMMIT",
        hint="write it this way; or build a wheel once (`pip wheel --no-deps git+ssh:…@COMMIT`), "
        "keep it in a folder or an index, and require it by version with --find-links FOLDER",
    )


def _refuse_path(text: str, where: Where) -> SpecError:
    return SpecError(
        "a path on this machine cannot be locked: it is invalid on others",
        where=where,
        found=redact(text),
        hint=_LEAVE_OUT
        if _OWN_FOLDER.match(text)
        else "name the folder with --find-links and require the package by name and version",
    )


def _malformed(text: str, where: Where, reason: str) -> SpecError:
    reason = reason.splitlines()[0] if reason else "not a requirement"
    hint = "write it as NAME, NAME==VERSION, NAME[EXTRA]>=VERSION or NAME @ URL"
    if match := _COMPATIBLE.search(text):
        major = int(match[1])
        hint = f"`~=` needs two numbers: write ~={major}.0, or >={major},<{major + 1}"
    if match := _SINGLE.match(text):
        hint = f"pip needs two equals signs: {match[1]}=={match[2]}"
        if match[3]:
            hint = f"this is conda's syntax with a build; for pip write {match[1]}=={match[2]}"
    return SpecError(f"not a requirement: {reason}", where=where, found=redact(text), hint=hint)
