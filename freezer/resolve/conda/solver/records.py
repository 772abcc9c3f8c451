"""Conversion between rattler's records and JSON documents; for the worker only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from rattler import BuildString, Channel, PackageRecord, RepoDataRecord


def channel_id(name: str) -> str:
    """Return the identifier of a channel in records: its name under rattler's default URL."""
    return str(Channel(name).base_url)


def locked(item: dict[str, Any]) -> RepoDataRecord:
    """Return a locked package as a record that a solver can prefer."""
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
    """Return a record as in repodata, with the channel's name and times in milliseconds."""
    found: dict[str, Any] = json.loads(record.to_json())
    found["channel"] = names[record.channel]
    found["timestamp"] = milliseconds(record)
    if record.url.startswith(record.channel):
        # Its location is authoritative, not the record's own field.
        found["subdir"] = record.url.removeprefix(record.channel).partition("/")[0]
    return found


def milliseconds(record: PackageRecord) -> int | None:
    """Return a package's build time in milliseconds since 1970, UTC."""
    return None if record.timestamp is None else round(record.timestamp.timestamp() * 1000)
