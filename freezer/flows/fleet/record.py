"""References made on a cluster: two hosts of a class must agree to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.reference import write_reference
from freezer.errors import BusyError, CheckError, FreezerError, HistoryError, HostError
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.check.record import record_check
from freezer.flows.fleet.gather import Gatherer
from freezer.flows.history.recorded import ensure_references, readable_history
from freezer.flows.image.inventory_cache import inventory_of
from freezer.model.record.inventory import note_of
from freezer.model.record.verdict import Word

if TYPE_CHECKING:
    from freezer.fleet.folder import FleetFolder
    from freezer.fleet.result import HostResult
    from freezer.flows.fleet.gather import Fleet
    from freezer.flows.fleet.judge import Judge
    from freezer.flows.project.project import Project
    from freezer.model.record.record import Record


def record_references(project: Project, folder: FleetFolder) -> Fleet:
    """Record the reference of each environment and class on which at least two hosts agree.

    Every host of the class that came to an end must have the same results; otherwise nothing is
    recorded for the class, and a warning says why. Return the fleet, judged by the new references.
    """
    gatherer = Gatherer(project, folder)
    found: dict[tuple[str, str], list[tuple[str, HostResult]]] = {}
    for row, result in gatherer.results():
        if row.class_ and row.state.word is not Word.FAILED:
            found.setdefault((row.environment, row.class_), []).append((row.fingerprint, result))
    for (name, class_), results in sorted(found.items()):
        problem = _disagreement([fingerprint for fingerprint, _ in results])
        if problem is None:
            _record(project, gatherer.judge(name), results[0][1])
            project.report.note(f"{name}: reference of class {class_} by {len(results)} hosts")
        else:
            project.report.warn(f"{name}: no reference of class {class_}: {problem}")
    return Gatherer(project, folder).read()


def _disagreement(fingerprints: list[str]) -> str | None:
    if len(fingerprints) < 2:
        return "only one host of it has results, and two must agree"
    count = len(set(fingerprints))
    return f"{len(fingerprints)} hosts have {count} different results" if count > 1 else None


def _record(project: Project, judge: Judge, result: HostResult) -> None:
    """Write the reference of one class, and record the check in the history."""
    record, locked = _with_inventory(project, judge.record(result)), judge.locked
    if locked is None:
        raise CheckError("the project has another lock by now", hint="start the check again")
    past = readable_history(project, locked.lock.name)
    ensure_references(project, locked, past, renewed=record.host.class_)
    with disk_errors(locked.folder):
        write_reference(locked.folder, record)
    try:
        record_check(project, locked, record, Word.IDENTICAL)
    except (HistoryError, HostError, BusyError) as error:
        project.report.warn(f"the check is not in the history: {error}")


def _with_inventory(project: Project, record: Record) -> Record:
    try:
        note = note_of(inventory_of(project, record.image))
    except FreezerError as error:
        project.report.warn(f"changed libraries cannot be named: {error.what}")
        return record
    return record.model_copy(update={"inventory": note})
