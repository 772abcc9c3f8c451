"""Small conda channels, written by hand: indexes alone, with no archives behind them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from freezer.errors import FreezerError, Where
from freezer.fetch.conda.channels import CondaChannel
from freezer.fetch.config import Config
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.resolve.conda.solver.interface import CondaRequest, CondaRequirement, CondaResolution
from freezer.resolve.conda.solver.rattler import solve

JANUARY = 1767225600000
"""2026-01-01T00:00:00Z, in milliseconds."""
DAY = 86_400_000
AS_OF = "2026-06-01T00:00:00Z"
VIRTUAL = {"__glibc": "2.36", "__linux": "5.10", "__unix": "0", "__archspec": "x86_64"}


def record(name: str, version: str = "1.0", build: str = "0", **more: Any) -> dict[str, Any]:
    """A package as an index describes it; a value of None leaves a key out."""
    text = f"{name} {version} {build}"
    found = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "depends": [],
        "license": "MIT",
        "md5": hashlib.md5(text.encode()).hexdigest(),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "size": 1000,
        "subdir": "linux-64",
        "timestamp": JANUARY,
        **more,
    }
    return {key: value for key, value in found.items() if value is not None}


def write_channel(
    folder: Path, *records: dict[str, Any], info: dict[str, Any] | None = None
) -> str:
    """Write a channel's indexes; return its ``file:`` URL."""
    for subdir in ("linux-64", "noarch"):
        mine = {
            f"{item['name']}-{item['version']}-{item['build']}.conda": item
            for item in records
            if item["subdir"] == subdir
        }
        document = {
            "info": {"subdir": subdir, **(info or {})},
            "packages": {},
            "packages.conda": mine,
            "repodata_version": 1,
        }
        (folder / subdir).mkdir(parents=True, exist_ok=True)
        (folder / subdir / "repodata.json").write_text(json.dumps(document))
    return folder.resolve().as_uri()


def asked(text: str, line: int = 1) -> CondaRequirement:
    """A spec of ``environment.yml``, such as ``conda-forge::numpy >=2``."""
    channel, _, bare = text.rpartition("::")
    return CondaRequirement(bare, Where("environment.yml", line), channel or None)


class Room:
    """A store and some channels to solve against, those of higher priority first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store.open(folder / "store")
        self.channels: list[CondaChannel] = []

    def channel(self, name: str, *records: dict[str, Any], **more: Any) -> CondaChannel:
        url = write_channel(self.folder / "channels" / name, *records, **more)
        channel = CondaChannel(name, (url,), url)
        self.channels = [item for item in self.channels if item.name != name] + [channel]
        return channel

    def request(self, *texts: str, **more: Any) -> CondaRequest:
        values: dict[str, Any] = {
            "channels": tuple(self.channels),
            "specs": tuple(asked(text, line) for line, text in enumerate(texts, 1)),
            "subdir": "linux-64",
            "virtual_packages": VIRTUAL,
            "as_of": AS_OF,
            **more,
        }
        return CondaRequest(**values)

    def solve(self, *texts: str, **more: Any) -> CondaResolution:
        request = self.request(*texts, **more)
        return solve(request, config=Config(), store=self.store, report=SilentReporter())

    def fails(self, *texts: str, **more: Any) -> FreezerError:
        """Solve what cannot be solved; return the error."""
        try:
            found = self.solve(*texts, **more)
        except FreezerError as error:
            return error
        raise AssertionError(f"solved: {pins(found)}")


def pins(resolution: CondaResolution) -> dict[str, str]:
    """Return ``{"numpy": "2.2.1 py312_0"}``."""
    return {item.name: f"{item.version} {item.build}" for item in resolution.packages}


def kept(resolution: CondaResolution) -> dict[str, Any]:
    """Return an answer as what the next request should keep."""
    return {item.name: item for item in resolution.packages}


def names(items: Sequence[Any]) -> list[str]:
    return [item.name for item in items]
