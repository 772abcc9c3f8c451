"""A small channel cut out of large ones: the records that a request can reach.

For solvers without cut-off or constraints, which should see no address: the records are selected
here by the same rules and written as one channel in a folder.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rattler import MatchSpec

from freezer.resolve.conda.solver.records import channel_id, document, milliseconds
from freezer.resolve.conda.specname import spec_name

if TYPE_CHECKING:
    from rattler import RepoDataRecord, SparseRepoData

    Indexes = list[tuple[SparseRepoData, str]]


def write_subset(question: dict[str, Any], indexes: Indexes) -> list[dict[str, Any]]:
    """Write the channel into the folder ``question["subset"]``; return its records.

    Each name comes from the first channel that has it, or from the one in its spec; records newer
    than the cut-off or against a constraint are left out. Names in ``only`` have that one file.
    """
    chosen = _Chosen(question, indexes)
    chosen.follow([spec_name(item["bare"]) for item in question["specs"]])
    folder = Path(question["subset"])
    for subdir in {"noarch", question["subdir"]}:
        mine = [item for item in chosen.records if item["subdir"] == subdir]
        _write(folder / subdir, subdir, mine)
    return chosen.records


class _Chosen:
    def __init__(self, question: dict[str, Any], indexes: Indexes) -> None:
        self.records: list[dict[str, Any]] = []
        self._indexes = indexes
        self._names = {channel_id(name): name for _, name in indexes}
        self._cutoff = datetime.fromisoformat(question["as_of"]).timestamp() * 1000
        self._undated = bool(question["undated"])
        self._constraints = [MatchSpec(text) for text in question["constraints"]]
        self._only: dict[str, str] = question["only"]
        self._channels = {
            spec_name(item["bare"]): item["channel"]
            for item in question["specs"]
            if item["channel"] is not None
        }

    def follow(self, names: list[str]) -> None:
        """Add all records of some names and of their dependencies."""
        waiting, seen = list(names), set(names)
        while waiting:
            for record in self._fitting(waiting.pop()):
                self.records.append(document(record, self._names))
                for needed in map(spec_name, record.depends):
                    if needed not in seen and not needed.startswith("__"):
                        seen.add(needed)
                        waiting.append(needed)

    def _fitting(self, name: str) -> list[RepoDataRecord]:
        only = self._only.get(name)
        return [
            record
            for record in self._of_channel(name)
            if self._in_time(record)
            and only in (None, record.file_name)
            and all(
                record.matches(spec) for spec in self._constraints if spec.name.normalized == name
            )
        ]

    def _of_channel(self, name: str) -> list[RepoDataRecord]:
        wanted = self._channels.get(name)
        for channel in dict.fromkeys(channel for _, channel in self._indexes):
            if wanted in (None, channel):
                mine = [index for index, other in self._indexes if other == channel]
                if found := [item for index in mine for item in index.load_records(name)]:
                    return found
        return []

    def _in_time(self, record: RepoDataRecord) -> bool:
        built = milliseconds(record)
        return self._undated if built is None else built <= self._cutoff


def _write(folder: Path, subdir: str, records: list[dict[str, Any]]) -> None:
    sections: dict[str, dict[str, Any]] = {"packages": {}, "packages.conda": {}}
    for record in records:
        section = "packages" if record["fn"].endswith(".tar.bz2") else "packages.conda"
        left_out = ("fn", "url", "channel", "timestamp" if record["timestamp"] is None else "")
        kept = {key: value for key, value in record.items() if key not in left_out}
        sections[section][record["fn"]] = kept
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "repodata.json").write_text(
        json.dumps({"info": {"subdir": subdir}, **sections, "repodata_version": 1})
    )
