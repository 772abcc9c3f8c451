"""The target as far as a spec declares it: enough for most markers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.resolve.python.markers import marker_holds

if TYPE_CHECKING:
    from packaging.markers import Marker

_LATER: Final = ("implementation_version", "platform_release", "platform_version")
"""Marker variables that are known only from the base image."""
_PATCHES: Final = (*range(31), 99)
"""Patch releases of a minor version for which a marker must have one value."""


@dataclass(frozen=True)
class KnownTarget:
    """The platform and the Python minor version of a spec."""

    architecture: str = "x86_64"
    python: str = "3.11"

    @classmethod
    def of(cls, platform: str, python: str) -> KnownTarget:
        """Return the target of a spec's platform, such as ``linux/arm64``."""
        return cls("aarch64" if platform.endswith("/arm64") else "x86_64", python)

    def holds(self, marker: Marker | None) -> bool | None:
        """Return a marker's value; None when it depends on the base image."""
        if marker is None:
            return True
        if any(name in str(marker) for name in _LATER):
            return None
        patches = _PATCHES if "python_full_version" in str(marker) else (0,)
        values = {marker_holds(marker, self._values(patch)) for patch in patches}
        return values.pop() if len(values) == 1 else None

    def _values(self, patch: int) -> dict[str, str]:
        return {
            "implementation_name": "cpython",
            "implementation_version": "",
            "os_name": "posix",
            "platform_machine": self.architecture,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.{patch}",
            "python_version": self.python,
            "sys_platform": "linux",
            "extra": "",
        }
