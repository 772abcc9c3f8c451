"""The solver's process: one JSON query on stdin, one JSON result on stdout.

rattler sometimes crashes when the interpreter that used it exits, and its panics are no ordinary
exceptions. So it runs in a child that writes its result and exits at once (``os._exit``).

The child sees no address: channels have names only, and each index is a file.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import os
import re
import sys
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from rattler import (
    BuildString,
    Channel,
    ChannelPriority,
    GenericVirtualPackage,
    MatchSpec,
    PackageFormatSelection,
    PackageName,
    RepoDataRecord,
    SparseRepoData,
    Version,
    solve_with_sparse_repodata,
)
from rattler.exceptions import SolverError

from freezer.resolve.conda.nearest import nearest
from freezer.resolve.conda.solver.records import channel_id, document, locked, milliseconds
from freezer.resolve.conda.solver.subset import write_subset

_MAX_VERSIONS = 5
_ALIKE = 0.7
"""Minimum similarity of suggested names: ``cpython`` for ``cython``, not ``git`` for ``ignite``."""
_PINNED = re.compile(r"={0,2}[0-9][^,|<>=!~]*")
_BOTH = PackageFormatSelection.BOTH


class UnreadableIndexError(Exception):
    """An index that rattler cannot parse."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number


def main() -> None:
    """Process one query and exit without the interpreter's own shutdown."""
    found = answer(json.load(sys.stdin))
    with os.fdopen(1, "wb", closefd=False) as out:
        out.write(json.dumps(found).encode())
    os._exit(0)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Return the result of `respond`, or its exception in the same form."""
    try:
        return respond(question)
    except UnreadableIndexError as error:
        return {"unreadable": error.number, "text": str(error)}
    except BaseException as error:  # noqa: BLE001  a panic of rattler is no Exception
        return {"failure": f"{type(error).__name__}: {error}"}


def respond(question: dict[str, Any]) -> dict[str, Any]:
    """Return ``{"records": [...]}``, or diagnostics when there is no solution."""
    indexes = [_index(number, item) for number, item in enumerate(question["indexes"])]
    if "subset" in question:
        return {"records": write_subset(question, indexes)}
    if "find" in question:
        return {"found": [_find(item, question, indexes) for item in question["find"]]}
    try:
        records = asyncio.run(_solve(question, [index for index, _ in indexes]))
    except SolverError as error:
        return {
            "unsolved": str(error),
            "offers": [_offer(item, indexes) for item in question["specs"]],
        }
    names = {channel_id(name): name for _, name in indexes}
    return {"records": [document(record, names) for record in records]}


def _index(number: int, item: dict[str, str]) -> tuple[SparseRepoData, str]:
    channel = Channel(item["channel"])
    try:
        return SparseRepoData(channel, item["subdir"], item["path"]), item["channel"]
    except Exception as error:
        raise UnreadableIndexError(number, str(error)) from error


async def _solve(question: dict[str, Any], indexes: list[SparseRepoData]) -> list[RepoDataRecord]:
    # rattler replaces the time zone by UTC without converting, so the time must be in UTC.
    cutoff = datetime.fromisoformat(question["as_of"]).astimezone(UTC)
    return await solve_with_sparse_repodata(
        specs=[MatchSpec(item["text"]) for item in question["specs"]],
        sparse_repodata=indexes,
        locked_packages=[locked(item) for item in question["keep"] if _may_be_kept(item, question)],
        virtual_packages=[_virtual(*item) for item in question["virtual"]],
        channel_priority=ChannelPriority.Strict,
        constraints=[MatchSpec(text) for text in question["constraints"]],
        exclude_newer=cutoff,
        timestamp_policy="allow-missing" if question["undated"] else "require-timestamp",
    )


def _find(
    wanted: dict[str, str], question: dict[str, Any], indexes: list[tuple[SparseRepoData, str]]
) -> dict[str, Any]:
    """Return the record of one archive, or the archives of that package that exist."""
    names = {channel_id(name): name for _, name in indexes}
    every = [
        record
        for (index, channel), item in zip(indexes, question["indexes"], strict=True)
        if channel == wanted["channel"] and item["subdir"] in (wanted["subdir"], "noarch")
        for record in (document(r, names) for r in index.load_records(wanted["name"], _BOTH))
    ]
    for record in every:
        if (record["fn"], record["subdir"]) == (wanted["file"], wanted["subdir"]):
            return {"record": record}
    return {"others": [[item["version"], item["build"]] for item in every]}


def _virtual(name: str, version: str, build: str) -> GenericVirtualPackage:
    return GenericVirtualPackage(PackageName(name), Version(version), BuildString(build))


def _may_be_kept(item: dict[str, Any], question: dict[str, Any]) -> bool:
    """Return whether a package may be kept: built in time, on a requested channel."""
    channels = {index["channel"] for index in question["indexes"]}
    cutoff = datetime.fromisoformat(question["as_of"]).timestamp() * 1000
    return item["channel"] in channels and (item["timestamp"] or 0) <= cutoff


def _offer(
    requirement: dict[str, Any], indexes: list[tuple[SparseRepoData, str]]
) -> dict[str, Any]:
    """Return the channels' packages for one spec, to explain what is wrong with it."""
    spec = MatchSpec(requirement["bare"])
    name = str(spec.name.normalized)
    mine = [index for index, channel in indexes if requirement["channel"] in (None, channel)]
    found = list(chain.from_iterable(index.load_records(name) for index in mine))
    matching = [record for record in found if record.matches(spec)]
    return {
        "name": name,
        "channels": list(dict.fromkeys(c for index, c in indexes if index.load_records(name))),
        "versions": _newest(found),
        "matching": _newest(matching),
        "first": min((milliseconds(record) or 0 for record in matching), default=0),
        "near": [] if matching else _near(spec, found) if found else _alike(name, mine),
    }


def _near(spec: MatchSpec, found: list[RepoDataRecord]) -> list[str]:
    """Return builds of the requested version, or the neighbouring versions.

    Empty for a range of versions: the newest ones are more useful then.
    """
    any_build = MatchSpec(f"{spec.name.normalized} {spec.version or '*'}")
    if same := [record for record in found if record.matches(any_build)]:
        return list(nearest("", "", {(str(item.version), str(item.build)) for item in same}))
    if not _PINNED.fullmatch(str(spec.version)):
        return []
    others = {(str(record.version), "") for record in found}
    return [text.strip() for text in nearest(str(spec.version), "", others)]


def _alike(name: str, indexes: list[SparseRepoData]) -> list[str]:
    """Return similar names, for a misspelt one."""
    every = set(chain.from_iterable(index.package_names() for index in indexes))
    return difflib.get_close_matches(name, every, n=3, cutoff=_ALIKE)


def _newest(records: list[RepoDataRecord]) -> list[str]:
    """Return the newest versions with their build kinds, newest first."""
    versions = sorted({record.version for record in records}, reverse=True)
    return [str(version) for version in versions[:_MAX_VERSIONS]]


if __name__ == "__main__":
    main()
