"""The run that a submission became: from its result and captured output, or what is left of it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING

from freezer.errors import EXIT_INTERRUPTED, EXIT_NEGATIVE, EXIT_USER, FleetError
from freezer.fetch.store.untrusted import read_untrusted
from freezer.fleet.trainings.frames import FrameReader
from freezer.fleet.trainings.outcome import Ended, deciding_rank, run_state
from freezer.fleet.trainings.submission import Submission, Submissions
from freezer.flows.runs.facts import host_fields, reported, without_secrets
from freezer.flows.runs.folders import submissions_in
from freezer.flows.runs.killed import had_secrets, numbers_of
from freezer.flows.runs.protocol import Filter
from freezer.flows.runs.results.expectations import outcomes_of, with_outcomes
from freezer.flows.runs.results.outputs import list_outputs
from freezer.flows.runs.results.training_files import training_files, with_training_files
from freezer.flows.runs.spool.fields import host_facts, rank_fields, slurm_fields
from freezer.inside.freezer_host.rank import OUTPUT, RECORD
from freezer.ledger.series import Points, joined
from freezer.model.record.run import Output, Run, Time, Value, read_run

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from freezer.fleet.trainings.result import TrainingResult
    from freezer.flows.project.project import Project
    from freezer.model.record.outcome import Outcome

_START = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")


@dataclass(frozen=True)
class Collected:
    """A run that ended on a cluster."""

    run: Run
    metrics: Mapping[str, Points]
    outcomes: tuple[Outcome, ...]
    why: str
    """Why it is not finished; empty where its exit code says all."""
    exit_code: int


class Printed:
    """What one rank printed so far, read as the output of a run on this host is."""

    def __init__(self, path: Path, submission: Submission) -> None:
        self.reader = FrameReader(path)
        self._micros = time_ns() // 1000
        self._parts: dict[str, list[Points]] = {}
        self.filter = Filter(
            lambda _stream, _data: None,
            tensors=submission.expect.keys(),
            clock=lambda: self._micros,
        )

    def read(self) -> None:
        """Read all of it; whoever runs the training may still be writing."""
        for frame in self.reader.frames():
            self._micros = frame.micros
            self.filter.take(frame.stream, frame.data)
        self.filter.end()

    def metrics(self) -> Mapping[str, Points]:
        """Return the whole series of each metric."""
        for name, points in self.filter.report.metrics().items():
            self._parts.setdefault(name, []).append(points)
        return {name: joined(parts) for name, parts in self._parts.items()}


def compose(project: Project, submission: Submission, end: TrainingResult | Ended) -> Collected:
    """Return the run to record. Of the same files it is the same run."""
    start = read_run(submission.document)
    if isinstance(end, Ended):
        return _without_result(project, submission, start, end)
    if end.outcome != "ran":
        return _not_run(start, end)
    printed = Printed(_output_of(Path(submission.folder), end.restarts, 0), submission)
    printed.read()
    damaged = _damaged(submission, end, printed)
    if damaged:
        why = f"the captured output of rank {damaged[0]} was cut off or edited"
        project.report.warn(f"run {submission.run}: {why}")
        return _without_result(project, submission, start, Ended("interrupted", why))
    return _with_result(project, submission, start, end, printed)


def so_far(project: Project, run: Run) -> tuple[Run, Mapping[str, Points]]:
    """Return a run that goes on with what it has reported until now."""
    try:
        submission = Submissions(submissions_in(project.root)).get(run.id)
    except FleetError:
        return run, {}
    if submission is None:
        return run, {}
    printed = Printed(captured(Path(submission.folder)), submission)
    printed.read()
    more: dict[str, Value] = {"slurm.job": submission.number} if submission.number else {}
    if submission.state:
        more["slurm.state"] = submission.state
    return without_secrets(reported(run, printed.filter.report).with_fields(more), ()), (
        printed.metrics()
    )


def captured(folder: Path, rank: int = 0) -> Path:
    """Return the captured output of a rank in the latest start of a job."""
    starts = [0]
    with suppress(OSError):  # not started yet, or the shared folder fails
        found = [_START.fullmatch(one.name) for one in (folder / "ranks").iterdir()]
        starts += [int(one[1]) for one in found if one and int(one[2]) == rank]
    return _output_of(folder, max(starts), rank)


def _output_of(folder: Path, restarts: int, rank: int) -> Path:
    return folder / "ranks" / f"{restarts}.{rank}" / OUTPUT


def _damaged(submission: Submission, result: TrainingResult, first: Printed) -> list[int]:
    """Return the ranks whose captured output is not what their host wrote."""
    damaged = []
    for one in result.ranks:
        if one.output is None:
            continue
        reader = first.reader
        if one.rank:
            reader = FrameReader(_output_of(Path(submission.folder), result.restarts, one.rank))
            for _ in reader.frames():
                pass
        if (reader.size, reader.sha256) != (one.output.bytes, one.output.sha256):
            damaged.append(one.rank)
    return damaged


def _with_result(
    project: Project,
    submission: Submission,
    start: Run,
    result: TrainingResult,
    printed: Printed,
) -> Collected:
    state, code = run_state(result)
    why = "a rank was lost" if state == "interrupted" else ""
    fields, why = _data_changed(result, why)
    if fields and state == "finished":
        state = "failed"
    outputs, changed, more = _outputs(project, submission, result)
    started, ended = _times(result)
    run = replace(
        reported(start, printed.filter.report).with_fields(
            {
                **rank_fields(result),
                **fields,
                **more,
                **slurm_fields(start, result.job, result.restarts, why),
            }
        ),
        state=state,
        started=started,
        ended=ended,
        exit_code=code,
        outputs=outputs,
        tail=_tail(submission, result, printed),
    )
    run, metrics = _with_training_files(project, submission, run, printed.metrics(), changed)
    outcomes = outcomes_of(submission.expect, run, printed.filter.report, metrics)
    run = without_secrets(with_outcomes(run, outcomes), ())
    failed = (
        EXIT_NEGATIVE
        if run.state == "failed"
        else EXIT_INTERRUPTED
        if state == "interrupted"
        else 0
    )
    return Collected(run, metrics, outcomes, why, code or failed)


def _times(result: TrainingResult) -> tuple[Time, Time]:
    """Return start and end of the ranks, by the clocks of their hosts.

    A clock that was set back in mid-run, or differs between hosts, makes no negative duration.
    """
    started = min(one.started for one in result.ranks if one.started is not None)
    ended = max(one.ended for one in result.ranks if one.ended is not None)
    return Time(started), Time(max(started, ended))


def _data_changed(result: TrainingResult, why: str) -> tuple[dict[str, Value], str]:
    """Return a field for data that changed in mid-run: their digest is not what was read."""
    if not result.changed:
        return {}, why
    names = ", ".join(result.changed)
    return {"data-changed": names}, f"data changed while the training ran: {names}"


def _not_run(start: Run, result: TrainingResult) -> Collected:
    """Return a run whose command was not started."""
    reason = (
        f"{result.outcome.replace('-', ' ')}: {result.reason}" if result.reason else result.outcome
    )
    fields = {**rank_fields(result), **slurm_fields(start, result.job, result.restarts, reason)}
    ended = Time(max(result.ended, start.started.micros))  # the clock of another host
    run = replace(
        start.with_fields(fields), state="failed", ended=ended, tail=f"error: {reason}"[:4000]
    )
    return Collected(run, {}, (), reason, EXIT_USER)


def _without_result(project: Project, submission: Submission, start: Run, end: Ended) -> Collected:
    """Return a run of which only what it left so far is known."""
    path = captured(Path(submission.folder))
    printed = Printed(path, submission)
    printed.read()
    outputs, left_out = list_outputs(Path(submission.output), project.report)
    fields = {**_left_host(path), **slurm_fields(start, submission.job, 0, end.reason)}
    if end.node:
        fields["host.name"] = end.node[:200]
    if left_out:
        fields["outputs.left-out"] = ", ".join(left_out[:50])
    try:
        last = path.stat().st_mtime_ns // 1000
    except OSError:
        last = time_ns() // 1000
    run = replace(
        reported(start, printed.filter.report).with_fields(fields),
        state=end.state,
        ended=Time(max(last, start.started.micros)),
        exit_code=None,
        outputs=outputs,
        tail=printed.filter.tail(),
    )
    run, metrics = _with_training_files(project, submission, run, printed.metrics())
    code = EXIT_INTERRUPTED if end.state == "interrupted" else EXIT_NEGATIVE
    return Collected(without_secrets(run, ()), metrics, (), end.reason, code)


def _tail(submission: Submission, result: TrainingResult, printed: Printed) -> str:
    """Return the last lines of the rank that decided the run."""
    rank = deciding_rank(result).rank
    if rank == 0:
        return printed.filter.tail()
    other = Printed(_output_of(Path(submission.folder), result.restarts, rank), submission)
    other.read()
    return other.filter.tail()


def _left_host(output: Path) -> dict[str, Value]:
    """Return what the container reported of its host before it was ended."""
    try:
        data = read_untrusted(output.with_name(RECORD) / "host", 1 << 20)
    except OSError:
        return {}
    return host_fields(host_facts(data))


def _outputs(
    project: Project, submission: Submission, result: TrainingResult
) -> tuple[tuple[Output, ...], frozenset[str], dict[str, Value]]:
    """Return the outputs as their host listed them, and which are not so any more.

    Of those that are unchanged, the digests of their content are added.
    """
    found, _ = list_outputs(Path(submission.output), project.report)
    here = {one.path: one for one in found}
    outputs, changed = [], []
    for path, size, sha256 in result.outputs:
        one = here.get(path)
        if one is None or one.sha256 != sha256:
            changed.append(path)
            one = Output(path, size, sha256)
        outputs.append(one)
    fields: dict[str, Value] = {}
    if result.left_out:
        fields["outputs.left-out"] = ", ".join(result.left_out[:50])
    if changed:
        fields["outputs.changed"] = ", ".join(changed[:50])
        project.report.warn(
            f"run {submission.run}: outputs that changed since its end ({len(changed)}): "
            f"{', '.join(changed[:5])}"
        )
    return tuple(outputs), frozenset(changed), fields


def _with_training_files(
    project: Project,
    submission: Submission,
    run: Run,
    metrics: Mapping[str, Points],
    changed: Collection[str] = (),
) -> tuple[Run, Mapping[str, Points]]:
    """Return a run with what its training recorded for MLflow or TensorBoard.

    Nothing is read of outputs that ``changed``.
    """
    sizes = {one.path: one.size for one in run.outputs if one.path not in changed}
    found = training_files(Path(submission.output), sizes)
    for note in found.notes:
        project.report.warn(f"in the output of run {run.id}: {note}")
    if had_secrets(run):  # which ones is not known any more
        found = numbers_of(found)
    return with_training_files(run, metrics, found)
