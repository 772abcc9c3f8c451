"""Reads an engine's properties from ``GET /version`` and ``GET /info``."""

from __future__ import annotations

import re
from typing import Any, Final

from freezer.engine.interface import EngineInfo
from freezer.engine.responses import items, mapping, number, text

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_BUILDKIT_SINCE = (1, 39)
_LEAST = (1, 24)
_PLAIN: Final = re.compile(r"[0-9]{1,3}\.[0-9]{1,4}")


def read_info(version: Any, info: Any, address: str) -> EngineInfo:
    """Return both responses as one value; missing fields are empty.

    Raises ``ValueError`` for responses of something other than an engine.
    """
    try:
        return _info(mapping(version), mapping(info), address)
    except (TypeError, LookupError, AttributeError) as error:
        msg = f"it does not respond like an engine: {error}"
        raise ValueError(msg) from error


def _info(version: dict[str, Any], info: dict[str, Any], address: str) -> EngineInfo:
    api_version = text(version.get("ApiVersion"))
    name = "podman" if _is_podman(version) else "docker"
    machine = text(info.get("Architecture")) or text(version.get("Arch"))
    return EngineInfo(
        name=name,
        version=text(version.get("Version")),
        api_version=api_version,
        architecture=_ARCHITECTURES.get(machine, machine),
        storage_driver=text(info.get("Driver")),
        buildkit=name == "docker" and _numbers(api_version) >= _BUILDKIT_SINCE,
        address=address,
        root=text(info.get("DockerRootDir")),
        cpus=number(info.get("NCPU")) or 1,
        memory=number(info.get("MemTotal")),
        containerd_store=_is_containerd(info.get("DriverStatus")),
        runtimes=tuple(sorted(mapping(info.get("Runtimes")))),
        id=text(info.get("ID")),
        rootless=_is_rootless(info),
    )


def _is_podman(version: dict[str, Any]) -> bool:
    parts = (mapping(part) for part in items(version.get("Components")))
    return any(text(part.get("Name")).lower().startswith("podman") for part in parts)


def _is_rootless(info: dict[str, Any]) -> bool:
    """Say whether an engine runs as a user: Docker names it an option, podman has a field."""
    options = info.get("SecurityOptions")
    named = isinstance(options, list) and "name=rootless" in options
    return named or info.get("Rootless") is True


def _is_containerd(status: object) -> bool:
    return isinstance(status, list) and ["driver-type", "io.containerd.snapshotter.v1"] in status


def speaks(api_version: str) -> bool:
    """Return whether the docker SDK takes this version of the API, and leaves it unquestioned."""
    return bool(_PLAIN.fullmatch(api_version)) and _numbers(api_version) >= _LEAST


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version[:20].split(".") if part.isdecimal())
