"""Data sets of a submitted run: their mounts, and the state of the files whose digest was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.data.snapshot import members_of
from freezer.flows.runs.data_mounts import SOURCES, data_mounts
from freezer.flows.runs.request import DATA
from freezer.inside.freezer_host.data_state import data_state

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from freezer.data.snapshot import Snapshot
    from freezer.engine.interface import Mount
    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.project import Project


def data_of_task(
    project: Project, sets: Iterable[tuple[DataSet, Snapshot]], views: Path
) -> tuple[list[Mount], dict[str, dict[str, Any]]]:
    """Return the mounts of data sets, and of each set the files and their state.

    The digests were taken just now; the node compares names, sizes and times, which takes no
    reading, so that a set which changes before the job starts is not taken for the recorded one.
    """
    mounts: list[Mount] = []
    states: dict[str, dict[str, Any]] = {}
    for one, snapshot in sets:
        own = data_mounts(project, [(one, snapshot)], DATA, views)
        sources = [mount.source for mount in own]
        if any(mount.target.startswith(f"{SOURCES}/") for mount in own):  # a view of many files
            members = members_of(snapshot, project.store)
            sources = [f"{one.root}/{member.path}" for member in members if member.kind == "f"]
        mounts += own
        states[one.name] = {"sources": sources, "state": data_state(sources)}
    return mounts, states
