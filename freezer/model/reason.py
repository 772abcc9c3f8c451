"""The reason of a locked package: what put it there, and the spec's own ``why`` after it.

Reasons are part of a lock's bytes, so their wording may not change: locks would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_REQUESTED: Final = "asked for in "
_NEEDED: Final = "needed by "
_WHY: Final = "; why: "


def requested_in(places: Iterable[object]) -> str:
    """Return ``asked for in requirements.in:3``; each place once, in the given order."""
    return f"{_REQUESTED}{', '.join(dict.fromkeys(map(str, places)))}"


def needed_by(names: Iterable[str]) -> str:
    """Return ``needed by pandas, scipy``, sorted."""
    return f"{_NEEDED}{', '.join(sorted(names))}"


def with_why(reason: str, why: str | None) -> str:
    """Return a reason with another ``why`` of the spec, or without one."""
    source, _ = split_reason(reason)
    return f"{source}{_WHY}{why}" if why else source


def split_reason(reason: str) -> tuple[str, str | None]:
    """Return what put a package into the lock, and the spec's ``why`` if there is one."""
    source, joint, why = reason.partition(_WHY)
    return source, why if joint else None


def dependents(reason: str) -> tuple[str, ...]:
    """Return the packages that a reason names as needing this one; empty for a requested one."""
    source = reason.partition(";")[0]
    if not source.startswith(_NEEDED):
        return ()
    return tuple(name.strip() for name in source.removeprefix(_NEEDED).split(","))
