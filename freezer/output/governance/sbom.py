"""What ``freeze sbom`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from freezer.model.canonical import digest
from freezer.model.lockfile import short_id
from freezer.output.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.governance.sbom import SbomMade
    from freezer.flows.governance.sbom_verify import SbomVerified

_MOST: Final = 20
"""Items of one kind that are listed one by one."""


def show(made: SbomMade, path: Path, console: Console) -> None:
    """Print what was written."""
    count = plural(len(made.sbom.parts), "component")
    text = f"{made.sbom.name}: {count} of lock {short_id(made.sbom.lock_id)} written to {path}"
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def document(made: SbomMade, path: Path, form: str, text: str) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": made.sbom.name,
        "lock-id": made.sbom.lock_id,
        "format": form,
        "file": str(path),
        "sha256": digest(text.encode()),
        "components": len(made.sbom.parts),
        "licenses-unread": list(made.unread),
    }


def show_verified(done: SbomVerified, path: Path, console: Console) -> None:
    """Print whether document, lock and image agree, and each difference."""

    def line(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True, markup=False)

    difference, image = done.difference, done.image
    name = done.made.sbom.name
    if done.good:
        line(
            f"{name}: {path} is the bill of materials of lock {short_id(done.made.sbom.lock_id)} "
            f"and of image {image.image[7:19]}"
        )
    else:
        line(f"{name}: {path}, the lock and the image do not agree")
    _list("only in the document", difference.added, line)
    _list("missing from the document", difference.removed, line)
    _list("described otherwise in the document", difference.changed, line)
    if difference.elsewhere and not (difference.added or difference.removed or difference.changed):
        line("  the document differs outside of its components")
    if not image.of_lock:
        line(f"  image {image.image[7:19]} is not the one that the lock gives")
    _list("in the image and in no component", [str(_named(one)) for one in image.unlisted], line)
    _list("not in the image", [str(_named(one)) for one in image.absent], line)
    _list("changed in the image", image.changed, line)
    _list("files of two components", image.contested, line)
    line(
        f"  {plural(image.owned, 'file')} of the image belong to one component each; "
        f"{image.made} were made by the build, and belong to none"
    )


def verified_document(done: SbomVerified) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    difference, image = done.difference, done.image
    return {
        "environment": done.made.sbom.name,
        "lock-id": done.made.sbom.lock_id,
        "good": done.good,
        "document": {
            "same": difference.same,
            "added": list(difference.added),
            "removed": list(difference.removed),
            "changed": list(difference.changed),
        },
        "image": {
            "id": image.image,
            "of-lock": image.of_lock,
            "files": image.files,
            "files-of-components": image.owned,
            "files-made": image.made,
            "unlisted": [_named(one) for one in image.unlisted],
            "absent": [_named(one) for one in image.absent],
            "changed": list(image.changed),
            "contested": list(image.contested),
        },
    }


def _named(one: Any) -> str:
    return f"{one.ecosystem} {one.name} {one.version}"


def _list(title: str, items: Sequence[str], line: Any) -> None:
    for item in items[:_MOST]:
        line(f"  {title}: {item}")
    if len(items) > _MOST:
        line(f"  {title}: {len(items) - _MOST} more")
