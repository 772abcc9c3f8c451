"""What the global options say, kept for the length of one command."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import typer

from freezer.output.console import make_console

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.engine.interface import Engine
    from freezer.flows.project.project import Project
    from freezer.flows.support.stopwatch import Stopwatch
    from freezer.model.events import Reporter


def _here() -> Path:
    """Return the current folder; ``.`` where it was removed, which `main` reports."""
    try:
        return Path.cwd()
    except OSError:
        return Path()


@dataclass
class Session:
    """One run of the command."""

    start: Path = field(default_factory=_here)
    """Where the command was started, or the folder that -C names."""
    folder: Path = field(default_factory=_here)
    """The project's folder: ``start``, or the project's around it."""
    verbosity: int = 1
    json: bool = False
    """Whether stdout gets one JSON document and nothing else, errors included."""
    ready: bool = False
    """Whether the global options were read without an error."""
    stdout: Console = field(default_factory=make_console)
    stderr: Console = field(default_factory=lambda: make_console(stderr=True))
    _engine: Engine | None = None
    _connecting: Lock = field(default_factory=Lock)

    def project(self) -> Project:
        """Return what flows work with."""
        from freezer.flows.governance.gate import policy_gate
        from freezer.flows.project.project import Project

        return Project.open(self.folder, self.engine, self.reporter(), policy_gate)

    def timed_project(self) -> tuple[Project, Stopwatch]:
        """Return a project whose tasks are timed, and the watch."""
        from freezer.flows.governance.gate import policy_gate
        from freezer.flows.project.project import Project
        from freezer.flows.support.stopwatch import Stopwatch

        watch = Stopwatch(self.reporter())
        return Project.open(self.folder, self.engine, watch, policy_gate), watch

    def reporter(self) -> Reporter:
        """Return who listens while flows work: stderr, so that stdout is the answer's alone."""
        from freezer.fetch.http.waiting import on_wait
        from freezer.output.progress import ConsoleReporter

        reporter = ConsoleReporter(self.stderr, self.verbosity)
        on_wait(reporter.note)
        return reporter

    def engine(self) -> Engine:
        """Return the engine, connected once."""
        if self._engine is None:
            from freezer.engine.connect.connect import connect

            self._engine = connect()
            self._settle_killed()
        return self._engine

    def _settle_killed(self) -> None:
        """End and record runs whose process was killed; where there is none, read one folder."""
        from freezer.flows.runs.folders import journals_in
        from freezer.ledger.left import any_left

        if any_left(journals_in(self.folder)):
            from freezer.flows.runs.ledger import settle_killed

            settle_killed(self.project())

    def close(self) -> None:
        """Close what was opened."""
        if self._engine is not None:
            self._engine.close()

    def emit(self, values: Any) -> None:
        """Print the one JSON document."""
        from freezer.output.text import document

        typer.echo(document(values))


current = Session()
"""The session of this process; ``freezer.cli.main`` fills it in."""
