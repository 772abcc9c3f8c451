"""Installation order of packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.resolve.conda.specname import spec_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.model.lock import CondaPackage


def dependencies_first(packages: Iterable[CondaPackage]) -> list[CondaPackage]:
    """Sort packages so that dependencies come first; otherwise by name.

    Cycles are broken deterministically.
    """
    waiting = {package.name: package for package in sorted(packages, key=lambda item: item.name)}
    found: list[CondaPackage] = []
    done: set[str] = set()

    def visit(package: CondaPackage) -> None:
        if package.name in done:
            return
        done.add(package.name)
        for name in sorted(spec_name(text) for text in package.depends):
            if name in waiting:
                visit(waiting[name])
        found.append(package)

    for package in waiting.values():
        visit(package)
    return found
