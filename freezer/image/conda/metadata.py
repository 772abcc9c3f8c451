"""conda's metadata of installed packages: ``conda-meta/NAME-VERSION-BUILD.json``.

Written from the lock and the package alone. Fields about the machine that linked it (the cache's
path, the link type) are left out, so the record is the same on every host.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from freezer.fetch.conda.channels import default_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.image.conda.link import Linked
    from freezer.model.lock import CondaPackage

FOLDER = "conda-meta"
HISTORY = f"{FOLDER}/history"


def record_path(package: CondaPackage) -> str:
    """Return the path of a package's record, relative to the prefix."""
    return f"{FOLDER}/{package.name}-{package.version}-{package.build}.json"


def record_bytes(
    package: CondaPackage, linked: Sequence[Linked], hashes: Mapping[str, tuple[str, int]]
) -> bytes:
    """Return a package's record; ``hashes`` are SHA-256 and size of each linked file by path."""
    facts = {
        key: value
        for key, value in package.model_dump(by_alias=False).items()
        if key in _FACTS and value is not None
    }
    channel = default_url(quote(package.channel))
    document = {
        **facts,
        "channel": f"{channel}/{package.subdir}",
        "files": [item.path for item in linked],
        "fn": package.file,
        "paths_data": {
            "paths": [_path(item, hashes.get(item.path)) for item in linked],
            "paths_version": 1,
        },
        "requested_specs": [package.name] if package.requested else [],
        "url": f"{channel}/{package.subdir}/{quote(package.file)}",
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


_FACTS = frozenset(
    {
        *("name", "version", "build", "build_number", "subdir", "noarch", "depends", "constrains"),
        *("md5", "sha256", "size", "license", "timestamp", "python_site_packages_path"),
    }
)


def _path(item: Linked, fact: tuple[str, int] | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"_path": item.path, "path_type": item.kind}
    listed = item.listed
    if item.kind == "softlink" and listed is not None and listed.sha256:
        entry["sha256"] = listed.sha256
    if fact is None:
        return entry
    entry["sha256"], entry["size_in_bytes"] = fact
    if listed is not None and listed.placeholder:
        entry["sha256"] = listed.sha256 or fact[0]
        entry["sha256_in_prefix"] = fact[0]
        entry["prefix_placeholder"] = listed.placeholder
        entry["file_mode"] = "binary" if listed.binary else "text"
    return entry


def history_bytes(packages: Iterable[CondaPackage], epoch: int) -> bytes:
    """Return the environment's history file, with the lock's time and requested packages.

    conda recognises an environment by this file.
    """
    every = sorted(packages, key=lambda package: package.name)
    requested = [package.name for package in every if package.requested]
    lines = [
        f"==> {datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S} <==",
        "# cmd: freeze build",
        *(f"+{p.channel}/{p.subdir}::{p.name}-{p.version}-{p.build}" for p in every),
        f"# update specs: {json.dumps(requested)}",
    ]
    return "".join(f"{line}\n" for line in lines).encode()
