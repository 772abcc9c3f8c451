"""Likely causes of changed results from two records alone, where no run can be made. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.check.cause.experiments import experiments
from freezer.check.cause.not_repeatable import why_not_repeatable
from freezer.check.compare.differences import explains
from freezer.model.record.word import CHANGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.record.record import Record
    from freezer.model.record.verdict import Verdict

MOST: Final = 4


def recorded_causes(
    expected: Record, found: Record, verdict: Verdict, measured: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return sentences on why a host's results differ from the reference, the likeliest first.

    Differences of inputs, settings and kernels come first, then what an experiment on that host
    would restore. Without any the first difference itself is read, with ``measured`` effects of the
    libraries that fit the training. Empty for a verdict without a change.
    """
    if verdict.word not in CHANGED:
        return ()
    causes = [cause for cause in verdict.causes if explains([cause])]
    tried = experiments(expected.host, found.host)
    if causes:
        steps = [f"`freeze check` on the host would try it with {tried[0].title}"] if tried else []
        return (*causes[: MOST - len(steps)], *steps)
    unexplained = (
        f"{one.training}: settings, kernels, versions and data are those of the reference; "
        f"{why_not_repeatable(one.first, ())}"
        for one in verdict.trainings
        if one.first is not None
    )
    return (*measured, *unexplained)[:MOST]
