"""A version of an archive as an RO-Crate 1.1: what each file is, for readers without Freezer. Pure.

https://www.researchobject.org/ro-crate/specification/1.1/. There is no clock in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CRATE_FILE: Final = "ro-crate-metadata.json"
CRATE: Final = "https://w3id.org/ro/crate/1.1"
_CONTEXT: Final = [
    f"{CRATE}/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
_FORMS: Final = {
    "html": "text/html",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "md": "text/markdown",
    "patch": "text/x-patch",
    "txt": "text/plain",
    "yaml": "application/yaml",
}
_FOLDERS: Final = {
    "blobs": "a file that the environment is built from",
    "lock": "a file stored next to the lock: history, references, attestations",
    "reports": "a report",
    "runs": "a file of a run: its record, its outputs",
    "spec": "a file of the spec",
}
_FILES: Final = {
    "lock/freeze.lock.yaml": "the lock of the environment",
    "sbom.cdx.json": "the bill of materials as CycloneDX",
    "sbom.spdx.json": "the bill of materials as SPDX",
    "provenance.json": "where the image comes from: SLSA provenance",
}


@dataclass(frozen=True)
class CrateFile:
    """A file of the crate."""

    sha256: str
    size: int | None
    """Bytes, where they are known."""
    name: str | None = None
    """Such as the package that it is."""


def archive_crate(
    environment: str, lock_id: str, published: str, files: Mapping[str, CrateFile], version: str
) -> bytes:
    """Return ``ro-crate-metadata.json``; ``published`` is the lock's cut-off, ``version`` ours."""
    graph = [
        {
            "@id": CRATE_FILE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": CRATE},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"The environment {environment}, lock {lock_id[:12]}",
            "description": "An environment for machine learning, with every file that its rebuild "
            "takes, its history, its references and its bill of materials",
            "identifier": f"urn:sha256:{lock_id}",
            "datePublished": published,
            "license": {"@id": "#license"},
            "hasPart": [{"@id": quote(path)} for path in sorted(files)],
            "mentions": {"@id": "#freezer"},
        },
        {
            "@id": "#license",
            "@type": "CreativeWork",
            "name": "A license for each file",
            "description": "Each file has its own; the bill of materials names them",
        },
        {
            "@id": "#freezer",
            "@type": "SoftwareApplication",
            "name": "Freezer",
            "url": "urn:freezer-ml",
            "softwareVersion": version,
        },
        *_files(files),
    ]
    document = {"@context": _CONTEXT, "@graph": graph}
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _files(files: Mapping[str, CrateFile]) -> Iterator[dict[str, Any]]:
    for path, one in sorted(files.items()):
        ending = path.rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
        entity = {
            "@id": quote(path),
            "@type": "File",
            "name": one.name or path.rpartition("/")[2],
            "description": _FILES.get(path) or _FOLDERS.get(path.partition("/")[0], "a file"),
            "encodingFormat": _FORMS.get(ending, "application/octet-stream"),
            "sha256": one.sha256,
        }
        if one.size is not None:
            entity["contentSize"] = str(one.size)
        yield entity
