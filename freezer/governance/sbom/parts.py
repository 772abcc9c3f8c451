"""From a lock to the components of its bill of materials."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from freezer.ecosystems import ECOSYSTEMS
from freezer.ecosystems.interface import Key, Lookup
from freezer.governance.licenses.expression import Licenses, declared
from freezer.governance.sbom.model import Part, Sbom
from freezer.governance.sbom.model_card import training_parts
from freezer.governance.sbom.purl import conda_purl, debian_purl, image_purl, python_purl
from freezer.model.lock import (
    BasePackage,
    BootstrapBase,
    CondaPackage,
    PipPackage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.ecosystems.interface import Package
    from freezer.model.lock import Component, Lock
    from freezer.model.record.record import Record

BUILD = "build"
"""The ecosystem of what only a build needs."""


def bill_of_materials(
    lock: Lock,
    lock_id: str,
    *,
    licenses: Mapping[str, Licenses],
    references: Sequence[Record],
    version: str,
) -> Sbom:
    """Return the components of a lock.

    ``licenses``: what each file declares, by SHA-256. ``references``: the records that its results
    are compared with. ``version``: Freezer's. The result is a function of these alone.
    """
    edges = _edges(lock)
    numerics = list(_numerics(lock))
    whole = (_base(lock), *_packages(lock, licenses, edges))
    parts = [*(_with_numerics(part, numerics) for part in whole), *numerics]
    trainings = list(training_parts(lock, lock_id, references, [part.ref for part in parts]))
    direct = sorted(part.ref for part in parts if _is_direct(part))
    root = Part(
        ref=f"image:{lock.name}",
        kind="container",
        name=lock.name,
        version=lock_id[:12],
        needs=tuple(direct),
        properties=tuple(
            sorted(
                {
                    "freezer:as-of": lock.as_of,
                    "freezer:lock-id": lock_id,
                    "freezer:platform": lock.platform,
                }.items()
            )
        ),
    )
    parts = sorted([*parts, *trainings], key=lambda part: part.ref)
    return Sbom(lock.name, lock_id, lock.as_of, version, root, tuple(parts))


def _is_direct(part: Part) -> bool:
    wanted = dict(part.properties)
    return part.ref.startswith("base-image:") or "freezer:requested" in wanted


def _base(lock: Lock) -> Part:
    """Return the base as a whole: a registry's image, or a root made from Debian packages."""
    base = lock.base
    inner = tuple(sorted({f"base:{package.name}" for package in base.packages}))
    facts = {"freezer:config": base.config}
    if isinstance(base, BootstrapBase):
        name, version, purl = "debian", base.suite, None
    else:
        name, version, purl = base.reference, base.manifest, image_purl(base)
    return Part(
        ref=f"base-image:{name}",
        kind="operating-system" if purl is None else "container",
        name=name,
        version=version,
        purl=purl,
        needs=inner,
        properties=tuple(sorted(facts.items())),
    )


def _packages(
    lock: Lock, licenses: Mapping[str, Licenses], edges: Mapping[Key, set[Key]]
) -> Iterator[Part]:
    refs = {key: _ref(key) for ecosystem in ECOSYSTEMS for key, _ in ecosystem.keys(lock)}
    for ecosystem in ECOSYSTEMS:
        for key, package in ecosystem.keys(lock):
            needs = sorted({refs[other] for other in edges.get(key, ()) if other in refs})
            yield _package(lock, key, package, licenses, tuple(needs))


def _ref(key: Key) -> str:
    return f"{key.ecosystem}:{key.of}:{key.name}" if key.of else f"{key.ecosystem}:{key.name}"


def _package(
    lock: Lock,
    key: Key,
    package: Package,
    licenses: Mapping[str, Licenses],
    needs: tuple[str, ...],
) -> Part:
    facts = {"freezer:ecosystem": key.ecosystem}
    if reason := getattr(package, "reason", ""):
        facts["freezer:reason"] = reason
    if getattr(package, "requested", False):
        facts["freezer:requested"] = "true"
    sha256 = getattr(package, "sha256", None)
    return Part(
        ref=_ref(key),
        kind="library",
        name=package.name,
        version=package.version,
        purl=_purl(lock, package),
        file=getattr(package, "file", None),
        sha256=sha256,
        size=getattr(package, "size", None),
        address=getattr(package, "url", None),
        licenses=_licenses(package, licenses),
        needs=needs,
        properties=tuple(sorted(facts.items())),
        in_image=key.ecosystem != BUILD,
    )


def _purl(lock: Lock, package: Package) -> str:
    if isinstance(package, PipPackage):
        return python_purl(package)
    if isinstance(package, CondaPackage):
        return conda_purl(package)
    return debian_purl(package, lock.target.distribution)


def _licenses(package: Package, licenses: Mapping[str, Licenses]) -> Licenses:
    if isinstance(package, CondaPackage):
        return declared([package.license] if package.license else [], "repodata")
    if isinstance(package, BasePackage):
        return Licenses()
    return licenses.get(package.sha256, Licenses())


def _edges(lock: Lock) -> dict[Key, set[Key]]:
    """Return what each package needs."""
    specs = {text: text.split()[0] for package in lock.conda for text in package.depends if text}
    found: dict[Key, set[Key]] = defaultdict(set)
    for ecosystem in ECOSYSTEMS:
        for needed, need in ecosystem.edges(lock, Lookup(spec_names=specs)):
            found[need.by].add(needed)
    return found


def _numerics(lock: Lock) -> Iterator[Part]:
    """Yield what does the arithmetic, with the component that it is part of."""
    seen: dict[str, int] = {}
    for item in lock.components:
        ref = f"numerics:{item.role}:{item.name}"
        seen[ref] = seen.get(ref, 0) + 1
        if seen[ref] > 1:
            ref = f"{ref}:{seen[ref]}"
        yield _numeric(lock, item, ref)


def _with_numerics(part: Part, numerics: Sequence[Part]) -> Part:
    """Return a component that depends on what is part of it and does arithmetic."""
    own = {one.ref for one in numerics if dict(one.properties)["freezer:owner"] == part.ref}
    return replace(part, needs=tuple(sorted({*part.needs, *own}))) if own else part


def _numeric(lock: Lock, item: Component, ref: str) -> Part:
    kind, _, name = item.provider.partition(":")
    owner = f"{kind}:{name}" if name else _base(lock).ref
    facts = {"freezer:role": item.role, "freezer:owner": owner}
    if item.file:
        facts["freezer:file"] = item.file
    return Part(
        ref=ref,
        kind="library",
        name=item.name,
        version=item.version,
        needs=(),
        properties=tuple(sorted(facts.items())),
    )
