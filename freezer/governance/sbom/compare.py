"""Two documents of one bill of materials: which components differ. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from freezer.errors import SpecError, Where

Format = Literal["cyclonedx", "cyclonedx-1.7", "spdx"]


@dataclass(frozen=True)
class SbomDifference:
    """How a document differs from what the lock gives, by component."""

    added: tuple[str, ...]
    """Components that the lock does not have, as ``name version``."""
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """Components of which something else is said."""
    elsewhere: bool
    """Whether something outside of the components differs: dependencies, time, serial number."""

    @property
    def same(self) -> bool:
        """Whether there is no difference at all."""
        return not (self.added or self.removed or self.changed or self.elsewhere)


def format_of(text: str, shown: str) -> Format:
    """Return the format of a document. Raises ``SpecError`` for anything else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_sbom(shown, f"not JSON: {error}") from None
    if isinstance(document, dict):
        if document.get("bomFormat") == "CycloneDX":
            version = document.get("specVersion")
            if version in ("1.6", "1.7"):
                return "cyclonedx" if version == "1.6" else "cyclonedx-1.7"
            raise _no_sbom(shown, f"CycloneDX {version}")
        if version := document.get("spdxVersion"):
            if version == "SPDX-2.3":
                return "spdx"
            raise _no_sbom(shown, f"{version}")
    raise _no_sbom(shown, "neither bomFormat nor spdxVersion")


def compare(given: str, expected: str) -> SbomDifference:
    """Return how a document differs from the expected one; both are of one format."""
    if given == expected:
        return SbomDifference((), (), (), elsewhere=False)
    ours, theirs = json.loads(expected), json.loads(given)
    own, other = _components(ours), _components(theirs)
    return SbomDifference(
        added=tuple(sorted(_named(other[ref]) for ref in other.keys() - own.keys())),
        removed=tuple(sorted(_named(own[ref]) for ref in own.keys() - other.keys())),
        changed=tuple(
            sorted(_named(own[ref]) for ref in own.keys() & other.keys() if own[ref] != other[ref])
        ),
        elsewhere=_rest(ours) != _rest(theirs),
    )


def _components(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return components by reference; what has none, or one twice, by its place."""
    found: dict[str, dict[str, Any]] = {}
    listed = document.get("components", document.get("packages", []))
    for number, item in enumerate(listed if isinstance(listed, list) else []):
        one = item if isinstance(item, dict) else {"name": str(item)}
        ref = str(one.get("bom-ref") or one.get("SPDXID") or number)
        found[f"{ref} ({number})" if ref in found else ref] = one
    return found


def _rest(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("components", "packages")}


def _named(component: dict[str, Any]) -> str:
    version = component.get("version") or component.get("versionInfo") or ""
    return f"{component.get('name', '?')} {version}".strip()[:200]


def _no_sbom(shown: str, found: str) -> SpecError:
    return SpecError(
        "this is no bill of materials that can be verified",
        where=Where(shown),
        found=found,
        expected="a document that `freeze sbom` wrote: CycloneDX 1.6 or 1.7, or SPDX 2.3, as JSON",
    )
