"""Packages as a policy names them: an ecosystem, a name and version bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any, Final

from freezer.ecosystems import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freezer.ecosystems.interface import Package
    from freezer.model.lock import Lock

_RULE: Final = re.compile(
    r"(?P<ecosystem>pip|conda|debian):(?P<name>[A-Za-z0-9][A-Za-z0-9+._-]*)\s*(?P<bounds>.*)"
)
_BOUND: Final = re.compile(r"(?P<operator>>=|<=|==|!=|>|<)\s*(?P<version>[A-Za-z0-9.+:~_!-]+)")
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": ge, "<=": le, "==": eq, "!=": ne, ">": gt, "<": lt,
}  # fmt: skip


@dataclass(frozen=True)
class PackageRule:
    """``pip:numpy>=2,<3``."""

    text: str
    ecosystem: str
    name: str
    bounds: tuple[tuple[str, str], ...]
    """Operator and version."""

    def names(self, ecosystem: str, name: str) -> bool:
        """Return whether a package is meant, whatever its version."""
        own = BY_NAME[self.ecosystem].own_name(self.name)
        return ecosystem == self.ecosystem and name == own

    def holds(self, version: str) -> bool:
        """Return whether a version is within all bounds, by its ecosystem's own order."""
        order = BY_NAME[self.ecosystem].order
        return all(
            _OPERATORS[operator](order(version), order(bound)) for operator, bound in self.bounds
        )


@lru_cache(maxsize=1000)
def parse_package_rule(text: str) -> PackageRule:
    """Return what a text demands. Raises ``ValueError`` saying what is expected."""
    match = _RULE.fullmatch(text.strip())
    bounds: list[tuple[str, str]] = []
    parts = [part.strip() for part in match["bounds"].split(",")] if match else []
    found = [_BOUND.fullmatch(part) for part in parts if part]
    if match is None or None in found:
        msg = "a package such as pip:numpy, debian:openssl>=3.0 or conda:mkl>=2024,<2025"
        raise ValueError(msg)
    for bound in found:
        if bound is not None:
            bounds.append((bound["operator"], bound["version"]))
            try:
                BY_NAME[match["ecosystem"]].order(bound["version"])
            except ValueError as error:
                msg = f"a version of {match['ecosystem']}: {bound['version']} is none"
                raise ValueError(msg) from error
    return PackageRule(text.strip(), match["ecosystem"], match["name"], tuple(bounds))


def locked_packages(lock: Lock) -> Iterator[tuple[str, Package]]:
    """Yield ecosystem and package of all that is in the image; the base's are Debian's."""
    for package in lock.base.packages:
        yield "debian", package
    for ecosystem in ("debian", "conda", "pip"):
        for item in BY_NAME[ecosystem].packages(lock):
            yield ecosystem, item
