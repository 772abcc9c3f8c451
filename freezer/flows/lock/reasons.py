"""Why each package is in the lock: what asked for it, and the reason that the spec gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from packaging.utils import canonicalize_name

from freezer.flows.project.environment import place
from freezer.model.lock import CondaPackage, DebianPackage, PipPackage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.flows.project.environment import Environment
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock

_JOINT = "; why: "
"""Between what asked for a package and the spec's own reason."""
Package = TypeVar("Package", DebianPackage, CondaPackage, PipPackage)


def with_reasons(lock: Lock, environment: Environment, report: Reporter) -> Lock:
    """Return the lock with the spec's ``why`` beside each pin it speaks of.

    Warns about a reason for something that is not locked: it is often a misspelt name.
    """
    why = {name: " ".join(text.split()) for name, text in environment.spec.why.items()}
    python: dict[str, str]
    python = {canonicalize_name(name): text for name, text in why.items()}
    ecosystems: tuple[Sequence[DebianPackage | CondaPackage | PipPackage], ...]
    ecosystems = (lock.debian, lock.conda, lock.pip)
    names = {item.name for packages in ecosystems for item in packages}
    for name in why:
        if name not in names and canonicalize_name(name) not in names:
            where = place(environment, "why", name)
            report.warn(f"{where}: a reason for {name!r}, which is not in the lock")
    return lock.model_copy(
        update={
            "debian": tuple(_explained(item, why) for item in lock.debian),
            "conda": tuple(_explained(item, why) for item in lock.conda),
            "pip": tuple(_explained(item, python) for item in lock.pip),
        }
    )


def _explained(package: Package, why: Mapping[str, str]) -> Package:
    asked = package.reason.split(_JOINT, 1)[0]
    given = why.get(package.name)
    reason = f"{asked}{_JOINT}{given}" if given else asked
    return package.model_copy(update={"reason": reason})
