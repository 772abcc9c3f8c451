"""From a pinned version to the one file that is locked, with hash and size."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from freezer.errors import IntegrityError, ResolveError
from freezer.fetch.http.client import open_url
from freezer.fetch.http.redact import redact, without_credentials
from freezer.model.artifact import Artifact
from freezer.resolve.python.tags import best_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.store.store import Store
    from freezer.model.lock import Target
    from freezer.resolve.python.interface import PipRequirement
    from freezer.resolve.python.pins import Candidate, Pin


def choose(pin: Pin, target: Target, allowed: Sequence[str] = ()) -> Candidate:
    """Return the file of a pinned version that pip would install.

    ``allowed`` are the SHA-256 that the user accepts; none: any. Raises ``IntegrityError`` when
    the index has the version, but no file with one of these hashes.
    """
    if pin.direct is not None:
        return pin.direct
    files = [file for file in (*pin.wheels, pin.sdist) if file is not None]
    accepted = [file for file in files if not allowed or file.sha256 in allowed]
    if files and not accepted:
        raise IntegrityError(
            f"no file of {pin.name} {pin.version} has a hash that the requirement allows",
            details=[f"{file.file}: sha256 {file.sha256}" for file in files],
            expected=", ".join(allowed),
            hint="the index serves other files than those that were hashed; find out why first",
        )
    best = best_wheel((file.file for file in accepted), target)
    for file in accepted:
        if file.file == best or (best is None and file is pin.sdist):
            return file
    raise ResolveError(
        f"{pin.name} {pin.version} has no wheel for this target",
        found=", ".join(file.file for file in files) or "no file at all",
        expected=f"Python {target.python.version}, glibc {target.glibc}, {target.architecture}",
    )


def artifact(candidate: Candidate, store: Store) -> Artifact:
    """Return a file of an index as an artifact; what the index does not tell is found out.

    A hash that the index does not give is that of the bytes it serves now, which go to the store.
    Raises ``FetchError``.
    """
    sha256, size = candidate.sha256, candidate.size
    if sha256 is not None and size is None:
        with open_url(candidate.url) as response:
            size = response.size
    if sha256 is None or size is None:
        found, size = download(candidate.url, store)
        if sha256 not in (None, found):
            raise IntegrityError(
                f"{redact(candidate.url)} is not the file that its index lists",
                found=f"sha256 {found}",
                expected=f"sha256 {sha256}",
                hint="do not use that index until you know why",
            )
        sha256 = found
    return Artifact(source="pypi", file=candidate.file, size=size, sha256=sha256)


def direct_artifact(asked: PipRequirement, store: Store) -> Artifact:
    """Return the file that a URL requirement names, fetched and hashed.

    Raises ``FetchError``; ``IntegrityError`` when the user gave a hash and it is another.
    """
    address, _, fragment = (asked.requirement.url or "").partition("#")
    sha256, size = download(address, store)
    allowed = [*asked.hashes, *_fragment_hashes(fragment)]
    if allowed and sha256 not in allowed:
        raise IntegrityError(
            f"{redact(address)} is not the file that was asked for",
            where=asked.where,
            found=f"sha256 {sha256}",
            expected=", ".join(f"sha256 {value}" for value in allowed),
        )
    return Artifact(
        source="url",
        file=unquote(urlsplit(address).path.rpartition("/")[2]),
        size=size,
        sha256=sha256,
        url=without_credentials(address),
    )


def download(url: str, store: Store) -> tuple[str, int]:
    """Bring what an address serves into the store; return its SHA-256 and size in bytes."""
    with open_url(url) as response, store.writer() as writer:
        for block in response.blocks():
            writer.write(block)
    return writer.sha256, writer.size


def _fragment_hashes(fragment: str) -> list[str]:
    pairs = (part.partition("=") for part in fragment.split("&"))
    return [value.lower() for key, _, value in pairs if key == "sha256"]
