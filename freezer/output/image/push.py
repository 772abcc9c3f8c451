"""Output of ``freeze push`` and ``freeze pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from freezer.model.canonical import digest
from freezer.model.lockfile import short_id
from freezer.output.text import plural, size

KINDS: Final = {
    "application/vnd.cyclonedx+json": "bill of materials (CycloneDX)",
    "application/spdx+json": "bill of materials (SPDX)",
    "application/vnd.in-toto+json": "unsigned provenance",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "signed",
}
"""What people call the documents, by artifact type."""

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from freezer.flows.attest.documents import Document
    from freezer.flows.attest.pull import PulledWhole
    from freezer.flows.attest.push import Published


def show_pushed(published: Published, console: Console) -> None:
    """Print the image's name for pulling first, then what was sent."""
    pushed = published.image
    sent = f"{pushed.sent} of {plural(pushed.layers, 'layer')} sent, {size(pushed.sent_bytes)}"
    documents = f"{published.sent} of {plural(len(published.documents), 'document')}"
    if not pushed.fresh:
        sent = f"{plural(pushed.layers, 'layer')}, all of it was there"
    lines = [
        pushed.name,
        f"  image {pushed.image} of lock {short_id(pushed.locked.id)}, tag {pushed.tag}",
        f"  {sent}; {plural(pushed.references, 'reference')} sent; {documents} sent",
    ]
    _print(lines, console)


def show_pulled(whole: PulledWhole, console: Console) -> None:
    """Print the image's ID, what was fetched, and the next step."""
    pulled = whole.image
    fetched = f"{size(pulled.fetched)} fetched" if pulled.fresh else "the engine had it"
    classes = ", ".join(pulled.classes) or "none"
    lines = [
        f"image {pulled.image} of lock {short_id(pulled.lock_id)}, {fetched}",
        f"  tagged {pulled.tag}",
        f"  references: {classes}",
        f"  documents: {_counted(whole.documents)}",
        f"  next: freeze check {pulled.name}",
    ]
    _print(lines, console)


def pushed_document(published: Published) -> dict[str, Any]:
    """Return the facts of a push for ``--json``."""
    pushed = published.image
    return {
        "environment": pushed.locked.lock.name,
        "lock-id": pushed.locked.id,
        "image": pushed.image,
        "name": pushed.name,
        "tag": pushed.tag,
        "layers": pushed.layers,
        "bytes": pushed.size,
        "sent": {"layers": pushed.sent, "bytes": pushed.sent_bytes},
        "references-sent": pushed.references,
        "documents": _documents(published.documents),
        "documents-sent": published.sent,
        "changed": pushed.fresh or bool(published.sent),
    }


def pulled_document(whole: PulledWhole) -> dict[str, Any]:
    """Return the facts of a pull for ``--json``."""
    pulled = whole.image
    return {
        "lock-id": pulled.lock_id,
        "image": pulled.image,
        "name": pulled.name,
        "tag": pulled.tag,
        "fetched-bytes": pulled.fetched,
        "fetched": pulled.fresh,
        "references": list(pulled.classes),
        "documents": _documents(whole.documents),
    }


def _counted(documents: Iterable[Document]) -> str:
    kinds = [KINDS.get(one.kind, one.kind) for one in documents]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "none"


def _documents(documents: Iterable[Document]) -> list[dict[str, Any]]:
    return [
        {"type": one.kind, "file": one.name, "sha256": digest(one.data), "bytes": len(one.data)}
        for one in documents
    ]


def _print(lines: list[str], console: Console) -> None:
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True, markup=False)
