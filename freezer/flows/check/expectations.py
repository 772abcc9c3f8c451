"""The expectations of a spec, and the result of a check by them.

They are not in the lock: a changed bound needs neither another lock nor another image. So they are
read from the spec as it is now, for every lock of the environment, current or earlier. The check of
an image has none: it needs no project.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freezer.errors import SpecError
from freezer.flows.image.current_lock import has_spec
from freezer.flows.project.environment import load_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.check.assess import Assessment
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.record.outcome import Outcome
    from freezer.model.spec.expect import Expectation


def expectations_of(project: Project, locked: Locked) -> Mapping[str, Expectation]:
    """Return what the spec of a lock's environment expects; warn where it cannot be read."""
    name = locked.lock.name
    try:
        return load_environment(project.root, name).spec.expect if has_spec(project, name) else {}
    except SpecError as error:
        project.report.warn(f"the expectations of {name} are not checked: {error.what}")
        return {}


def as_expected(
    found: Assessment, expectations: Mapping[str, Expectation]
) -> tuple[Assessment, tuple[Outcome, ...]]:
    """Return an assessment by the expectations too, and what each of them came to. Pure."""
    if not expectations:
        return found, ()
    from freezer.check.invariants.hold import in_check, with_outcomes

    outcomes = in_check(expectations, found.record)
    return replace(found, verdict=with_outcomes(found.verdict, outcomes)), outcomes
