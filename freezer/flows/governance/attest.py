"""``freeze sign ENV`` and ``freeze verify ENV``: signed provenance, stored next to the lock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from freezer.errors import IntegrityError, SpecError, Where
from freezer.flows.governance.key_files import (
    Password,
    read_bounded,
    read_keys,
    read_signer,
    write_file,
)
from freezer.flows.governance.sbom import make_bare_sbom
from freezer.flows.history.generations import generation as past_generation
from freezer.flows.history.log import environment_name
from freezer.flows.history.recorded import readable_history
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.image.rebuild import rebuilt_before, rebuilt_image
from freezer.flows.project.environment import LOCKS, load_locked
from freezer.governance.attest.bundle import sign_statement, verify_statement
from freezer.governance.attest.provenance import (
    PREDICATE_TYPE,
    Subjects,
    image_name,
    lock_name,
    mismatch,
    provenance,
)
from freezer.governance.attest.statement import parse_statement
from freezer.history.archive import ATTESTATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.governance.attest.keys import PublicKey
    from freezer.governance.attest.statement import Statement
    from freezer.model.lock import Lock

DEFAULT_BUILDER: Final = "urn:freezer-ml:builder:local"
LARGEST: Final = 64 << 20
"""Bytes of a signed statement."""
_MOST: Final = 100
"""Statements about one lock that are read."""


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
    """The statement that counts, or the last one that does not; else where one would be."""
    signers: tuple[PublicKey, ...]
    problem: str | None
    """Why it does not count; None when it does."""
    image: str | None = None
    """ID of the image that it is about; None: it is about the lock alone."""


def attestation_paths(folder: Path, lock_id: str, kind: str = "provenance") -> list[Path]:
    """Return the stored statements about a lock, one for each key that signed; ``folder`` is its.

    Those that earlier versions wrote, as bare envelopes, are among them. ``kind``: also ``check``,
    the results of checks.
    """
    found = sorted((folder / ATTESTATIONS).glob(f"{lock_id[:12]}.{kind}*.json"))
    return [path for path in found if path.is_file()][:_MOST]


def sign_lock(
    project: Project,
    name: str | None,
    key: Path,
    *,
    builder: str | None = None,
    password: Password | None = None,
    generation: int | str | None = None,
) -> Signed:
    """Sign the provenance of an environment's lock and image. Replaces this key's earlier one.

    ``generation``: of an earlier lock. Raises ``SpecError`` for a key that cannot be used; nothing
    is written then.
    """
    signer = read_signer(key, password or Password())
    if generation is None:
        locked = load_current_lock(project, name)
    else:
        locked = _earlier(project, name, generation)
    payload, image, rebuilt = make_provenance(project, locked, builder)
    folder = _folder(project, locked) / ATTESTATIONS
    file = f"{locked.id[:12]}.provenance.{signer.public.fingerprint[:12]}.sigstore.json"
    write_file(folder / file, sign_statement(payload, signer))
    return Signed(locked, folder / file, image, rebuilt)


def make_provenance(
    project: Project,
    locked: Locked,
    builder: str | None = None,
    image: str | None = None,
    revision: str | None = None,
) -> tuple[bytes, str | None, bool | None]:
    """Return a lock's provenance, the ID of its image, and whether a rebuild gave the same.

    ``image``: the ID, by default the one on record. ``revision``: the commit that it is labelled
    with, where that is known. Raises ``SpecError`` for a builder that is no
    URI.
    """
    if builder is not None and (":" not in builder or not builder.isprintable() or " " in builder):
        raise SpecError(
            "the builder is no URI", where=Where("--builder"), found=builder[:200],
            expected="a URI, such as https://ci.example.org/team",
        )  # fmt: skip
    image = image or _image(project, locked.lock.name, locked.id)
    rebuilt = rebuilt_before(project, locked.id)
    if image is not None and image != rebuilt_image(project, locked.id):
        rebuilt = None  # that was about another image, such as one without a revision's label
    subjects = Subjects(
        locked.lock.name, locked.id, image.removeprefix("sha256:") if image else None
    )
    sbom = make_bare_sbom(locked).sbom
    payload = provenance(
        locked.lock,
        sbom,
        subjects,
        builder=builder or DEFAULT_BUILDER,
        rebuilt=rebuilt,
        revision=revision,
    )
    return payload, image, rebuilt


def verify_lock(
    project: Project,
    name: str | None,
    keys: Sequence[Path],
    file: Path | None = None,
    *,
    at: datetime | None = None,
    generation: int | str | None = None,
) -> AttestationVerified:
    """Verify the statements about an environment's lock, or one in a file, by public keys.

    One good statement is enough. ``at``: when certificates must be valid, by default now.
    ``generation``: of an earlier lock. Raises ``SpecError`` for a key, ``IntegrityError`` for a
    file that is no statement.
    """
    if generation is None:
        locked = load_locked(project.root, name)
    else:
        locked = _earlier(project, name, generation)
    loaded, folder = read_keys(keys), _folder(project, locked)
    paths = [file] if file is not None else attestation_paths(folder, locked.id)
    if not paths:
        return AttestationVerified(locked, folder / ATTESTATIONS, (), "this lock is not signed")
    image = _image(project, locked.lock.name, locked.id)
    best, path = verify_any(locked.lock, locked.id, image, loaded, paths, at)
    return AttestationVerified(
        locked, path, () if best.problem else best.signers, best.problem, best.image
    )


@dataclass(frozen=True)
class FileVerified:
    """What one statement comes to."""

    signers: tuple[PublicKey, ...]
    problem: str | None
    image: str | None = None


def verify_any(
    lock: Lock,
    lock_id: str,
    image: str | None,
    keys: Sequence[PublicKey],
    paths: Sequence[Path],
    at: datetime | None = None,
) -> tuple[FileVerified, Path]:
    """Verify stored statements, of which one good one is enough; return what they come to.

    A file that is no statement does not hide a good one. Raises ``IntegrityError`` where there is
    such a file and no good one.
    """
    found, broken = [], None
    for path in paths:
        try:
            found.append((verify_file(lock, lock_id, image, keys, path, at), path))
        except IntegrityError as error:
            broken = broken or error
    good = [(one, path) for one, path in found if one.problem is None]
    if good:
        signers = {key.fingerprint: key for one, _ in good for key in one.signers}
        return replace(good[0][0], signers=tuple(signers.values())), good[0][1]
    if broken is not None:
        raise broken
    # Of those that do not count, the one that a given key signed says most.
    return max(found, key=lambda pair: len(pair[0].signers))


def verify_file(
    lock: Lock,
    lock_id: str,
    image: str | None,
    keys: Sequence[PublicKey],
    path: Path,
    at: datetime | None = None,
) -> FileVerified:
    """Verify a stored statement as provenance of a lock; ``image`` is the ID on record.

    Raises ``IntegrityError`` for a file that is no statement.
    """
    payload, signers = verify_statement(read_bounded(path, LARGEST), keys, str(path))
    if not signers:
        return FileVerified((), "none of the given keys signed it")
    if lapse := lapse_of(signers, at):
        return FileVerified(signers, lapse)
    stated = parse_statement(payload, str(path))
    named = stated.digest_of(image_name(lock.name))
    return FileVerified(
        tuple(key for key in signers if lapse_of([key], at) is None),
        _mismatch(lock, lock_id, image, stated),
        f"sha256:{named}" if named else None,
    )


def lapse_of(signers: Sequence[PublicKey], at: datetime | None) -> str | None:
    """Return why no signer counts at a time, now by default; None where one does."""
    moment = at or datetime.now(UTC)
    lapses = [key.lapse(moment) for key in signers]
    return None if None in lapses else next((one for one in lapses if one), None)


def signers_of(project: Project, locked: Locked, keys: Sequence[str]) -> tuple[str, ...]:
    """Return the fingerprints of those keys, relative to the project, that signed a lock."""
    if not attestation_paths(locked.folder, locked.id):
        return ()
    done = verify_lock(project, locked.lock.name, [project.root / key for key in keys])
    return () if done.problem else tuple(key.fingerprint for key in done.signers)


def _mismatch(lock: Lock, lock_id: str, image: str | None, stated: Statement) -> str | None:
    if stated.predicate_type != PREDICATE_TYPE:
        return f"it is no provenance, but {stated.predicate_type[:200]}"
    found = stated.digest_of(lock_name(lock.name))
    if found is None:
        others = ", ".join(one.name for one in stated.subjects if one.name)[:200] or "no name"
        return f"it is about another environment: {others}"
    if found != lock_id:
        return "it is about another lock"
    named = stated.digest_of(image_name(lock.name))
    if image is not None and named is not None and named != image.removeprefix("sha256:"):
        return "it is about another image than the history records"
    return mismatch(lock, stated)


def _earlier(project: Project, name: str | None, number: int | str) -> Locked:
    """Return the lock of a generation, verified. Raises ``HistoryError``."""
    return past_generation(project, environment_name(project, name), number)


def _folder(project: Project, locked: Locked) -> Path:
    """Return the folder of an environment's current lock; earlier ones are in its history."""
    return project.root / LOCKS / locked.lock.name


def _image(project: Project, name: str, lock_id: str) -> str | None:
    """Return the ID of a lock's image as its history has it; None where none is on record."""
    found = readable_history(project, name).images(lock_id)
    return next(iter(found)) if len(found) == 1 else None
