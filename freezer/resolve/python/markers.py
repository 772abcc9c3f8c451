"""Environment markers (PEP 508): whether one holds for a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

from freezer.errors import ResolveError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker


def marker_holds(marker: Marker, environment: Mapping[str, str]) -> bool:
    """Return whether a marker holds. Raises ``ResolveError`` for one that compares no versions."""
    try:
        return bool(marker.evaluate(dict(environment)))
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise ResolveError(
            "a marker cannot be evaluated",
            found=f"{marker}: {error}",
            expected="`==`, `!=` or `in` for text, and `===` for versions only",
        ) from None
