"""Image names, parsed by Docker's rules (``distribution/reference``)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from docker import auth

from freezer.errors import SpecError
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import split_url

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_LONGEST = 500
"""Maximum characters of a name; the patterns above take quadratic time."""
_SECRET = re.compile(r"[^/@]*:[^/@]*@(?!sha256:)")
"""A user and a password, which are invalid in an image name."""


@dataclass(frozen=True)
class Reference:
    """A parsed image name."""

    registry: str
    """``host`` or ``host:port``; Docker's short name for its own registry by default."""
    repository: str
    """Such as ``library/debian``."""
    tag: str
    digest: str | None
    """``sha256:…``; takes precedence over the tag."""

    @property
    def host(self) -> str:
        """The registry's address, with the port unless it is the default one."""
        if self.registry == auth.INDEX_NAME:
            return str(auth.convert_to_hostname(auth.INDEX_URL))
        return self.registry

    @property
    def is_loopback(self) -> bool:
        """Whether the registry is on this machine, where plain http is harmless."""
        name = split_url(f"//{self.host}").hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")


def parse_reference(text: str, hint: str = "correct `base` in freeze.yaml") -> Reference:
    """Parse an image name such as ``debian:bookworm-slim``.

    Raises ``SpecError`` with ``hint`` as the next step.
    """
    found = _parsed(text) if len(text) <= _LONGEST else None
    if found is None:
        raise SpecError(
            f"{_SECRET.sub('***@', redact(text[:_LONGEST]))!r} is not an image name",
            expected="[registry[:port]/]name[:tag][@sha256:…], in lower case, such as "
            "debian:bookworm-slim",
            hint=hint,
        )
    return found


def _parsed(text: str) -> Reference | None:
    name, at, digest = text.partition("@")
    registry, repository = _registry(name)
    repository, colon, tag = repository.partition(":")
    if registry == auth.INDEX_NAME and "/" not in repository:
        repository = f"library/{repository}"
    sound = (
        _HOST.fullmatch(registry)
        and _PATH.fullmatch(repository)
        and (not colon or _TAG.fullmatch(tag))
        and (not at or _DIGEST.fullmatch(digest))
    )
    return Reference(registry, repository, tag or "latest", digest or None) if sound else None


def _registry(name: str) -> tuple[str, str]:
    """Split off the registry; the first part is one when it cannot be a name."""
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return auth.INDEX_NAME, name
    if auth.convert_to_hostname(auth.INDEX_URL) == first:
        return auth.INDEX_NAME, rest
    return first, rest
