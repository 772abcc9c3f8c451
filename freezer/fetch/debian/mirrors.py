"""Addresses of Debian archives: configured mirrors and dated snapshots by label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.debian.release import Release, read_release, require_suite, split_signed
from freezer.fetch.http.client import NotFoundError, get_bytes
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.config import Config
    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.model.events import Reporter

_LARGEST_RELEASE = 16 << 20
"""Maximum bytes; Debian's own is 150 kB."""
_READABLE = ("http://", "https://", "file:/")


@dataclass(frozen=True)
class RemoteRelease:
    """A suite's release, and the root that served it."""

    root: str = field(repr=False)
    """May contain credentials."""
    suite: str
    inrelease: bytes = field(repr=False)
    signed: bool
    release: Release

    @property
    def folder(self) -> str:
        """URL of the suite's folder, without a trailing slash."""
        return f"{self.root}/{suite_folder(self.suite)}"


def suite_folder(suite: str) -> str:
    """Return a suite's folder below an archive's root; flat archives have no ``dists``."""
    return (suite.strip("/") or ".") if suite.endswith("/") else f"dists/{suite}"


def configured_roots(config: Config, label: str) -> tuple[str, ...]:
    """Return the configured mirrors of a label, best first."""
    return tuple(root.rstrip("/") for root in config.sources.debian.get(label, ()))


def dated_roots(config: Config, label: str, as_of: str) -> tuple[str, ...]:
    """Return the root of the archive as of ``as_of`` (UTC, ISO), if one is configured."""
    template = config.sources.debian_snapshot.get(label)
    if template is None:
        return ()
    return (template.replace("{timestamp}", re.sub(r"[-:]", "", as_of)).rstrip("/"),)


def named_like(uri: str, label: str) -> bool:
    """Return whether an address ends like common archives of that label."""
    return uri.rstrip("/").rpartition("/")[2].lower() == label


def archive_root(label: str, config: Config, sources: Sequence[AptSource]) -> str | None:
    """Return the root of the archive with a label: a configured mirror's, or a source's.

    Sources with an uninformative address are queried. Raises ``FetchError`` when one of them does
    not answer and no other has the label.
    """
    for root in configured_roots(config, label):
        return root
    for source in sources:
        if named_like(source.uri, label):
            return source.uri
    failure: FetchError | None = None
    for source in sources:
        try:
            if read_remote(source.uri, source.suite).release.source == label:
                return source.uri
        except FetchError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return None


def read_remote(root: str, suite: str) -> RemoteRelease:
    """Return the release of a suite below a root.

    Raises ``FetchError`` when it cannot be reached or does not exist, ``IntegrityError`` when it is
    malformed or of another suite.
    """
    address = f"{root}/{suite_folder(suite)}/InRelease"
    if not root.startswith(_READABLE):
        raise FetchError(
            f"Freezer cannot read {redact(root)}",
            expected="an http, https or file address",
            hint="name a mirror under `sources: {debian: {LABEL: [URL]}}` in the configuration",
        )
    try:
        inrelease = get_bytes(address, limit=_LARGEST_RELEASE)
    except NotFoundError as error:
        raise NotFoundError(
            f"{redact(root)} has no suite {suite}",
            found=f"no {suite_folder(suite)}/InRelease: {error.found or 'no such file'}",
            hint="check the suite's name; releases that are no longer supported move to an archive "
            "of their own: name its root under `sources: {debian: {LABEL: [URL]}}`",
        ) from None
    text, signed = split_signed(inrelease, address)
    release = read_release(text, address)
    require_suite(release, suite, address)
    return RemoteRelease(root, suite, inrelease, signed, release)


def find_release(source: AptSource, config: Config, as_of: str, report: Reporter) -> RemoteRelease:
    """Return the release of a package source: dated snapshot, mirrors, its own address.

    Mirrors replace the source's own address, which is then contacted only for the label, if its
    name is uninformative. Raises as :func:`read_remote`.
    """
    label = _configured_label(source, config)
    if label is None:
        return read_remote(source.uri, source.suite)
    for root in dated_roots(config, label, as_of):
        try:
            return _labelled(root, source.suite, label)
        except FetchError as error:
            report.warn(f"The dated archive of {label} cannot be reached: {error.what}")
    failure: FetchError | None = None
    for root in configured_roots(config, label) or (source.uri,):
        try:
            return _labelled(root, source.suite, label)
        except FetchError as error:
            failure = failure or error
    raise failure or FetchError(f"no address of {label} is configured")


def _configured_label(source: AptSource, config: Config) -> str | None:
    labels = sorted({*config.sources.debian, *config.sources.debian_snapshot})
    for label in labels:
        if named_like(source.uri, label) or source.uri in configured_roots(config, label):
            return label
    if not labels:
        return None
    found = read_remote(source.uri, source.suite).release.source
    return found if found in labels else None


def _labelled(root: str, suite: str, label: str) -> RemoteRelease:
    found = read_remote(root, suite)
    if found.release.source != label:
        raise IntegrityError(
            f"{redact(root)} is not the configured archive",
            found=f"the label {found.release.source}",
            expected=f"the label {label}",
            hint="correct `sources: {debian: …}` in the configuration",
        )
    return found
