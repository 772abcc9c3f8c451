"""Runs as an RO-Crate: the Process Run Crate profile of Workflow Run RO-Crate. Pure.

The same runs give the same bytes: every time is a run's, none is the clock's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from freezer.ledger.exchange.crate_entities import (
    AUTHOR,
    FREEZER,
    TERMS,
    is_url,
    iso_time,
    run_entities,
    uri_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.ledger.exchange.crate_entities import About, CrateRun, Entity

METADATA: Final = "ro-crate-metadata.json"
PROVENANCE: Final = "provenance.jsonld"
CRATE: Final = "https://w3id.org/ro/crate/1.1"
PROFILE: Final = "https://w3id.org/ro/wfrun/process/0.5"
_EXTRA: Final = ("ContainerImage", "containerImage", "environment", "sha256")
_CONTEXT: Final = [
    f"{CRATE}/context",
    {name: f"{TERMS}{name}" for name in _EXTRA},
]


def crate_metadata(runs: Sequence[CrateRun], about: About, version: str) -> bytes:
    """Return ``ro-crate-metadata.json``; ``version`` is Freezer's."""
    entities: dict[str, Entity] = {}
    for one in runs:
        for entity in run_entities(one, about):
            entities.setdefault(entity["@id"], entity)
    files = sorted({path for one in runs for path in one.files})
    head = [*_head(runs, files, about), _freezer(version)]
    graph = [*head, *(entities[name] for name in sorted(entities))]
    document = {"@context": _CONTEXT, "@graph": [_compact(one) for one in graph]}
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _head(runs: Sequence[CrateRun], files: Sequence[str], about: About) -> Iterator[Entity]:
    last = max(one.run.ended or one.run.started for one in runs)
    names = ", ".join(one.run.id for one in runs[:5])
    more = f" and {len(runs) - 5} more" if len(runs) > 5 else ""
    yield {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": CRATE},
    }
    license_id = about.license if is_url(about.license) else "#license"
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Training runs {names}{more}",
        "description": "Runs of an ML training, with all that is recorded of their origin",
        "datePublished": iso_time(last),
        "license": {"@id": license_id},
        "conformsTo": {"@id": PROFILE},
        "hasPart": [{"@id": uri_path(path)} for path in (*files, PROVENANCE)],
        "mentions": [{"@id": f"#run-{one.run.id}"} for one in runs],
        **({"author": {"@id": AUTHOR}} if about.author else {}),
    }
    yield {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    yield {
        "@id": license_id,
        "@type": "CreativeWork",
        "name": about.license or "No licence is stated",
        "description": about.license or "Whoever published this crate did not state a licence",
    }
    yield {
        "@id": PROVENANCE,
        "@type": "File",
        "name": "The same provenance as PROV-O",
        "encodingFormat": "application/ld+json",
    }
    if about.author:
        yield {"@id": AUTHOR, "@type": "Person", "name": about.author}


def _freezer(version: str) -> Entity:
    return {
        "@id": FREEZER,
        "@type": "SoftwareApplication",
        "name": "Freezer",
        "url": FREEZER,
        "softwareVersion": version,
    }


def _compact(entity: Entity) -> Entity:
    """Return an entity without empty lists; a list of one is its element."""
    kept = {name: value for name, value in entity.items() if value != []}
    return {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in kept.items()
    }
