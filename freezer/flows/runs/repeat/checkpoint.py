"""The verified outputs of a run, from which another one continues."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import RunError, Where
from freezer.flows.runs.folders import run_folder
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.results.outputs import list_outputs
from freezer.ledger import query
from freezer.ledger.record import change
from freezer.model.canonical import digest, json_bytes
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.flows.project.project import Project
    from freezer.model.record.run import Output, Run, Value

FIELD: Final = "resumed-from"
_NAMED: Final = 5
"""Maximum number of files listed in an error."""


@dataclass(frozen=True)
class Checkpoint:
    """What a run continues from: files that another run left."""

    run: str
    folder: Path
    """The outputs of that run on this host."""
    path: str
    """The selected file or folder among them; empty for all."""
    sha256: str
    """Over the names and digests of the files."""

    def fields(self) -> Mapping[str, Value]:
        """Return the fields to record."""
        found: dict[str, Value] = {FIELD: self.run, f"{FIELD}.digest": Digest(self.sha256)}
        return {**found, f"{FIELD}.path": self.path} if self.path else found


def checkpoint_of(project: Project, run: Run, path: str = "") -> Checkpoint:
    """Return the outputs of a run, or a part of them, every file verified.

    Raises ``RunError`` for outputs that are not here, for files that were changed, removed or added
    since, and for a path that is none of them.
    """
    folder = _folder(project, run)
    run = _with_outputs(project, run, folder)
    path = path.strip("/")
    wanted = [one for one in run.outputs if _within(one.path, path)]
    if not wanted:
        raise RunError(
            f"run {run.id} has no output {path!r}" if path else f"run {run.id} left no output",
            expected=", ".join(one.path for one in run.outputs[:_NAMED])
            or "a run with a checkpoint",
        )
    now, _ = list_outputs(folder, project.report)
    _require_same(run, wanted, [one for one in now if _within(one.path, path)])
    return Checkpoint(run.id, folder, path, outputs_digest(wanted))


def recorded_checkpoint(project: Project, run: Run) -> Checkpoint | None:
    """Return the checkpoint of a recorded run; None if it did not continue another one.

    Raises ``RunError`` where it is no longer the same.
    """
    source, wanted = run.fields.get(FIELD), run.fields.get(f"{FIELD}.digest")
    if not isinstance(source, str) or not isinstance(wanted, Digest):
        return None
    with project_ledger(project) as ledger:
        earlier = query.get(ledger, source)
    found = checkpoint_of(project, earlier, str(run.fields.get(f"{FIELD}.path", "")))
    if found.sha256 != wanted.text:
        raise RunError(
            f"run {run.id} continued from other outputs of run {earlier.id}",
            found=found.sha256[:12],
            expected=wanted.text[:12],
        )
    return found


def outputs_digest(outputs: Iterable[Output]) -> str:
    """Return the SHA-256 over the names and digests of some files."""
    return digest(json_bytes(sorted([one.path, one.sha256] for one in outputs)))


def _folder(project: Project, run: Run) -> Path:
    recorded = run.owner.get("output")
    places = [Path(recorded)] if isinstance(recorded, str) else []
    places.append(run_folder(project, run.id) / "output")
    for place in places:
        if place.is_dir():
            return place
    raise RunError(
        f"the outputs of run {run.id} are not on this host",
        where=Where(str(places[0])),
        found=f"it ran on {run.fields.get('host.name', 'another host')}",
        hint="copy them here, or continue the run on that host",
    )


def _with_outputs(project: Project, run: Run, folder: Path) -> Run:
    """Return a run with its outputs; records those of a killed run."""
    if run.outputs or run.state != "interrupted":
        return run
    project.engine().remove_dead()  # its container may go on without it
    outputs, _ = list_outputs(folder, project.report)
    if not outputs:
        return run
    project.report.note(f"run {run.id} was killed: its outputs are recorded now")

    def add(known: Run) -> Run:
        return known if known.outputs else replace(known, outputs=outputs)

    with project_ledger(project) as ledger:
        return change(ledger, run.id, add)


def _within(path: str, wanted: str) -> bool:
    return not wanted or path == wanted or path.startswith(f"{wanted}/")


def _require_same(run: Run, wanted: Iterable[Output], now: Iterable[Output]) -> None:
    before = {one.path: one.sha256 for one in wanted}
    after = {one.path: one.sha256 for one in now}
    faults = [
        *(f"{path}: changed" for path in before if after.get(path, before[path]) != before[path]),
        *(f"{path}: missing" for path in before if path not in after),
        *(f"{path}: not of this run" for path in after if path not in before),
    ]
    if faults:
        more = len(faults) - _NAMED
        raise RunError(
            f"the outputs of run {run.id} have changed",
            details=[*faults[:_NAMED], *([f"... and {more} more"] if more > 0 else [])],
            hint="restore them: a run continues from the recorded outputs only",
        )
