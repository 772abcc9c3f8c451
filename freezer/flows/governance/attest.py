"""``freeze sign`` and ``freeze verify``: signed provenance, stored next to the lock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError, IntegrityError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.flows.governance.sbom import make_sbom
from freezer.flows.history.recorded import readable_history
from freezer.flows.image.rebuild import rebuilt_before
from freezer.flows.project.environment import load_locked
from freezer.governance.attest.envelope import public_key, sign, verify
from freezer.governance.attest.provenance import Subjects, provenance, subjects_of
from freezer.history.archive import ATTESTATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.governance.attest.envelope import PublicKey

PASSWORD: Final = "FREEZER_KEY_PASSWORD"  # noqa: S105 - the variable's name
DEFAULT_BUILDER: Final = "urn:freezer-ml:builder:local"
_LARGEST: Final = 64 << 20
"""Bytes of an envelope."""
_LARGEST_KEY: Final = 1 << 20


@dataclass(frozen=True)
class Signed:
    """A statement that was signed."""

    locked: Locked
    path: Path
    image: str | None
    """ID of the image that it is about, as the history has it; None: the lock alone."""
    rebuilt: bool | None


@dataclass(frozen=True)
class AttestationVerified:
    """Whether a statement is signed, and about this lock."""

    locked: Locked
    path: Path
    signers: tuple[PublicKey, ...]
    problem: str | None
    """Why it does not count; None when it does."""


def attestation_path(locked: Locked) -> Path:
    """Return where the provenance of a lock is stored, existing or not."""
    return locked.folder / ATTESTATIONS / f"{locked.id[:12]}.provenance.json"


def sign_lock(
    project: Project, name: str | None, key: Path, *, builder: str | None = None
) -> Signed:
    """Sign the provenance of an environment's lock and image. Replaces an earlier statement.

    Raises ``SpecError`` for a key that cannot be used; nothing is written then.
    """
    data = _read(key, _LARGEST_KEY)
    made = make_sbom(project, name)
    locked = made.locked
    image = _image(project, locked)
    rebuilt = rebuilt_before(project, locked.id)
    subjects = Subjects(
        locked.lock.name, locked.id, image.removeprefix("sha256:") if image else None
    )
    payload = provenance(
        made.sbom,
        subjects,
        builder=builder or DEFAULT_BUILDER,
        parameters={
            "environment": locked.lock.name,
            "as-of": locked.lock.as_of,
            "platform": locked.lock.platform,
        },
        rebuilt=rebuilt,
    )
    password = os.environ.get(PASSWORD, "").encode()
    envelope = sign(payload, data, str(key), password or None)
    path = attestation_path(locked)
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, envelope)
    return Signed(locked, path, image, rebuilt)


def verify_lock(
    project: Project, name: str | None, keys: Sequence[Path], file: Path | None = None
) -> AttestationVerified:
    """Verify the statement of an environment's lock, or one in a file, by public keys.

    Raises ``SpecError`` for a key, ``IntegrityError`` for a file that is no statement.
    """
    locked = load_locked(project.root, name)
    loaded = [public_key(_read(key, _LARGEST_KEY), str(key)) for key in keys]
    path = file or attestation_path(locked)
    if not path.is_file() and file is None:
        return AttestationVerified(locked, path, (), "this lock is not signed")
    payload, signers = verify(_read(path, _LARGEST), loaded, str(path))
    if not signers:
        return AttestationVerified(locked, path, (), "none of the given keys signed it")
    return AttestationVerified(locked, path, signers, _mismatch(project, locked, payload, path))


def signers_of(project: Project, locked: Locked, keys: Sequence[str]) -> tuple[str, ...]:
    """Return the fingerprints of those keys, relative to the project, that signed a lock."""
    if not attestation_path(locked).is_file():
        return ()
    done = verify_lock(project, locked.lock.name, [project.root / key for key in keys])
    return () if done.problem else tuple(key.fingerprint for key in done.signers)


def _mismatch(project: Project, locked: Locked, payload: bytes, path: Path) -> str | None:
    try:
        subjects = subjects_of(payload)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(
            "the signed text is no statement", where=Where(str(path)), found=str(error)[:200]
        ) from None
    if subjects.get(f"{locked.lock.name} lock") != locked.id:
        return "it is about another lock"
    image = _image(project, locked)
    stated = subjects.get(f"{locked.lock.name} image")
    if image is not None and stated is not None and stated != image.removeprefix("sha256:"):
        return "it is about another image than the history records"
    return None


def _image(project: Project, locked: Locked) -> str | None:
    """Return the ID of a lock's image as its history has it; None where none is on record."""
    found = readable_history(project, locked.lock.name).images(locked.id)
    return next(iter(found)) if len(found) == 1 else None


def _read(path: Path, largest: int) -> bytes:
    try:
        if path.stat().st_size > largest:
            raise HostError("this file is too large", where=Where(str(path)))
        return path.read_bytes()
    except OSError as error:
        raise HostError(
            "this file cannot be read", where=Where(str(path)), found=error.strerror
        ) from None
