"""Searches for the cause of changed results: runs the experiments until one explains them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.cause.experiments import ExperimentResult, experiments
from freezer.check.compare.numbers import compare_numbers
from freezer.check.smoke import Varied
from freezer.model.record.verdict import CHANGED

if TYPE_CHECKING:
    from freezer.check.smoke import SmokeRunner
    from freezer.model.record.record import Record


def find_cause(
    expected: Record, found: Record, runner: SmokeRunner
) -> tuple[ExperimentResult, ...]:
    """Restore the differences between two hosts one at a time; return all experiments.

    Stops at the first experiment that restores all results of ``expected``. Empty when nothing can
    be restored, or when only versions and settings differ. Raises ``CheckError`` when a run cannot
    be started.
    """
    if compare_numbers(expected, found).word not in CHANGED:
        return ()
    results: list[ExperimentResult] = []
    for experiment in experiments(expected.host, found.host):
        title = f"Searching for the cause: {experiment.title}"
        record = runner.run(title, Varied(experiment.environment))
        results.append(ExperimentResult(experiment, compare_numbers(expected, record)))
        if results[-1].is_cause:
            break
    return tuple(results)
