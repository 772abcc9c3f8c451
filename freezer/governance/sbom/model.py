"""The bill of materials of a lock, before it is written in any format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from freezer.governance.licenses.expression import Licenses

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["library", "container", "operating-system", "data", "machine-learning-model"]


@dataclass(frozen=True)
class Part:
    """One component of an image."""

    ref: str
    """Unique within the document: ``pip:numpy``."""
    kind: Kind
    name: str
    version: str
    purl: str | None = None
    file: str | None = None
    sha256: str | None = None
    size: int | None = None
    """Bytes of the file."""
    address: str | None = None
    """Where the user took it from; only of direct URLs and git."""
    licenses: Licenses = field(default_factory=Licenses)
    needs: tuple[str, ...] = ()
    """References of the components that it needs, sorted."""
    properties: tuple[tuple[str, str], ...] = ()
    """Facts of Freezer's own, by name; sorted."""
    in_image: bool = True
    """False for what only a build needs."""
    model_card: Mapping[str, object] | None = None
    """A model card as CycloneDX has it; only of trainings."""


@dataclass(frozen=True)
class Sbom:
    """The components of one lock's image, and how they depend on one another."""

    name: str
    lock_id: str
    created: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``: the lock's cut-off, since a clock would not repeat."""
    version: str
    """Of Freezer."""
    root: Part
    parts: tuple[Part, ...]
    """Sorted by reference; the root is not among them."""
