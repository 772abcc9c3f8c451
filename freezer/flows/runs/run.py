"""`freeze run`: the user's own training in the frozen image, and everything recorded about it."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from freezer.errors import EXIT_NEGATIVE, EXIT_OK, FreezerError, LedgerError, RunError
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.runs.data_mounts import data_mounts
from freezer.flows.runs.facts import (
    INTERRUPTED,
    USAGE,
    begun,
    ended,
    failed,
    known_host,
    reported,
    settings_in_force,
    without_secrets,
)
from freezer.flows.runs.folders import VIEWS, journal_path
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.live import journaled
from freezer.flows.runs.plan.read import warn_of_unplanned
from freezer.flows.runs.prepare import PreparedRun, listings, prepare, sees_gpus
from freezer.flows.runs.protocol import Filter
from freezer.flows.runs.request import (
    DATA,
    PYTHON,
    RECORD,
    RUNNER,
    Folders,
    HostSide,
    RunRequest,
    actual_command,
    options,
    recorded_command,
)
from freezer.flows.runs.results.expectations import outcomes_of, with_outcomes
from freezer.flows.runs.results.secret_outputs import with_secret_outputs
from freezer.flows.runs.results.training_files import training_files, with_training_files
from freezer.flows.support.preload import Later
from freezer.ledger.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freezer.engine.interface import RunResult
    from freezer.flows.project.project import Project
    from freezer.ledger.series import Points
    from freezer.model.record.outcome import Outcome
    from freezer.model.record.run import Run

Started = Callable[["Run"], None]
"""Called once, when everything is verified and the run is in its journal."""
Show = Callable[[int, bytes], None]
"""Called with the command's output: stream (1 or 2) and bytes, as they arrive."""


@dataclass(frozen=True)
class RunDone:
    """A run that ended."""

    run: Run
    metrics: Mapping[str, Points]
    output: Path
    exit_code: int
    recorded: bool
    """False if the ledger was out of reach: the journal keeps the run until it is back."""
    outcomes: tuple[Outcome, ...] = ()
    """The spec's expectations, each with its result."""
    place: str = ""
    """Where it is recorded: the ledger's address without credentials, or the journal's path."""

    @property
    def status(self) -> int:
        """The command's exit code; 1 where it is 0 and an expectation failed."""
        failed = any(one.state == "failed" for one in self.outcomes)
        return self.exit_code or (EXIT_NEGATIVE if failed else EXIT_OK)


def run(
    project: Project,
    name: str | None,
    request: RunRequest,
    show: Show,
    started: Started | None = None,
) -> RunDone:
    """Run a command in the image of an environment's lock, and record it.

    The image is built first where it is not there. The command's exit code is passed on. Raises
    whatever building raises, ``DataError`` for missing data or another digest than the pinned one,
    ``DirtyTreeError`` with ``clean``, and ``RunError`` for an output folder that is there already.
    """
    if not request.command:
        raise RunError("there is no command to run", expected="freeze run ENV -- COMMAND...")
    identifier = secrets.token_hex(8)
    prepared = prepare(project, name, request, identifier)
    if request.plan is not None:
        seed = prepared.environment.spec.determinism.seed if request.seed is None else request.seed
        warn_of_unplanned(project, request.plan, request.params, seed)
    return run_prepared(project, prepared, request, identifier, show, started)


def run_prepared(
    project: Project,
    prepared: PreparedRun,
    request: RunRequest,
    identifier: str,
    show: Show,
    started: Started | None = None,
) -> RunDone:
    """Run what was prepared, and record it."""
    start = begun(project, prepared, request, identifier)
    plan = b"" if request.plan is None else request.plan.data
    contents = [one for one in (prepared.code.patch, plan, *listings(project, prepared)) if one]
    with disk_errors(project.root):
        journal = Journal(journal_path(project, identifier))
    try:
        with disk_errors(project.root):
            journal.run(start)
            for data in contents:
                journal.content(data)
        if started is not None:
            with suppress(FreezerError):  # left to the journal, as below
                _record_start(project, contents, start)  # who gets the run's ID finds the run
            started(start)
        begin = partial(_record_start, project, contents)
        try:
            last, metrics, code, outcomes = _execute(
                project, prepared, request, start, show, journal, begin
            )
        except FreezerError as error:
            _record(project, failed(start, error), {}, contents, journal)
            raise
        ledger = _record(project, last, metrics, contents, journal)
    finally:
        journal.close()
        shutil.rmtree(prepared.record.with_name(VIEWS), ignore_errors=True)
    place = ledger or str(journal.path)
    return RunDone(last, metrics, prepared.output, code, ledger is not None, outcomes, place)


def _execute(
    project: Project,
    prepared: PreparedRun,
    request: RunRequest,
    start: Run,
    show: Show,
    journal: Journal,
    begin: Callable[[Run], None],
) -> tuple[Run, Mapping[str, Points], int, tuple[Outcome, ...]]:
    expectations = prepared.environment.spec.expect
    engine, filtered = project.engine(), Filter(show, tensors=expectations.keys())
    memo_key, host = known_host(project, prepared.image)
    confined = options(
        prepared.environment.spec,
        request,
        data_mounts(project, prepared.sets, DATA, prepared.record.with_name(VIEWS)),
        folders=Folders(code=prepared.code_folder, output=prepared.output, record=prepared.record),
        host=HostSide(
            cpus=engine.info.cpus,
            gpus=sees_gpus(prepared.environment, prepared.locked, request.gpus),
            fingerprint=host is None,
            rootless=engine.info.rootless,
        ),
    )
    start = start.with_fields(settings_in_force(prepared.image, confined))
    seed = request.seed if request.seed is not None else prepared.environment.spec.determinism.seed
    command = [PYTHON, f"{RUNNER}/runner.py", RECORD, *actual_command(request, seed)]
    secrets = recorded_command(request, seed)[1]
    result: RunResult | None = None
    with disk_errors(project.root):  # room for what the runner writes down, were the disk full
        (prepared.record / USAGE).write_bytes(b" " * 4096)
    # Not before the command runs: to load the ledger would slow down what it waits for.
    beginning = Later(partial(begin, start))
    with journaled(journal, start, filtered.report, secrets) as live:
        try:
            result = engine.run(
                prepared.image.id,
                command,
                confined,
                on_output=filtered.take,
                on_start=beginning.start,
            )
        except KeyboardInterrupt:
            project.report.note("Interrupted: the container is removed, and the run is recorded")
        finally:
            beginning.join()
        filtered.end()
    if filtered.report.ignored:
        project.report.warn(
            f"{filtered.report.ignored} lines of the record protocol could not be read, or were "
            "too many; they are not recorded"
        )
    printed = reported(start, filtered.report)
    last = ended(project, prepared, printed, filtered, result, (memo_key, host))
    last, metrics = _with_training_files(project, prepared, journal, last, live.metrics())
    outcomes = outcomes_of(expectations, last, filtered.report, metrics)
    last = without_secrets(with_outcomes(last, outcomes), secrets)
    last = with_secret_outputs(last, prepared.output, secrets, project.report)
    return last, metrics, INTERRUPTED if result is None else result.exit_code, outcomes


def _with_training_files(
    project: Project,
    prepared: PreparedRun,
    journal: Journal,
    last: Run,
    metrics: Mapping[str, Points],
) -> tuple[Run, Mapping[str, Points]]:
    """Return the run with what its training recorded for MLflow or TensorBoard."""
    found = training_files(prepared.output, {one.path: one.size for one in last.outputs})
    for note in found.notes:
        project.report.warn(f"in the output: {note}")
    with suppress(OSError):  # a full disk: they are recorded with the run nevertheless
        if found.metrics:
            journal.metrics(found.metrics)
    return with_training_files(last, metrics, found)


def _record_start(project: Project, contents: Sequence[bytes], run: Run) -> None:
    """Record that a run is running, concurrently with its container: SQLAlchemy loads slowly.

    On errors, the journal keeps the run.
    """
    from freezer.ledger.record import record

    with project_ledger(project, collecting=False) as ledger:
        record(ledger, run, None, contents)


def _record(
    project: Project,
    last: Run,
    metrics: Mapping[str, Points],
    contents: Sequence[bytes],
    journal: Journal,
) -> str | None:
    """Record the run; return the ledger's address without credentials.

    Where it is out of reach, the journal keeps the run for later: None.
    """
    from freezer.ledger.record import record

    kept = True
    try:
        journal.last(last)
    except OSError as error:
        kept = False
        project.report.warn(f"the journal {journal.path} cannot be written: {error.strerror}")
    try:
        with project_ledger(project, collecting=False) as ledger:
            record(ledger, last, metrics, contents, whole=True)
            address = ledger.shown
    except LedgerError as error:
        if not kept:
            raise
        project.report.warn(
            f"the run is not in the ledger yet: {error.what}; its journal {journal.path.name} has "
            "it, and the next command about runs records it"
        )
        return None
    journal.done()
    return address
