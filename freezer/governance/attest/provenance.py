"""SLSA v1 provenance of a lock's image, as an in-toto statement.

Form: https://slsa.dev/spec/v1.0/provenance. There is no time in it: the same lock and the same
outcome give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.ecosystems import lock_artifacts
from freezer.governance.attest.statement import Subject, statement
from freezer.governance.sbom.purl import image_purl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.governance.attest.statement import Statement
    from freezer.governance.sbom.model import Sbom
    from freezer.model.lock import Lock

PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:freezer-ml:build:v1"
"""Names what the parameters mean; it is an identifier, and nothing is fetched from it."""
REBUILT: Final = "freezer_rebuiltSameImage"
"""An extension field, named as SLSA asks: a vendor, an underscore, a name."""


@dataclass(frozen=True)
class Subjects:
    """What a statement is about, by digest (64 hexadecimal digits)."""

    environment: str
    lock_id: str
    image: str | None
    """The image's ID, where it is known."""

    def listed(self) -> list[Subject]:
        """Return them as a statement has them."""
        found = [Subject(lock_name(self.environment), self.lock_id)]
        if self.image is not None:
            found.append(Subject(image_name(self.environment), self.image))
        return found


def lock_name(environment: str) -> str:
    """Return the name of the subject that is an environment's lock."""
    return f"{environment} lock"


def image_name(environment: str) -> str:
    """Return the name of the subject that is an environment's image; its digest is the ID."""
    return f"{environment} image"


def provenance(
    lock: Lock,
    sbom: Sbom,
    subjects: Subjects,
    *,
    builder: str,
    rebuilt: bool | None,
    revision: str | None = None,
) -> bytes:
    """Return the statement's bytes.

    ``builder`` names who built, such as a CI system's URL. ``rebuilt``: whether a rebuild from
    nothing gave the same image ID; None where there was none. ``revision``: the source commit with
    which the image is labelled, if any.
    """
    run: dict[str, Any] = {"builder": {"id": builder, "version": {"freezer": sbom.version}}}
    if rebuilt is not None:
        run["metadata"] = {REBUILT: rebuilt}
    definition = {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "as-of": lock.as_of,
            "environment": subjects.environment,
            "lock-id": subjects.lock_id,
            "platform": lock.platform,
            **({"revision": revision} if revision else {}),
        },
        "internalParameters": {"network": "none"},
        "resolvedDependencies": list(_materials(lock, sbom)),
    }
    return statement(
        subjects.listed(), PREDICATE_TYPE, {"buildDefinition": definition, "runDetails": run}
    )


def mismatch(lock: Lock, stated: Statement) -> str | None:
    """Return in which way a provenance's materials are not those of a lock; None: they are."""
    definition = stated.predicate.get("buildDefinition")
    listed = definition.get("resolvedDependencies") if isinstance(definition, dict) else None
    found = {_sha256(one) for one in listed} if isinstance(listed, list) else set()
    packages = {one.sha256 for one in lock_artifacts(lock)}
    if missing := len(packages - found):
        return f"its materials lack {missing} of {len(packages)} files of the lock"
    strange = found - packages - {sha256 for _, sha256, _ in _others(lock)}
    if strange:
        return f"its materials include {len(strange)} files that the lock does not have"
    return None


def rebuilt_of(stated: Statement) -> bool | None:
    """Return whether a provenance says that a rebuild gave the same image; None: not stated."""
    run = stated.predicate.get("runDetails")
    metadata = run.get("metadata") if isinstance(run, dict) else None
    found = metadata.get(REBUILT) if isinstance(metadata, dict) else None
    return found if isinstance(found, bool) else None


def _sha256(entry: Any) -> str:
    digest = entry.get("digest") if isinstance(entry, dict) else None
    return str(digest.get("sha256")) if isinstance(digest, dict) else ""


def _materials(lock: Lock, sbom: Sbom) -> Iterator[Mapping[str, Any]]:
    for part in sbom.parts:
        if part.sha256:
            found: dict[str, Any] = {"name": part.ref, "digest": {"sha256": part.sha256}}
            yield {**found, "uri": part.purl} if part.purl else found
    for name, sha256, uri in _others(lock):
        more = {"uri": uri} if uri else {}
        yield {"name": name, "digest": {"sha256": sha256}, **more}


def _others(lock: Lock) -> Iterator[tuple[str, str, str | None]]:
    """Yield name, SHA-256 and URI of what a build needs besides packages."""
    base = lock.base
    if base.kind == "registry":
        manifest = base.manifest.removeprefix("sha256:")
        yield f"base-image:{base.reference}", manifest, image_purl(base)
    yield "runtime:freezer_inside", lock.inside.sha256, None
    for file in lock.own_files:
        yield f"file:{file.path}", file.sha256, None
