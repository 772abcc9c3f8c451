"""``freeze archive create``: an environment, and named runs of it, as a new version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from freezer.fetch.archive_storage.location import open_storage
from freezer.flows.governance.archive.contents import REPORTS, describe, gather
from freezer.flows.governance.archive.runs import RUNS, collect_runs
from freezer.flows.governance.archive.versions import manifest_of, signature_problem
from freezer.flows.governance.key_files import Password, read_signer
from freezer.flows.governance.sbom import make_sbom
from freezer.flows.history.recorded import ensure_references
from freezer.flows.image.fetch import fetch_lock
from freezer.flows.project.image_runtime import require_runtime
from freezer.governance.archive.manifest import SIGNATURE
from freezer.governance.archive.ocfl import (
    Written,
    add_version,
    current_objects,
    open_root,
    read_object,
)
from freezer.image.base import ensure_base, keep_base

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freezer.fetch.archive_storage.interface import Source, Storage
    from freezer.flows.governance.sbom import SbomMade
    from freezer.flows.project.project import Project
    from freezer.governance.archive.inventory import Inventory
    from freezer.governance.attest.keys import Signer


@dataclass(frozen=True)
class Archived:
    """A version of an environment in an archive."""

    environment: str
    lock_id: str
    archive: str
    written: Written
    runs: tuple[str, ...]
    """IDs of the runs that the version holds."""
    signed: bool


def create_archive(
    project: Project,
    name: str | None,
    to: str,
    *,
    key: Path | None = None,
    password: Password | None = None,
    runs: Sequence[str] = (),
    reports: Sequence[Path] = (),
) -> Archived:
    """Add the current state of an environment to an archive: lock, history, spec, every file.

    Runs and reports of the newest version stay. Raises what fetching raises, ``SpecError`` for a
    key, ``HostError`` for a place that is no archive, ``LedgerError`` for runs.
    """
    storage = open_storage(to, project.config)
    signer = None if key is None else read_signer(key, password or Password())
    made = _complete(project, name)
    lock = made.locked.lock
    with storage.exclusive():
        open_root(storage, make=True)
        target = current_objects(storage).get(lock.name, lock.name)
        old = read_object(storage, target)
        files = gather(project, made, reports)
        chosen = collect_runs(project, runs, lock.name)
        files |= chosen.files
        kept, known = _kept(storage, target, old, files)
        held = {**known, **chosen.locks}
        sign = None if signer is None else partial(_sign, signer)
        describe(made, files, kept, _sizes(storage, target, old, kept), held, sign)
        _keep_signature(storage, old, files, kept, signer)
        written = _write(project, storage, target, made, files, kept)
    _warn_of_locks(project, storage, target, made, held)
    signed = SIGNATURE in files or SIGNATURE in kept
    return Archived(lock.name, made.locked.id, storage.address, written, tuple(held), signed)


def _complete(project: Project, name: str | None) -> SbomMade:
    """Fetch whatever the lock's image is made of, and return its bill of materials."""
    made = make_sbom(project, name)
    lock, store = made.locked.lock, project.store
    require_runtime(project, lock)
    fetch_lock(project, lock)
    if lock.base.kind == "registry":
        reference = ensure_base(lock, engine=project.engine(), store=store, report=project.report)
        keep_base(lock.base, reference, engine=project.engine(), store=store)
    ensure_references(project, made.locked)
    return make_sbom(project, name) if made.unread else made


def _write(
    project: Project, storage: Storage, target: str, made: SbomMade,
    files: Mapping[str, Source], kept: Mapping[str, str],
) -> Written:  # fmt: skip
    total = sum(source.size for source in files.values())
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with project.report.task("Archiving", total=total, unit="bytes") as task:
        return add_version(
            storage, target, files, created=now, message=f"lock {made.locked.id}", kept=kept,
            advance=task.advance,
        )  # fmt: skip


def _kept(
    storage: Storage, name: str, old: Inventory | None, files: Mapping[str, Source]
) -> tuple[dict[str, str], dict[str, str | None]]:
    """Return the newest version's reports and files of runs, and its runs with their locks."""
    if old is None:
        return {}, {}
    state = old.versions[-1].state
    manifest = manifest_of(storage, name, old, len(old.versions))
    runs = dict(manifest.runs) if manifest is not None else {}
    kept = {
        path: sha256
        for path, sha256 in state.items()
        if path not in files and (_run_of(path) in runs or path.startswith(f"{REPORTS}/"))
    }
    return kept, runs


def _run_of(path: str) -> str | None:
    kind, _, rest = path.partition("/")
    return rest.partition("/")[0] if kind == RUNS else None


def _sizes(
    storage: Storage, name: str, old: Inventory | None, kept: Mapping[str, str]
) -> dict[str, int]:
    if old is None or not kept:
        return {}
    stored = storage.files(name)
    found = {sha256: stored.get(old.manifest[sha256]) for sha256 in kept.values()}
    return {sha256: one.size for sha256, one in found.items() if one is not None}


def _keep_signature(
    storage: Storage, old: Inventory | None, files: dict[str, Source], kept: dict[str, str],
    signer: Signer | None,
) -> None:  # fmt: skip
    """Keep the newest version's signature if nothing else changed: ECDSA's differ each time."""
    if old is None:
        return
    state = dict(old.versions[-1].state)
    signature = state.pop(SIGNATURE, None)
    now = {**kept, **{path: one.sha256 for path, one in files.items() if path != SIGNATURE}}
    if signature is None or state != now:
        return
    number = len(old.versions)
    if signer is None or signature_problem(storage, old, number, [signer.public]) is None:
        files.pop(SIGNATURE, None)
        kept[SIGNATURE] = signature


def _warn_of_locks(
    project: Project, storage: Storage, name: str, made: SbomMade, runs: Mapping[str, str | None]
) -> None:
    """Warn of runs whose own lock no version of the archive has."""
    inventory = read_object(storage, name)
    versions = inventory.versions if inventory is not None else ()
    known = {one.message.removeprefix("lock ") for one in versions} | {made.locked.id}
    for run, lock_id in runs.items():
        if lock_id is not None and lock_id not in known:
            project.report.warn(
                f"run {run} was made with lock {lock_id[:12]}, which this archive does not have: "
                "check that generation out, and archive it as well"
            )


def _sign(signer: Signer, payload: bytes) -> bytes:
    from freezer.governance.attest.bundle import sign_statement

    return sign_statement(payload, signer)
