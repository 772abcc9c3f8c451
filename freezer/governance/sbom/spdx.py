"""A bill of materials as SPDX 2.3 JSON (https://spdx.github.io/spdx-spec/v2.3/).

Written as plain JSON: the library for it takes 0.4 s to import and needs an RDF engine. It
validates what is written here, in the tests.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any, Final

from freezer.governance.licenses.expression import reference

if TYPE_CHECKING:
    from freezer.governance.sbom.model import Part, Sbom

_PURPOSE: Final = {
    "container": "CONTAINER",
    "operating-system": "OPERATING-SYSTEM",
    "library": "LIBRARY",
    "data": "DATA",
    "machine-learning-model": "OTHER",
}
_NAMESPACE: Final = uuid.UUID("0f8ad5b8-9a4b-5b0f-8c53-0d2f6c1f5d21")
_NONE: Final = "NOASSERTION"


def spdx_json(sbom: Sbom) -> str:
    """Return the document; the same bill gives the same bytes."""
    unique = uuid.uuid5(_NAMESPACE, f"{sbom.lock_id} {sbom.version}")
    parts = (sbom.root, *sbom.parts)
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{sbom.name}-{sbom.lock_id[:12]}",
        "documentNamespace": f"urn:uuid:{unique}",
        "creationInfo": {
            "created": sbom.created,
            "creators": [f"Tool: freezer-{sbom.version}"],
            "comment": "The time is the lock's cut-off: the same lock gives the same document.",
        },
        "packages": [_package(part) for part in parts],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", _id(sbom.root)),
            *(relation for part in parts for relation in _relations(part, sbom)),
        ],
    }
    names = sorted({name for part in parts for name in part.licenses.unmapped})
    if names:
        document["hasExtractedLicensingInfos"] = [
            {
                "licenseId": reference(name),
                "name": name,
                "extractedText": f"Declared by the package as: {name}",
            }
            for name in {reference(name): name for name in names}.values()
        ]
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _id(part: Part) -> str:
    return _spdx_id(part.ref)


def _spdx_id(ref: str) -> str:
    """Return a reference in the characters that SPDX allows; others by their code."""
    plain = re.sub(r"[^A-Za-z0-9.]", lambda found: _code(found[0]), ref)
    return f"SPDXRef-{plain}"


def _code(character: str) -> str:
    return {":": "-", "-": "--"}.get(character, f"-x{ord(character):x}-")


def _package(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {
        "SPDXID": _id(part),
        "name": part.name,
        "versionInfo": part.version,
        "primaryPackagePurpose": _PURPOSE[part.kind],
        "downloadLocation": _NONE,
        "filesAnalyzed": False,
        "licenseConcluded": _NONE,
        "licenseDeclared": part.licenses.whole or _NONE,
        "copyrightText": _NONE,
        "supplier": _NONE,
    }
    if part.address is not None:
        found["downloadLocation"] = part.address
    if part.file is not None:
        found["packageFileName"] = part.file
    if part.sha256 is not None:
        found["checksums"] = [{"algorithm": "SHA256", "checksumValue": part.sha256}]
    if part.purl is not None:
        found["externalRefs"] = [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": part.purl,
            }
        ]
    if part.properties:
        found["comment"] = "\n".join(f"{name}: {value}" for name, value in part.properties)
    return found


def _relations(part: Part, sbom: Sbom) -> list[dict[str, str]]:
    known = {one.ref for one in sbom.parts}
    found = [
        _relation(_id(part), "DEPENDS_ON", _spdx_id(ref)) for ref in part.needs if ref in known
    ]
    if part is not sbom.root:
        if part.in_image:
            found.append(_relation(_id(sbom.root), "CONTAINS", _id(part)))
        else:
            found.append(_relation(_id(part), "BUILD_DEPENDENCY_OF", _id(sbom.root)))
    return found


def _relation(subject: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": subject, "relationshipType": kind, "relatedSpdxElement": other}
