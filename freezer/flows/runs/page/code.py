"""Code of the runs on a page: the files that differ between commits and patches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.errors import FreezerError
from freezer.flows.runs.diff import limited
from freezer.flows.runs.explain.changed_code import commit_changes, patched_files
from freezer.ledger import query
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.project.project import Project
    from freezer.ledger.connect import Ledger
    from freezer.model.record.run import Run

MOST_COMMITS: Final = 20
"""Commits that are compared with each other, the most recently used."""
MOST_PATCHES: Final = 200
MOST_PATCHED: Final = 200
"""Files of one patch; a larger one is not explained."""
_MOST_BYTES: Final = 64 << 20
"""Bytes of all patches that are read."""


def commits_of(project: Project, runs: Sequence[Run]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the files that differ between the commits of runs, for each pair in one direction.

    As many are listed as `freezer.flows.runs.diff` lists.
    """
    commits = _digests(runs, "git.commit")[:MOST_COMMITS]
    found = commit_changes(project.root, commits)
    return {pair: limited(lines) for pair, lines in found.items() if lines}


def patches_of(ledger: Ledger, runs: Sequence[Run]) -> dict[str, dict[str, str]]:
    """Return the files that the patches of runs change, by the digest of the patch."""
    found: dict[str, dict[str, str]] = {}
    room = _MOST_BYTES
    for digest in _digests(runs, "git.patch")[:MOST_PATCHES]:
        try:
            patch = query.content(ledger, digest)
        except FreezerError:
            continue
        room -= len(patch)
        if room < 0:
            break
        files = patched_files(patch)
        if len(files) <= MOST_PATCHED:
            found[digest] = files
    return found


def _digests(runs: Sequence[Run], name: str) -> list[str]:
    """Return the different digests that runs have in a field, in the order of the runs."""
    values = (run.fields.get(name) for run in runs)
    return list(dict.fromkeys(one.text for one in values if isinstance(one, Digest)))
