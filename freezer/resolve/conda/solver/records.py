"""rattler's records and documents, one made from the other. Only the solver's process uses it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from rattler import BuildString, Channel, PackageRecord, RepoDataRecord


def channel_id(name: str) -> str:
    """Return what stands for a channel in records: its name under rattler's own default."""
    return str(Channel(name).base_url)


def locked(item: dict[str, Any]) -> RepoDataRecord:
    """Return a locked package as a record that a solver may keep."""
    record = PackageRecord(
        name=item["name"],
        version=item["version"],
        build=BuildString(item["build"]),
        build_number=item["build_number"],
        subdir=item["subdir"],
        noarch=item["noarch"],
        depends=item["depends"],
        constrains=item["constrains"],
        sha256=bytes.fromhex(item["sha256"]),
        md5=bytes.fromhex(item["md5"]) if item["md5"] else None,
        size=item["size"],
        license=item["license"],
        python_site_packages_path=item["python_site_packages_path"],
    )
    if item["timestamp"] is not None:
        record.timestamp = datetime.fromtimestamp(item["timestamp"] / 1000, UTC)
    channel = channel_id(item["channel"])
    return RepoDataRecord(
        record, item["file"], f"{channel}{item['subdir']}/{item['file']}", channel
    )


def document(record: RepoDataRecord, names: dict[str, str]) -> dict[str, Any]:
    """Return a record as repodata has it, with the channel's name and a time in milliseconds."""
    found: dict[str, Any] = json.loads(record.to_json())
    found["channel"] = names[record.channel]
    found["timestamp"] = milliseconds(record)
    if record.url.startswith(record.channel):
        # Where it lies decides, not what the record says of itself.
        found["subdir"] = record.url.removeprefix(record.channel).partition("/")[0]
    return found


def milliseconds(record: PackageRecord) -> int | None:
    """Return when a package was built, in milliseconds since 1970, UTC."""
    return None if record.timestamp is None else round(record.timestamp.timestamp() * 1000)
