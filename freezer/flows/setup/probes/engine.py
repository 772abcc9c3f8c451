"""The engine, its builder, and how it keeps layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.engine.build.build import OVERRIDE, choose
from freezer.errors import FreezerError
from freezer.flows.setup.probes.finding import Finding, failed, gib, ok, warning

if TYPE_CHECKING:
    from freezer.engine.interface import EngineInfo

_SLOW_DRIVERS = {"vfs", "devicemapper", "aufs", "btrfs", "zfs"}


def engine(info: EngineInfo) -> Finding:
    """Say which engine answers."""
    return ok(
        "engine",
        f"{info.name} {info.version} (API {info.api_version}) at {info.address}: "
        f"{info.architecture}, {info.cpus} CPUs, {gib(info.memory)} of memory",
    )


def builder(info: EngineInfo, override: str | None) -> Finding:
    """Say who builds images; ``override`` is the value of ``FREEZER_BUILDER``."""
    try:
        chosen = choose(info, override)
    except FreezerError as error:
        return failed("builder", error)
    forced = f", as {OVERRIDE} says" if override else ""
    if chosen == "buildkit":
        return ok("builder", f"BuildKit{forced}")
    if info.name == "podman":
        return ok("builder", f"podman's own{forced}")
    return warning(
        "builder",
        f"Docker's classic builder{forced}, which is slower and deprecated",
        f"unset {OVERRIDE}" if info.buildkit else "use Docker 18.09 or later",
    )


def storage(info: EngineInfo) -> Finding:
    """Say how the engine keeps layers."""
    driver = info.storage_driver or "unknown"
    if driver in _SLOW_DRIVERS:
        return warning(
            "storage",
            f"the {driver} driver, which copies or snapshots whole layers: slow and large",
            "use overlay2: https://docs.docker.com/engine/storage/drivers/select-storage-driver/",
        )
    if info.containerd_store:
        return ok("storage", f"containerd's store ({driver}); images are loaded whole")
    return ok("storage", driver)
