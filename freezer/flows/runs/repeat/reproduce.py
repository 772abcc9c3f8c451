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


def reproduce(
    project: Project, name: str, show: Show, given: Mapping[str, str] | None = None
) -> Reproduced:
    """Repeat a run with the same image, commit, patch, data, parameters, seed and settings.

    ``given`` are the secret parameters of the run, which are not recorded. Raises ``RunError`` when
    its code or image cannot be had, ``DataError`` when its data changed.
    """
    with project_ledger(project) as ledger:
        original = query.get(ledger, name)
        series = query.all_points(ledger, original.id)
        patch = original.fields.get("git.patch")
        patched = query.content(ledger, patch.text) if isinstance(patch, Digest) else b""
    if original.state == "running":
        raise RunError(f"run {original.id} has not ended yet")
    request = recorded_request(original, given or {})
    identifier = secrets.token_hex(8)
    checkpoint = recorded_checkpoint(project, original)
    if checkpoint is not None:
        request = replace(request, checkpoint=checkpoint)
    with prepare_again(project, original, patched, identifier) as prepared:
        done = run_prepared(project, prepared, request, identifier, show)
    compared = results(original, done.run, series, done.metrics)
    verdict, reason = verdict_of(original, done.run, compared)
    return Reproduced(original, done, compared, verdict, reason)


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
