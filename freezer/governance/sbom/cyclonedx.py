"""A bill of materials as CycloneDX JSON, 1.6 or 1.7, by the library that the project keeps.

The library takes serial number and time from chance and the clock; both are derived from the lock
here, so that the same lock gives the same bytes. It has no class for model cards: they are added to
its document.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

    from freezer.governance.sbom.model import Part, Sbom

Version = Literal["1.6", "1.7"]
NAMESPACE: Final = uuid.UUID("6f5f6b6c-6e9b-5c51-9d5b-4f1f3a1c7f10")
"""For the serial numbers that are derived from locks."""


def cyclonedx_json(sbom: Sbom, version: Version = "1.6") -> str:
    """Return the document; the same bill gives the same bytes."""
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.dependency import Dependency
    from cyclonedx.output.json import JsonV1Dot6, JsonV1Dot7

    root = _component(sbom.root)
    made = {part.ref: _component(part) for part in sbom.parts}
    tool = Component(
        type=ComponentType.APPLICATION, name="freezer", version=sbom.version, bom_ref="tool:freezer"
    )
    bom = Bom(
        components=made.values(),
        serial_number=uuid.uuid5(NAMESPACE, f"{sbom.lock_id} {sbom.version}"),
        metadata=BomMetaData(
            component=root,
            timestamp=datetime.strptime(sbom.created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        ),
        dependencies=[
            Dependency(
                {sbom.root.ref: root, **made}[part.ref].bom_ref,
                [Dependency(made[ref].bom_ref) for ref in part.needs if ref in made],
            )
            for part in (sbom.root, *sbom.parts)
        ],
    )
    bom.metadata.tools.components.add(tool)
    outputter = JsonV1Dot7 if version == "1.7" else JsonV1Dot6
    document: dict[str, Any] = json.loads(outputter(bom).output_as_string())
    cards = {part.ref: part.model_card for part in sbom.parts if part.model_card is not None}
    for component in document["components"]:
        if card := cards.get(component["bom-ref"]):
            component["modelCard"] = card
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _component(part: Part) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.component import Component, ComponentScope, ComponentType
    from packageurl import PackageURL

    more = dict(part.properties)
    if part.file:
        more.setdefault("freezer:file", part.file)
    if part.size is not None:
        more["freezer:size"] = str(part.size)
    if part.licenses.source:
        more["freezer:license-source"] = part.licenses.source
    return Component(
        type=ComponentType(part.kind),
        name=part.name,
        version=part.version,
        bom_ref=part.ref,
        purl=PackageURL.from_string(part.purl) if part.purl else None,
        scope=ComponentScope.REQUIRED if part.in_image else ComponentScope.EXCLUDED,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else None,
        licenses=_licenses(part),
        external_references=_addresses(part),
        properties=[Property(name=name, value=value) for name, value in sorted(more.items())],
    )


def _licenses(part: Part) -> list[Any]:
    """Return one expression, or the names as they were declared: the schema takes no mixture."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression

    found = part.licenses
    if found.expression is not None and found.whole is not None:
        return [LicenseExpression(value=found.whole)]
    return [DisjunctiveLicense(name=name) for name in found.unmapped]


def _addresses(part: Part) -> list[Any]:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri

    if part.address is None:
        return []
    kind = ExternalReferenceType.DISTRIBUTION
    return [ExternalReference(type=kind, url=XsUri(part.address))]
