"""The current lock of an environment, with a warning when its spec has changed since.

A lock does not change when the spec, or a file that the spec names, is edited: images and checks
use what was locked. Commands that use a lock warn, because a verdict on the old training could be
taken for one on the new.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freezer.errors import FreezerError
from freezer.flows.project.environment import environments, load_environment, load_locked
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project


def load_current_lock(project: Project, name: str | None) -> Locked:
    """Return an environment's current lock, as `load_locked` does; warn where its spec changed."""
    locked = load_locked(project.root, name)
    warn_of_spec_change(project, locked)
    return locked


def warn_of_spec_change(project: Project, locked: Locked) -> None:
    """Warn in one line when a current lock is out of date with its spec."""
    warning = spec_change(project, locked)
    if warning is not None:
        project.report.warn(warning)


def spec_change(project: Project, locked: Locked) -> str | None:
    """Return a sentence on what changed in the spec since its lock; None for no change.

    Reads the spec and the files that it names; contacts no index and no engine. None as well for a
    lock without a spec, from a bundle or a registry.
    """
    name = locked.lock.name
    from freezer.flows.lock.lock import spec_changes  # loads the resolvers' models

    try:
        if not has_spec(project, name):
            return None
        changes = spec_changes(replace(project, report=SilentReporter()), locked)
    except FreezerError as error:
        return f"the spec of {name} cannot be compared with this lock: {error.what}"
    if not changes:
        return None
    more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
    return (
        f"the spec has changed since this lock ({changes[0]}{more}): "
        f"run `freeze lock {name}` to update it"
    )


def has_spec(project: Project, name: str) -> bool:
    """Say whether the project has the spec of an environment. Raises ``SpecError``."""
    files = environments(project.root)
    return name in files or ("" in files and load_environment(project.root, "").name == name)
