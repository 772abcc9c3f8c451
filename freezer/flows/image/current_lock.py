"""The current lock of an environment, with a warning when its spec has changed since.

A lock does not change when the spec, or a file that the spec names, is edited: images and checks
use what was locked. Commands that use a lock warn, because a verdict on the old training could be
taken for one on the new.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from freezer import __version__
from freezer.data.cache import SLACK
from freezer.data.walk import walk
from freezer.errors import FreezerError
from freezer.flows.project.environment import (
    IMAGES,
    SPEC_FILE,
    environments,
    load_environment,
    load_locked,
)
from freezer.model.canonical import digest, json_bytes
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project

_MEMO: Final = "spec-change"
_MOST: Final = 1000
"""Files in a spec's folder, up to which a look at all of them is quicker than to compare them."""
_LARGEST: Final = 1 << 20
"""Bytes of a file that is searched for paths."""
_OUTSIDE: Final = re.compile(rb"\.\.|\$|file:|(?:^|[\s'\"=\[,{(])[/~]|:[/~](?!/)", re.MULTILINE)
"""A path to a parent, an absolute one, one of a user's own folder, or a variable."""


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
    key = _key(project, locked)
    kept = None if key is None else project.store.get_memo(_MEMO, key)
    if isinstance(kept, dict) and isinstance(warning := kept.get("warning"), str | None):
        return warning
    warning = _spec_change(project, locked)
    if key is not None:
        project.store.put_memo(_MEMO, key, {"warning": warning})
    return warning


def _key(project: Project, locked: Locked) -> str | None:
    """Return a name for all that `spec_change` depends on; None where that takes too long to say.

    The project's own folder can hold anything. Requirement files may name files elsewhere, and a
    pyproject.toml has its workspace above it: then each use compares anew.
    """
    folder = project.root / IMAGES / locked.lock.name
    if not (folder / SPEC_FILE).is_file():
        return None
    now = time.time_ns()
    try:
        found = walk(folder, None, locked.lock.name)
    except FreezerError:
        return None
    if len(found.paths) > _MOST or max(found.ctimes) + SLACK > now:
        return None
    if any(_may_lead_out(folder / path) for path in found.paths):
        return None
    config = digest(json_bytes(asdict(project.config)))
    return f"{__version__} {locked.id} {config} {folder} {found.signature()}"


def _may_lead_out(path: Path) -> bool:
    """Return whether a file may name others beyond its folder; code is not read, but hashed."""
    if path.suffix == ".py":
        return False
    if path.suffix == ".toml" or not path.is_file():
        return True
    try:
        return path.stat().st_size > _LARGEST or _OUTSIDE.search(path.read_bytes()) is not None
    except OSError:
        return True


def _spec_change(project: Project, locked: Locked) -> str | None:
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
