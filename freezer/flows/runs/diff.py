"""`freeze runs diff`: why two runs differ, and where their results diverge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.data.diff import data_diff
from freezer.data.listing import read_listing
from freezer.errors import FreezerError
from freezer.flows.compare.diff import diff as lock_diff
from freezer.flows.runs.explain.changed_code import (
    commit_changes,
    patch_changes,
    patched_files,
)
from freezer.flows.runs.explain.contrast import Cause, contrast, ranked, varying
from freezer.flows.runs.explain.divergence import Results, results
from freezer.flows.runs.ledger import project_ledger
from freezer.ledger import query
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.data.diff import DataDiff
    from freezer.flows.project.project import Project
    from freezer.ledger.connect import Ledger
    from freezer.model.record.run import Run, Value

MOST = 20
"""Maximum number of changed files or packages listed for one cause."""


@dataclass(frozen=True)
class RunsDiff:
    """Two runs compared."""

    first: Run
    second: Run
    causes: tuple[Cause, ...]
    results: Results


def diff(project: Project, first: str, second: str) -> RunsDiff:
    """Compare two runs. Raises ``LedgerError`` for an unknown one."""
    with project_ledger(project, reading=True) as ledger:
        one, other = query.get(ledger, first), query.get(ledger, second)
        causes = [_explained(project, ledger, cause, one, other) for cause in contrast(one, other)]
        series = query.all_points(ledger, one.id), query.all_points(ledger, other.id)
    return RunsDiff(one, other, tuple(ranked(causes)), results(one, other, *series))


def several(
    project: Project, names: Sequence[str]
) -> tuple[list[Run], dict[str, list[Value | None]]]:
    """Return three runs or more, and the fields in which they differ."""
    with project_ledger(project, reading=True) as ledger:
        runs = [query.get(ledger, name) for name in names]
    return runs, varying(runs)


def _explained(project: Project, ledger: Ledger, cause: Cause, one: Run, other: Run) -> Cause:
    """Return a cause with its details: changed files or packages."""
    try:
        if cause.area == "data":
            return replace(cause, details=_files(ledger, cause, one, other))
        if cause.name == "lock" and one.environment == other.environment:
            return _packages(project, cause, one, other)
        if cause.name == "git.commit" and cause.level != "unlikely":
            return replace(cause, details=_committed(project, one, other))
        if cause.name == "git.patch" and cause.level != "unlikely":
            patches = (_patch(ledger, run) for run in (one, other))
            return replace(cause, details=limited(patch_changes(*map(patched_files, patches))))
    except FreezerError as error:  # a missing list or lock leaves the cause without details
        return replace(cause, details=(error.what,))
    return cause


def _files(ledger: Ledger, cause: Cause, one: Run, other: Run) -> tuple[str, ...]:
    lists = []
    for run in (one, other):
        named = run.fields.get(f"{cause.name}.list")
        if not isinstance(named, Digest):
            return ()
        lists.append(read_listing(query.content(ledger, named.text), cause.name))
    return limited(changed_lines(data_diff(*lists)))


def changed_lines(found: DataDiff) -> list[str]:
    """Return a line for each file that was added, removed, changed or moved."""
    return [
        *(f"+ {item.path}" for item in found.added),
        *(f"- {item.path}" for item in found.removed),
        *(f"~ {new.path}" for _, new in found.changed),
        *(f"> {old.path} -> {new.path}" for old, new in found.moved),
    ]


def _packages(project: Project, cause: Cause, one: Run, other: Run) -> Cause:
    locks = [str(run.fields["lock"]) for run in (one, other)]
    found = lock_diff(project, one.environment, *locks)
    if not found.suspects:
        return replace(cause, level="unlikely", why="no package that moves results changed")
    lines = [f"{item.level}: {item.what}: {item.why}" for item in found.suspects]
    return replace(cause, level=found.suspects[0].level, details=limited(lines))


def _committed(project: Project, one: Run, other: Run) -> tuple[str, ...]:
    """Return the files that differ between two commits; empty if the repository lacks one."""
    commits = [str(run.fields.get("git.commit", "")) for run in (one, other)]
    return limited(commit_changes(project.root, commits).get((commits[0], commits[1]), []))


def _patch(ledger: Ledger, run: Run) -> bytes:
    named = run.fields.get("git.patch")
    return query.content(ledger, named.text) if isinstance(named, Digest) else b""


def limited(lines: list[str]) -> tuple[str, ...]:
    """Return the first `MOST` lines, and how many more there are."""
    more = [f"... and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return (*lines[:MOST], *more)
