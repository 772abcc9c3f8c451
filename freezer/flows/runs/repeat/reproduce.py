"""`freeze runs reproduce`: repeats a recorded run and compares the results to the bit."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from freezer.errors import RunError
from freezer.flows.runs.explain.divergence import Results, results
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.repeat.checkpoint import recorded_checkpoint
from freezer.flows.runs.repeat.prepare import prepare_again
from freezer.flows.runs.repeat.recorded import recorded_request
from freezer.flows.runs.run import RunDone, Show, run_prepared
from freezer.ledger import query
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.flows.project.project import Project
    from freezer.flows.runs.request import RunRequest
    from freezer.ledger.series import Points
    from freezer.model.record.run import Run

Verdict = Literal["identical", "drifted", "not comparable", "failed"]


@dataclass(frozen=True)
class Reproduced:
    """A repeated run and its comparison with the original."""

    original: Run
    again: RunDone
    results: Results
    verdict: Verdict
    reason: str
    """Why the verdict is not ``identical``; empty if it is."""


@dataclass(frozen=True)
class Original:
    """A recorded run that is made again."""

    run: Run
    series: Mapping[str, Points]
    patch: bytes
    """Of its working tree."""


def reproduce(
    project: Project, name: str, show: Show, given: Mapping[str, str] | None = None
) -> Reproduced:
    """Repeat a run with the same image, commit, patch, data, parameters, seed and settings.

    ``given`` are the secret parameters of the run, which are not recorded. Raises ``RunError`` when
    its code or image cannot be had, or it had several ranks, ``DataError`` when its data changed.
    """
    original = recorded_original(project, name)
    ranks = original.run.fields.get("ranks", 1)
    if ranks != 1:
        raise RunError(
            f"run {original.run.id} had {ranks} ranks, on {original.run.fields.get('host.name')}",
            found="this host runs one",
            hint=f"`freeze runs reproduce {original.run.id} --on slurm:PARTITION`",
        )
    request = request_again(project, original, given or {})
    identifier = secrets.token_hex(8)
    with prepare_again(project, original.run, original.patch, identifier) as prepared:
        done = run_prepared(project, prepared, request, identifier, show)
    return reproduced(original, done)


def recorded_original(project: Project, name: str) -> Original:
    """Return a run that ended, as the ledger has it. Raises ``RunError`` for one that goes on."""
    with project_ledger(project) as ledger:
        run = query.get(ledger, name)
        series = query.all_points(ledger, run.id)
        patch = run.fields.get("git.patch")
        patched = query.content(ledger, patch.text) if isinstance(patch, Digest) else b""
    if run.state == "running":
        raise RunError(f"run {run.id} has not ended yet")
    return Original(run, series, patched)


def request_again(project: Project, original: Original, given: Mapping[str, str]) -> RunRequest:
    """Return the request of a repetition, from the same checkpoint if there was one."""
    request = recorded_request(original.run, given)
    checkpoint = recorded_checkpoint(project, original.run)
    return request if checkpoint is None else replace(request, checkpoint=checkpoint)


def reproduced(original: Original, done: RunDone) -> Reproduced:
    """Compare a repetition with its original."""
    compared = results(original.run, done.run, original.series, done.metrics)
    verdict, reason = verdict_of(original.run, done.run, compared)
    return Reproduced(original.run, done, compared, verdict, reason)


def verdict_of(original: Run, again: Run, compared: Results) -> tuple[Verdict, str]:
    """Return what a run that was made again shows, and why it is no ``identical``."""
    # By exit codes: a run whose results were not as expected is recorded as failed as well.
    interrupted = [run.state == "interrupted" for run in (original, again)]
    if interrupted[0] is not interrupted[1] or again.exit_code != original.exit_code:
        return "failed", f"it ended {again.state} ({again.exit_code}), not {original.state}"
    if not compared.compared:
        return "not comparable", "neither run reported a metric or left an output"
    if compared.identical:
        return "identical", ""
    classes = [run.fields.get("host.class") for run in (original, again)]
    if classes[0] != classes[1]:
        return "not comparable", f"another numerics class: {classes[0]}, now {classes[1]}"
    return "drifted", "on the same numerics class"
