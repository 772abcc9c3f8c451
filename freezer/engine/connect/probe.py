"""What an engine says of itself, read from ``GET /version`` and ``GET /info``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.engine.interface import EngineInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_BUILDKIT_SINCE = (1, 39)


def read_info(version: Mapping[str, Any], info: Mapping[str, Any], address: str) -> EngineInfo:
    """Return both answers as one value; what an engine leaves out is empty."""
    api_version = str(version.get("ApiVersion", ""))
    name = "podman" if _is_podman(version) else "docker"
    machine = str(info.get("Architecture") or version.get("Arch") or "")
    return EngineInfo(
        name=name,
        version=str(version.get("Version", "")),
        api_version=api_version,
        architecture=_ARCHITECTURES.get(machine, machine),
        storage_driver=str(info.get("Driver", "")),
        buildkit=name == "docker" and _numbers(api_version) >= _BUILDKIT_SINCE,
        address=address,
        root=str(info.get("DockerRootDir") or ""),
        cpus=int(info.get("NCPU") or 1),
        memory=int(info.get("MemTotal") or 0),
        containerd_store=_is_containerd(info.get("DriverStatus")),
        runtimes=tuple(sorted(info.get("Runtimes") or ())),
        id=str(info.get("ID") or ""),
    )


def _is_podman(version: Mapping[str, Any]) -> bool:
    parts = version.get("Components") or ()
    return any(str(part.get("Name", "")).lower().startswith("podman") for part in parts)


def _is_containerd(status: object) -> bool:
    return isinstance(status, list) and ["driver-type", "io.containerd.snapshotter.v1"] in status


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
