"""`freeze run --resume`: a run that continues from another run's outputs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freezer.errors import RunError
from freezer.fetch.http.secret_words import REDACTED, is_secret_name
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.repeat.checkpoint import checkpoint_of
from freezer.flows.runs.repeat.prepare import prepare_again
from freezer.flows.runs.repeat.recorded import recorded_gpus, recorded_params
from freezer.flows.runs.run import RunDone, Show, Started, run, run_prepared
from freezer.ledger import query
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from freezer.flows.project.project import Project
    from freezer.flows.runs.request import RunRequest
    from freezer.model.record.run import Run


@dataclass(frozen=True)
class Resume:
    """Which run is continued, and how."""

    run: str
    path: str = ""
    """The file or folder among its outputs that is meant; empty for all of them."""
    new_code: bool = False
    """Whether to use the current code and lock instead of those of that run."""


def resume(
    project: Project,
    name: str | None,
    how: Resume,
    request: RunRequest,
    show: Show,
    started: Started | None = None,
) -> RunDone:
    """Continue a run with its command, code, image, data, parameters and seed, unless given anew.

    Its outputs are verified, and mounted read-only. Raises ``RunError`` where they changed, and
    whatever repeating a run raises.
    """
    with project_ledger(project) as ledger:
        original = query.get(ledger, how.run)
        digest = original.fields.get("git.patch")
        patch = query.content(ledger, digest.text) if isinstance(digest, Digest) else b""
    if original.state == "running":
        raise RunError(f"run {original.id} has not ended yet", hint="`freeze runs stop` ends it")
    if name is not None and name != original.environment:
        raise RunError(
            f"run {original.id} belongs to another environment",
            found=name,
            expected=original.environment,
        )
    request = _continued(original, request)
    request = replace(request, checkpoint=checkpoint_of(project, original, how.path))
    if how.new_code or "git.commit" not in original.fields:
        if not how.new_code:
            project.report.warn(
                f"run {original.id} was not in a git repository: the current code is used"
            )
        return run(project, original.environment, request, show, started)
    identifier = secrets.token_hex(8)
    with prepare_again(
        project, original, patch, identifier, output=request.output, tree_if_equal=True
    ) as prepared:
        return run_prepared(project, prepared, request, identifier, show, started)


def _continued(original: Run, request: RunRequest) -> RunRequest:
    """Return the request of the run that continues another one."""
    recorded = recorded_params(original)
    params = {**recorded, **request.params}
    hidden = [name for name, text in params.items() if text == REDACTED]
    if hidden:
        raise RunError(
            f"run {original.id} was recorded without its secret parameters",
            expected=", ".join(f"-p {name}=..." for name in sorted(hidden)),
        )
    seed, (gpus, positions) = original.fields.get("seed"), recorded_gpus(original)
    own = request.gpus is not None or bool(request.gpu_positions)
    found = replace(
        request,
        params=params,
        seed=seed if request.seed is None and isinstance(seed, int) else request.seed,
        gpus=gpus if request.gpus is None else request.gpus,
        gpu_positions=request.gpu_positions if own else positions,
        links={**request.links, "resumes": original.id},
    )
    if request.command:
        return found
    changed = [
        name
        for name, text in request.params.items()
        if recorded.get(name) != text and not is_secret_name(name)
    ]
    changed += ["seed"] if request.seed is not None and request.seed != seed else []
    template = str(original.fields.get("template", ""))
    if changed or any(REDACTED in word for word in original.command):
        raise RunError(
            "the command of the run cannot be reused"
            + (f": {', '.join(changed)} changed" if changed else ": it contained a secret"),
            expected="the command again, after --",
            hint=f"it was: {template}"[:300],
        )
    return replace(found, command=original.command, template=template)
