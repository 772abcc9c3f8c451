"""Requirements from a git repository, as pip writes them: ``NAME @ git+https://HOST/X.git@REV``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlunsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from freezer.errors import SpecError
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import require_usable, split_url

if TYPE_CHECKING:
    from freezer.errors import Where

_BARE = re.compile(r"^git\+https?://", re.IGNORECASE)
_URL = re.compile(r"git\+https?://", re.IGNORECASE)


@dataclass(frozen=True)
class GitRequirement:
    """One requirement from git, whose marker holds for the target."""

    url: str
    """``https://HOST/X.git``; may contain credentials."""
    revision: str | None
    """Branch, tag or commit; None: the default branch."""
    subdirectory: str | None
    name: str | None
    """Normalised; None when only the project itself declares it."""
    extras: tuple[str, ...]
    where: Where


def parse_git(text: str, where: Where) -> GitRequirement | None:
    """Parse a requirement from git over HTTP(S); None for any other requirement.

    Raises ``SpecError`` for a malformed one.
    """
    if not _URL.search(text):
        return None
    name, extras, address = None, tuple[str, ...](), text
    if not _BARE.match(text):
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise SpecError("not a requirement", where=where, found=redact(text)) from error
        if requirement.url is None or not _BARE.match(requirement.url):
            return None
        name = canonicalize_name(requirement.name)
        extras, address = tuple(sorted(requirement.extras)), requirement.url
    require_usable(address.partition(" ;")[0].strip(), where)
    parts = split_url(address.partition(" ;")[0].strip().removeprefix("git+"))
    path, _, revision = parts.path.rpartition("@") if "@" in parts.path else (parts.path, "", "")
    options = parse_qs(parts.fragment)
    folder = options.get("subdirectory", [""])[0].strip("/")
    if ".." in folder.split("/") or revision.startswith("-"):
        raise SpecError("this address cannot be used", where=where, found=redact(text))
    egg = re.match(r"[A-Za-z0-9._-]+", options.get("egg", [""])[0])
    return GitRequirement(
        url=urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")),
        revision=unquote(revision) or None,
        subdirectory=folder or None,
        name=name or (canonicalize_name(egg[0].partition("[")[0]) if egg else None),
        extras=extras,
        where=where,
    )
