"""Whether the license of a package is among those that a policy allows."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from freezer.governance.licenses.expression import Licenses, declared, spdx_licensing
from freezer.model.lock import BasePackage, CondaPackage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.ecosystems.interface import Package
    from freezer.governance.policy.model import LicenseRule


def is_allowed(
    package: Package, known: Mapping[str, Licenses], rule: LicenseRule
) -> tuple[str | None, bool]:
    """Return what a package declares, and whether that is allowed.

    Of licenses joined by ``OR`` one must be allowed, of those joined by ``AND`` all.
    """
    if isinstance(package, CondaPackage):
        found = declared([package.license] if package.license else [], "repodata")
    elif isinstance(package, BasePackage):
        found = Licenses()
    else:
        found = known.get(package.sha256, Licenses())
    if found.whole is None:
        return None, rule.unknown == "allow"
    allowed = frozenset(rule.allow)
    names = all(name in allowed for name in found.unmapped)
    return _shown(found), names and _expression_allowed(found.expression, allowed)


def _shown(found: Licenses) -> str:
    return " AND ".join([*([found.expression] if found.expression else []), *found.unmapped])


@lru_cache(maxsize=2000)
def _expression_allowed(expression: str | None, allowed: frozenset[str]) -> bool:
    if expression is None or expression in allowed:
        return True
    return _holds(spdx_licensing().parse(expression), allowed)


def _holds(node: Any, allowed: frozenset[str]) -> bool:
    operator = getattr(node, "operator", "").strip().upper()
    if operator in ("AND", "OR"):
        found = [_holds(part, allowed) for part in node.args]
        return any(found) if operator == "OR" else all(found)
    return str(node.render()) in allowed
