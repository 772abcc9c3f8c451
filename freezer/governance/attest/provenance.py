"""SLSA v1 provenance of a lock's image, as an in-toto statement.

Forms: https://in-toto.io/Statement/v1 and https://slsa.dev/spec/v1.0/provenance. There is no time
in it: the same lock and the same outcome give the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from freezer.governance.sbom.model import Part, Sbom

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:freezer-ml:build:v1"
"""Names what the parameters mean; it is an identifier, and nothing is fetched from it."""


@dataclass(frozen=True)
class Subjects:
    """What a statement is about, by digest (64 hexadecimal digits)."""

    environment: str
    lock_id: str
    image: str | None
    """The image's ID, where it is known."""


def provenance(
    sbom: Sbom,
    subjects: Subjects,
    *,
    builder: str,
    parameters: dict[str, Any],
    rebuilt: bool | None,
) -> bytes:
    """Return the statement's bytes.

    ``builder`` names who built, such as a CI system's URL. ``rebuilt``: whether a rebuild from
    nothing gave the same image ID; None where there was none.
    """
    subject = [{"name": f"{subjects.environment} lock", "digest": {"sha256": subjects.lock_id}}]
    if subjects.image is not None:
        subject.append(
            {"name": f"{subjects.environment} image", "digest": {"sha256": subjects.image}}
        )
    document = {
        "_type": STATEMENT_TYPE,
        "subject": subject,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"lock-id": subjects.lock_id, **parameters},
                "internalParameters": {"network": "none"},
                "resolvedDependencies": [_material(part) for part in sbom.parts if part.sha256],
            },
            "runDetails": {
                "builder": {"id": builder, "version": {"freezer": sbom.version}},
                "byproducts": [{"name": "rebuild", "annotations": {"same-image": rebuilt}}],
            },
        },
    }
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def subjects_of(payload: bytes) -> dict[str, str]:
    """Return name to SHA-256 of what a statement is about.

    Raises ``ValueError`` for what is no in-toto statement.
    """
    document = json.loads(payload)
    if not isinstance(document, dict) or document.get("_type") != STATEMENT_TYPE:
        msg = f"not an in-toto statement of type {STATEMENT_TYPE}"
        raise ValueError(msg)
    found: dict[str, str] = {}
    listed = document.get("subject")
    for one in listed if isinstance(listed, list) else []:
        digest = one.get("digest") if isinstance(one, dict) else None
        value = digest.get("sha256") if isinstance(digest, dict) else None
        if isinstance(value, str):
            found[str(one.get("name"))] = value
    if not found:
        msg = "the statement is about nothing"
        raise ValueError(msg)
    return found


def _material(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {"name": part.ref, "digest": {"sha256": part.sha256}}
    if part.purl:
        found["uri"] = part.purl
    return found
