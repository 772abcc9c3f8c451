"""``freeze sign IMAGE`` and ``freeze verify IMAGE``: signatures in an image's registry.

They have the form that cosign writes and reads: a Sigstore bundle as an OCI artifact of the image.
Neither needs a project or an engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import FreezerError, SpecError
from freezer.fetch.registry import manifest as documents
from freezer.fetch.registry.manifest import ACCEPTED
from freezer.fetch.registry.push import Destination
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.referrers import attached
from freezer.fetch.registry.repository import Repository
from freezer.flows.attest.documents import MOST, bundle_document, read_document, send_document
from freezer.flows.attest.push import describe_image
from freezer.flows.governance.attest import lapse_of
from freezer.flows.governance.key_files import read_keys, read_signer
from freezer.governance.attest.bundle import MEDIA, sign_statement, verify_statement
from freezer.governance.attest.provenance import PREDICATE_TYPE as PROVENANCE
from freezer.governance.attest.statement import IMAGE_SIGNATURE, image_signature, parse_statement
from freezer.governance.attest.summary import summary_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from freezer.fetch.registry.referrers import Attached
    from freezer.flows.governance.key_files import Password
    from freezer.flows.project.project import Project
    from freezer.governance.attest.keys import PublicKey

HINT: Final = "name it as `freeze push` printed it: registry.example.org/team/name@sha256:…"
_ENOUGH: Final = (IMAGE_SIGNATURE, PROVENANCE)
"""Types that count as a signature of an image; a signed check may say that its results drifted."""


@dataclass(frozen=True)
class ImageSigned:
    """A signature in a registry."""

    name: str
    """``registry/repository@sha256:…``"""
    fingerprint: str
    """Of the key."""
    fresh: bool
    """False when this key had signed the image before."""


@dataclass(frozen=True)
class ImageStatement:
    """A signed statement that is attached to an image."""

    artifact: str
    """Digest of the artifact's manifest."""
    predicate_type: str
    """What kind of statement it is; empty where it cannot be read."""
    signers: tuple[PublicKey, ...]
    problem: str | None
    """Why it does not count; None when one of the given keys signed it, about this image."""
    summary: str
    """What it says, in a line; of one that does not count, only what it claims to say."""


@dataclass(frozen=True)
class ImageVerified:
    """What the statements about an image come to."""

    name: str
    statements: tuple[ImageStatement, ...]

    @property
    def valid(self) -> tuple[ImageStatement, ...]:
        """The statements that count."""
        return tuple(one for one in self.statements if one.problem is None)

    @property
    def good(self) -> bool:
        """Whether a given key signed the image itself, or its provenance."""
        return any(one.predicate_type in _ENOUGH for one in self.valid)

    @property
    def signers(self) -> tuple[PublicKey, ...]:
        """The given keys that did."""
        found = {
            key.fingerprint: key
            for one in self.valid
            if one.predicate_type in _ENOUGH
            for key in one.signers
        }
        return tuple(found.values())


def sign_image(project: Project, reference: str, key: Path, password: Password) -> ImageSigned:
    """Sign an image in a registry; nothing is sent where this key did before.

    Raises ``SpecError`` for a name without a digest, or a key that cannot sign, and what the
    registry raises.
    """
    repository = _repository(project, reference, writes=True)
    signer = read_signer(key, password)
    public = signer.public
    subject = describe_image(repository)
    there = attached(repository, subject["digest"], None)
    before = _verified(repository, there, [public], None)
    fresh = not any(one.problem is None and one.predicate_type == IMAGE_SIGNATURE for one in before)
    if fresh:
        data = sign_statement(image_signature(subject["digest"][7:]), signer)
        document = bundle_document(data, IMAGE_SIGNATURE)
        send_document(repository, Destination(repository), subject, document, there)
    return ImageSigned(_name(repository), public.fingerprint, fresh)


def verify_image(
    project: Project, reference: str, keys: Sequence[Path], *, at: datetime | None = None
) -> ImageVerified:
    """Verify the statements that are attached to an image in a registry, by public keys.

    Every document is verified by its digest, and must be about this manifest, or about the image
    whose ID the manifest has. ``at``: when certificates must be valid, by default now. Raises
    ``SpecError`` for a name without a digest or a key, and what the registry raises.
    """
    loaded = read_keys(keys)
    repository = _repository(project, reference)
    describe_image(repository)
    there = attached(repository, str(repository.name.digest), None)
    bundles = [one for one in there if one.kind == MEDIA]
    if len(bundles) > MOST:
        project.report.warn(f"the image has {len(bundles)} statements; {MOST} of them are read")
    return ImageVerified(_name(repository), _verified(repository, there, loaded, at))


def _repository(project: Project, reference: str, *, writes: bool = False) -> Repository:
    target = parse_reference(reference, HINT)
    if target.digest is None:
        raise SpecError(f"{reference} names no digest, and a tag may move", hint=HINT)
    return Repository(target, project.config, writes=writes)


def _name(repository: Repository) -> str:
    name = repository.name
    return f"{name.registry}/{name.repository}@{name.digest}"


def _verified(
    repository: Repository,
    there: Sequence[Attached],
    keys: Sequence[PublicKey],
    at: datetime | None,
) -> tuple[ImageStatement, ...]:
    bundles = sorted(
        (one for one in there if one.kind == MEDIA), key=lambda one: one.manifest.digest
    )
    about = _digests(repository) if bundles else frozenset()
    return tuple(_statement(repository, one, keys, about, at) for one in bundles[:MOST])


def _statement(
    repository: Repository,
    one: Attached,
    keys: Sequence[PublicKey],
    about: frozenset[str],
    at: datetime | None,
) -> ImageStatement:
    """Verify one statement; what is none is a problem of its own, and hides no other."""
    digest = one.manifest.digest
    try:
        document = read_document(repository, one, str(repository.name.digest))
        shown = f"{repository.name.repository}: {document.name}"
        payload, signers = verify_statement(document.data, keys, shown)
        stated = parse_statement(payload, shown)
    except FreezerError as error:
        found = f" ({error.found})" if error.found else ""
        return ImageStatement(digest, "", (), f"{error.what}{found}", "an unreadable document")
    problem: str | None
    if not signers:
        problem = "none of the given keys signed it"
    elif not any(stated.is_about(sha256) for sha256 in about):
        problem = "it is about another image"
    else:
        problem = lapse_of(signers, at)
    valid = tuple(key for key in signers if lapse_of([key], at) is None)
    return ImageStatement(
        digest,
        stated.predicate_type,
        valid if problem is None else (),
        problem,
        summary_of(stated),
    )


def _digests(repository: Repository) -> frozenset[str]:
    """Return the SHA-256 of what a statement about an image may name: its manifest, its ID."""
    digest, name = str(repository.name.digest), _name(repository)
    data = repository.read(f"manifests/{digest}", name, ", ".join(ACCEPTED))
    documents.require_digest(name, data, digest)
    document = documents.read(name, data)
    found = {digest[7:]}
    if not documents.is_index(document):
        found.add(documents.descriptor(name, document.get("config")).digest[7:])
    return frozenset(found)
