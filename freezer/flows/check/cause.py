"""Why numbers moved, by experiment: the trainings again with one thing as the reference had it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.audit.effects import numbers_only
from freezer.check.cause.experiments import Tried, experiments
from freezer.check.compare.compare import compare
from freezer.check.smoke import Varied
from freezer.flows.check.run_training import vary
from freezer.model.record.verdict import MOVED

if TYPE_CHECKING:
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.record.record import Record


def find_cause(
    project: Project, locked: Locked, image: str, expected: Record, found: Record
) -> tuple[Tried, ...]:
    """Put back what differs between two records' hosts, one thing at a time; return all trials.

    Nothing is tried where settings and versions differ, and no number does. Ends with the first
    that brings every number back. Empty where nothing can be put back. Raises ``CheckError`` when
    a run cannot be started.
    """
    tried: list[Tried] = []
    if compare(numbers_only(expected), numbers_only(found)).word not in MOVED:
        return ()
    for experiment in experiments(expected.host, found.host):
        title = f"Looking for the cause: {experiment.title}"
        record = vary(project, locked, image, title, Varied(experiment.environment))
        # Numbers alone: what was put back reads back, and the reference may not have told it.
        verdict = compare(numbers_only(expected), numbers_only(record))
        tried.append(Tried(experiment, verdict))
        if tried[-1].is_cause:
            break
    return tuple(tried)
