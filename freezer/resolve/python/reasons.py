"""Why a package is in a lock, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from freezer.model.lock import Target
    from freezer.resolve.python.interface import PipRequest, PipRequirement


def marker_environment(target: Target) -> dict[str, str]:
    """Return the values that markers are evaluated with, of the image and not of this host."""
    return {
        "implementation_name": "cpython",
        "implementation_version": target.python.version,
        "os_name": "posix",
        "platform_machine": target.architecture,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": target.python.version,
        "python_version": target.python.minor,
        "sys_platform": "linux",
        "extra": "",
    }


def applies(asked: PipRequirement, target: Target) -> bool:
    """Say whether a requirement holds for the target."""
    marker = asked.requirement.marker
    return marker is None or bool(marker.evaluate(marker_environment(target)))


def asked_by_name(request: PipRequest) -> dict[str, list[PipRequirement]]:
    """Return what is asked for by name, leaving out what does not hold for the target."""
    found: dict[str, list[PipRequirement]] = {}
    for asked in request.requirements:
        if applies(asked, request.target):
            found.setdefault(asked.name, []).append(asked)
    return found


def reason(asked: Sequence[PipRequirement], needed_by: Collection[str]) -> str:
    """Return ``asked for in requirements.in:3`` or ``needed by pandas, scipy``."""
    if asked:
        places = dict.fromkeys(str(item.where) for item in asked)
        return f"asked for in {', '.join(places)}"
    return f"needed by {', '.join(sorted(needed_by))}"
