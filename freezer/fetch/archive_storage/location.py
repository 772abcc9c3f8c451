"""``DIR``, ``s3://BUCKET/PREFIX`` or ``REGISTRY/REPO``: which place a user means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from freezer.fetch.archive_storage.interface import Storage
    from freezer.fetch.config import Config

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HOST: Final = re.compile(
    r"(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|\[[0-9a-fA-F:]+\])(:\d{1,5})?"
)
_EXPECTED: Final = "DIR, s3://BUCKET/PREFIX or REGISTRY/REPOSITORY"


def open_storage(text: str, config: Config) -> Storage:
    """Return the place that a user named. Raises ``HostError``, ``SpecError``; sends nothing.

    A text that starts like a host name and a ``/`` is a registry, unless there is such a folder;
    ``oci://`` and ``./`` say it outright.
    """
    if found := _SCHEME.fullmatch(text):
        scheme, rest = found[1].lower(), found[2]
        if scheme == "s3":
            return _s3(text, rest)
        if scheme == "oci":
            return _registry(rest, config)
        raise _refused(text, f"the scheme {scheme}://")
    if is_registry(text):
        return _registry(text, config)
    if not text or "\0" in text:
        raise _refused(text, "no path")
    return FolderStorage(Path(text))


def is_registry(text: str) -> bool:
    """Return whether a text without a scheme names a repository of a registry."""
    host, slash, _ = text.partition("/")
    with_port = re.fullmatch(r"[A-Za-z0-9.-]+:\d{1,5}", host)
    named = with_port or _HOST.fullmatch(host)
    return bool(slash and named and not Path(host).is_dir())


def _s3(text: str, rest: str) -> Storage:
    from freezer.fetch.archive_storage.s3 import S3Storage

    bucket, _, prefix = rest.partition("/")
    prefix = prefix.strip("/")
    if not _BUCKET.fullmatch(bucket):
        raise _refused(text, "no bucket's name")
    parts = prefix.split("/") if prefix else []
    if not prefix.isprintable() or {"", ".", ".."} & set(parts) or len(prefix) > 500:
        raise _refused(text, "a prefix that cannot be used")
    return S3Storage(bucket, prefix)


def _registry(text: str, config: Config) -> Storage:
    from freezer.fetch.archive_storage.registry import RegistryStorage
    from freezer.fetch.registry.reference import parse_reference

    hint = "name a repository of the archive's own: registry.example.org/team/archive"
    reference = parse_reference(text, hint)
    if reference.digest is not None or ":" in text.rpartition("/")[2]:
        raise _refused(text, "a tag or a digest; an archive is a whole repository")
    return RegistryStorage(reference, config)


def _refused(text: str, found: str) -> HostError:
    return HostError(
        f"{redact(text[:200])!r} is no place for an archive", found=found, expected=_EXPECTED
    )
