"""The history of an environment, opened to be changed: by one process at a time, read once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from freezer.errors import FreezerError
from freezer.fetch.store.atomic import sweep
from freezer.flows.project.environment import LOCKS
from freezer.flows.project.exclusive import exclusive_lock
from freezer.history.archive import INSIDE, PLANS
from freezer.history.changelog import write_changelog
from freezer.history.log import FOLDER, History, append, read_history
from freezer.history.stored import REFERENCES
from freezer.history.switch import apply, begin, begun, end
from freezer.model.generation import Generation
from freezer.model.lockfile import short_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.flows.project.project import Project
    from freezer.history.switch import Switch
    from freezer.model.generation import Checked


class OpenHistory:
    """A history that only this process may change, kept in step with its file."""

    def __init__(self, project: Project, name: str, past: History) -> None:
        self.project = project
        self.name = name
        self.shown = f"{LOCKS}/{name}"
        """The lock folder as messages show it."""
        self.folder = project.root / LOCKS / name
        self.past = past
        """What the file holds now."""
        self.finished: Generation | None = None
        """The generation of a rollback that was cut off and has been finished on opening."""

    def add(self, *entries: Generation | Checked) -> None:
        """Add entries, and write the changelog. Raises ``HistoryError``."""
        self.past = append(self.folder, self.past, *entries)
        write_changelog(self.folder, self.past, self.name)

    def switch(self, switch: Switch) -> None:
        """Make a lock of the past current. From the first write on, a kill cannot undo it."""
        begin(self.folder, switch)
        self._carry_out(switch)

    def finish_switch(self) -> None:
        """Finish a rollback that a kill cut off. Raises ``HistoryError`` when it cannot be."""
        switch = begun(self.folder, self.shown)
        if switch is None:
            return
        self.project.report.note(
            f"Finishing a rollback of {self.name} to lock {short_id(switch.lock_id)} "
            "that was cut off"
        )
        self._carry_out(switch)
        self.finished = next((one for one in switch.entries if isinstance(one, Generation)), None)

    def _carry_out(self, switch: Switch) -> None:
        self.past = apply(self.folder, switch, self.past, self.shown)
        _tag(self.project, switch)
        end(self.folder)

    def sweep(self) -> None:
        """Remove the temporary files of killed processes from the environment's folders."""
        for part in ("", FOLDER, REFERENCES, INSIDE, PLANS):
            sweep(self.folder / part)


@contextmanager
def open_history(project: Project, name: str) -> Iterator[OpenHistory]:
    """Open an environment's history to change it, and finish a rollback that was cut off.

    Other processes wait meanwhile. Raises ``BusyError`` when one holds the environment for an hour,
    and ``HistoryError`` when the history was edited, or two branches were not joined.
    """
    with exclusive_lock(project, name):
        shown = f"{LOCKS}/{name}"
        opened = OpenHistory(project, name, read_history(project.root / shown, shown))
        opened.sweep()
        opened.finish_switch()
        yield opened


def _tag(project: Project, switch: Switch) -> None:
    """Point the tags at the image. The lock is what counts; `freeze build` sets tags as well."""
    repository = switch.name
    try:
        engine = project.engine()
        for tag in (short_id(switch.lock_id), "latest"):
            engine.tag(switch.image, repository, tag)
    except FreezerError as error:
        project.report.warn(
            f"{repository}:latest does not name the image of the current lock yet ({error.what}); "
            f"run `freeze build {repository}`"
        )
