"""Package indices of Debian archives, verified by the archive's Release file.

The signature of the Release file is verified elsewhere: by apt inside a base image, or by
``freezer.fetch.debian.signature`` on the host.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from io import BytesIO
from typing import TYPE_CHECKING, Final

from freezer.errors import FetchError, IntegrityError
from freezer.fetch.debian.mirrors import RemoteRelease, find_release, suite_folder
from freezer.fetch.debian.signature import verify_release
from freezer.fetch.http.client import NotFoundError, get_bytes
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from freezer.fetch.config import Config
    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.fetch.debian.release import ListedFile
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter

__all__ = ["DEBIAN_ARCHITECTURES", "Index", "fetch_indices", "verify_release"]

DEBIAN_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
"""Machine names and Debian's architecture names."""
_LARGEST = 1 << 29
"""Maximum bytes of an index, compressed or not; ten times Debian's largest."""
_PACKINGS = (".xz", ".gz", "")


@dataclass(frozen=True)
class Index:
    """The packages of one component of one suite, verified by its release."""

    source: str
    """The archive's name in locks: ``debian``, ``debian-security``."""
    suite: str
    """The suite's name in the package sources."""
    component: str
    """Empty for a flat archive."""
    root: str = field(repr=False)
    """Root URL that served it. May contain credentials."""
    date: str
    """Date of the release: ``YYYY-MM-DDTHH:MM:SSZ``."""
    inrelease: bytes = field(repr=False)
    release_signed: bool
    """Whether there is a signature; not whether its key is trusted."""
    packages_path: str
    """Path of the ``Packages`` file as served: ``main/binary-amd64/Packages.xz``."""
    packed: bytes = field(repr=False)
    """Its bytes as served."""
    packed_sha256: str
    """Their digest, which decides the packages."""
    unpack: Callable[[], bytes] = field(repr=False, compare=False)
    """Unpacks the file, with the checks of its release. Takes half a second for all of Debian."""
    signed_by: str = field(default="", repr=False)
    """Trusted keys of the package source; see :class:`AptSource`."""

    @cached_property
    def packages(self) -> bytes:
        """The ``Packages`` file, unpacked when first used. Raises ``IntegrityError``."""
        return self.unpack()

    @property
    def folder(self) -> str:
        """The suite's folder below the root: ``dists/bookworm``; ``.`` at a flat archive's root."""
        return suite_folder(self.suite)


def fetch_indices(
    sources: Sequence[AptSource],
    architecture: str,
    config: Config,
    *,
    as_of: str,
    store: Store,
    report: Reporter,
) -> list[Index]:
    """Return the indices of all sources, in order.

    ``architecture`` is the machine's (``x86_64``); ``as_of`` (UTC, ISO) selects the dated snapshot
    if one is configured. Indices in the store with the release's hash are not fetched again.
    Optional suites that an archive lacks are skipped. Raises ``FetchError`` when something cannot
    be reached or is missing, ``IntegrityError`` when it does not match its release.
    """
    debian = DEBIAN_ARCHITECTURES.get(architecture, architecture)
    wanted = [source for source in sources if debian in (source.architectures or (debian,))]
    title = f"Reading {len(wanted)} package source{'s' if len(wanted) != 1 else ''}"
    with report.task(title, total=len(wanted)) as task, ThreadPoolExecutor(4) as pool:

        def one(source: AptSource) -> list[Index]:
            try:
                found = find_release(source, config, as_of, report)
            except NotFoundError as error:
                if not source.optional:
                    raise
                report.note(f"Going on without {source.suite}: {error.what}")
                return []
            _mention_age(found, as_of, report)
            indices = [
                _index(source, component, path, found, store)
                for component, path in _paths(source, debian, found)
            ]
            task.advance()
            return indices

        return [index for group in pool.map(one, wanted) for index in group]


def _paths(source: AptSource, debian: str, found: RemoteRelease) -> Iterator[tuple[str, str]]:
    """Yield each component with the path of a ``Packages`` file, without compression suffix."""
    if not source.components:
        yield "", "Packages"
    for component in source.components:
        yield component, f"{component}/binary-{debian}/Packages"
        every = f"{component}/binary-all/Packages"
        if found.release.separate_all and any(_candidates(every, found)):
            yield component, every


def _candidates(path: str, found: RemoteRelease) -> Iterator[tuple[str, ListedFile]]:
    for packing in _PACKINGS:
        if listed := found.release.files.get(path + packing):
            yield path + packing, listed


def _index(
    source: AptSource, component: str, path: str, found: RemoteRelease, store: Store
) -> Index:
    served, packed = _packed(path, found, store)
    return Index(
        source=found.release.source,
        suite=found.suite,
        component=component,
        root=found.root,
        date=found.release.date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        inrelease=found.inrelease,
        release_signed=found.signed,
        packages_path=served,
        packed=packed,
        packed_sha256=found.release.files[served].sha256,
        unpack=partial(_packages, packed, served, found, found.release.files.get(path)),
        signed_by=source.signed_by,
    )


def _packed(path: str, found: RemoteRelease, store: Store) -> tuple[str, bytes]:
    """Return an index as served, with its path: from the store if it has that."""
    offered = list(_candidates(path, found))
    if not offered:
        raise _not_offered(path, found)
    for served, listed in offered:
        if listed.size > _LARGEST:
            raise _too_large(f"{found.folder}/{served}", listed.size)
        if store.has(listed.sha256):
            return served, store.verified(listed.sha256).read_bytes()
    for served, listed in offered:
        for address in _addresses(found, served, listed):
            try:
                data = get_bytes(address, limit=listed.size)
            except NotFoundError:
                continue
            _require_hash(data, listed, address)
            store.put_bytes(data)
            return served, data
    raise FetchError(
        f"{redact(found.root)} lists indices that it does not serve",
        found=f"none of {', '.join(served for served, _ in offered)}",
        hint="the mirror may be in the middle of an update: try again later, or use another",
    )


def _addresses(found: RemoteRelease, served: str, listed: ListedFile) -> Iterable[str]:
    folder, _, _ = f"{found.folder}/{served}".rpartition("/")
    if found.release.by_hash:
        yield f"{folder}/by-hash/SHA256/{listed.sha256}"
    yield f"{found.folder}/{served}"


def _packages(packed: bytes, served: str, found: RemoteRelease, plain: ListedFile | None) -> bytes:
    address = f"{found.folder}/{served}"
    packages = _unpacked(packed, served, address)
    if plain is not None:
        _require_hash(packages, plain, f"{address}, unpacked,")
    return packages


def _unpacked(data: bytes, served: str, address: str) -> bytes:
    """Decompress, up to the maximum size of an index."""
    if not served.endswith((".xz", ".gz")):
        return data
    try:
        raw = BytesIO(data)
        with lzma.open(raw) if served.endswith(".xz") else gzip.open(raw) as stream:
            unpacked = stream.read(_LARGEST + 1)
    except (lzma.LZMAError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise IntegrityError(
            f"{redact(address)} cannot be unpacked", found=str(error), hint="use another mirror"
        ) from None
    if len(unpacked) > _LARGEST:
        raise _too_large(address, None)
    return unpacked


def _require_hash(data: bytes, listed: ListedFile, address: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != listed.sha256 or len(data) != listed.size:
        raise IntegrityError(
            f"{redact(address)} does not have the hash in its release",
            found=f"sha256 {found}, {len(data)} bytes",
            expected=f"sha256 {listed.sha256}, {listed.size} bytes",
            hint="the mirror may be in the middle of an update: try again later; if it persists, "
            "use another mirror",
        )


def _mention_age(found: RemoteRelease, as_of: str, report: Reporter) -> None:
    moment = datetime.fromisoformat(as_of)
    release = found.release
    if release.date > moment:
        report.warn(
            f"{release.source} {found.suite} is taken as of {release.date:%Y-%m-%d %H:%M}, after "
            f"{moment:%Y-%m-%d %H:%M}: no dated archive (`debian-snapshot`) could be reached"
        )
    elif release.valid_until is not None and release.valid_until < moment:
        report.warn(
            f"{release.source} {found.suite} was valid until {release.valid_until:%Y-%m-%d} only: "
            f"{redact(found.root)} may be a mirror that is no longer updated"
        )


def _not_offered(path: str, found: RemoteRelease) -> FetchError:
    release = found.release
    return FetchError(
        f"{redact(found.root)} offers no {path} in {found.suite}",
        found=f"components {' '.join(release.components) or 'none'}; "
        f"architectures {' '.join(release.architectures) or 'none'}",
        hint="correct the components of the package sources, or use an archive for that platform",
    )


def _too_large(address: str, size: int | None) -> IntegrityError:
    return IntegrityError(
        f"{redact(address)} is too large for an index",
        found=f"{size} bytes" if size is not None else None,
        expected=f"at most {_LARGEST} bytes",
        hint="do not use that mirror",
    )
