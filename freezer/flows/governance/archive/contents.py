"""What a version of an archived environment holds, file by file."""

from __future__ import annotations

import hashlib
import io
from typing import IO, TYPE_CHECKING, Final

from freezer import __version__
from freezer.errors import HostError, Where
from freezer.fetch.archive_storage.interface import Source
from freezer.flows.governance.attest import make_provenance
from freezer.flows.governance.sbom import sbom_text
from freezer.flows.image.bundle import needed_blobs
from freezer.flows.project.environment import IMAGES, SPEC_FILE, load_environment
from freezer.governance.archive.crate import CRATE_FILE, CrateFile, archive_crate
from freezer.governance.archive.manifest import MANIFEST, SIGNATURE, Manifest, manifest_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from freezer.flows.governance.sbom import SbomMade
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project

LOCK: Final = "lock"
SPEC: Final = "spec"
BLOBS: Final = "blobs/sha256"
REPORTS: Final = "reports"


def gather(project: Project, made: SbomMade, reports: Sequence[Path]) -> dict[str, Source]:
    """Return the files of an environment, without runs, manifest and crate.

    Raises ``HostError`` for a report that cannot be read.
    """
    locked = made.locked
    files = {**_folders(project, locked), **_blobs(project, locked), **_reports(reports)}
    for form, file in (("cyclonedx", "sbom.cdx.json"), ("spdx", "sbom.spdx.json")):
        files[file] = bytes_source(sbom_text(project, made.sbom, form).encode())  # type: ignore[arg-type]
    files["provenance.json"] = bytes_source(make_provenance(project, made.locked)[0])
    return files


def describe(
    made: SbomMade,
    files: dict[str, Source],
    kept: Mapping[str, str],
    sizes: Mapping[str, int],
    runs: Mapping[str, str | None],
    sign: Callable[[bytes], bytes] | None,
) -> None:
    """Add the crate's metadata, the manifest and its signature to the files of a version.

    ``kept`` are files of an earlier version (path to SHA-256), ``sizes`` the bytes of each by its
    SHA-256, ``runs`` the ID of each run to that of its lock.
    """
    lock, names = made.locked.lock, {part.sha256: part.ref for part in made.sbom.parts}
    described = {
        path: CrateFile(sha256, sizes.get(sha256)) for path, sha256 in kept.items()
    } | {
        path: CrateFile(one.sha256, one.size, names.get(one.sha256)) for path, one in files.items()
    }  # fmt: skip
    crate = archive_crate(lock.name, made.locked.id, lock.as_of, described, __version__)
    files[CRATE_FILE] = bytes_source(crate)
    state = {**kept, **{path: one.sha256 for path, one in files.items()}}
    data = manifest_bytes(Manifest(lock.name, made.locked.id, runs, state))
    files[MANIFEST] = bytes_source(data)
    if sign is not None:
        files[SIGNATURE] = bytes_source(sign(data))


def bytes_source(data: bytes) -> Source:
    """Return some bytes as a file to be archived."""
    return Source(hashlib.sha256(data).hexdigest(), len(data), lambda: io.BytesIO(data))


def file_source(path: Path) -> Source:
    """Return a file to be archived. Raises ``OSError``."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Source(digest, path.stat().st_size, opener(path))


def opener(path: Path) -> Callable[[], IO[bytes]]:
    """Return what opens a file."""
    return lambda: path.open("rb")


def _folders(project: Project, locked: Locked) -> dict[str, Source]:
    """Return the files next to the lock, and those of the spec's folder."""
    found = {}
    name = locked.lock.name
    for kind, folder in ((LOCK, locked.folder), (SPEC, project.root / IMAGES / name)):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
                found[f"{kind}/{path.relative_to(folder).as_posix()}"] = file_source(path)
    if f"{SPEC}/{SPEC_FILE}" not in found and (project.root / SPEC_FILE).is_file():
        # A project of one environment: its spec is at the top, among files of other purposes.
        spec = load_environment(project.root, name).spec
        for file in (SPEC_FILE, *spec.pip.files, *([spec.conda.file] if spec.conda else [])):
            if file is not None and (project.root / file).is_file():
                found[f"{SPEC}/{file}"] = file_source(project.root / file)
    return found


def _blobs(project: Project, locked: Locked) -> dict[str, Source]:
    found = {}
    for sha256 in sorted({*needed_blobs(locked.lock), locked.lock.inside.sha256}):
        path = project.store.verified(sha256)
        found[f"{BLOBS}/{sha256}"] = Source(sha256, path.stat().st_size, opener(path))
    return found


def _reports(paths: Sequence[Path]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for path in paths:
        name = f"{REPORTS}/{path.name}"
        if name in found or not path.name.isprintable() or "\\" in path.name:
            raise HostError(
                "this report's name cannot be used", where=Where(str(path)),
                hint="give each report a name of its own",
            )  # fmt: skip
        try:
            found[name] = file_source(path)
        except OSError as error:
            raise HostError(
                "this report cannot be read", where=Where(str(path)), found=error.strerror
            ) from None
    return found
