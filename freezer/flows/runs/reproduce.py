"""`freeze runs reproduce`: a recorded run made again, and compared with itself to the bit."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from freezer.errors import DataError, RunError
from freezer.fetch.http.secret_words import REDACTED, redact_text
from freezer.flows.data.sets import data_sets, take
from freezer.flows.history.generations import generation
from freezer.flows.image.build import build_locked
from freezer.flows.project.environment import load_environment, load_locked
from freezer.flows.runs.code import Code
from freezer.flows.runs.explain.parting import Results, results
from freezer.flows.runs.place import project_ledger, run_folder
from freezer.flows.runs.request import RunRequest
from freezer.flows.runs.run import RunDone, Show, run_scene
from freezer.flows.runs.scene import Scene
from freezer.ledger import query
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.data.snapshot import Snapshot
    from freezer.engine.interface import ImageInfo
    from freezer.flows.data.sets import DataSet
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.record.run import Run

Verdict = Literal["identical", "drifted", "not comparable", "failed"]


@dataclass(frozen=True)
class Reproduced:
    """A run that was made again."""

    original: Run
    again: RunDone
    results: Results
    verdict: Verdict
    reason: str
    """Why it is no ``identical``; empty for one."""


def reproduce(
    project: Project, name: str, show: Show, given: Mapping[str, str] | None = None
) -> Reproduced:
    """Make a run again: the same image, commit, patch, data, parameters, seed and settings.

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
    request = _request(original, given or {})
    identifier = secrets.token_hex(8)
    sets = _same_data(project, original)
    locked = _locked(project, original)
    image = _image(project, original, locked)
    with _checkout(project, original, patched, identifier) as (folder, code):
        scene = Scene(
            locked=locked,
            environment=load_environment(project.root, original.environment),
            image=image,
            code=code,
            code_folder=folder,
            sets=sets,
            output=run_folder(project, identifier) / "output",
            record=run_folder(project, identifier) / "record",
        )
        for path in (scene.output, scene.record):
            path.mkdir(parents=True)
        done = run_scene(project, _as_it_was(scene, original), request, identifier, show)
    compared = results(original, done.run, series, done.metrics)
    verdict, reason = _verdict(original, done.run, compared)
    return Reproduced(original, done, compared, verdict, reason)


def _request(original: Run, given: Mapping[str, str]) -> RunRequest:
    """Return the request of a run; ``given`` are the secrets that it was recorded without.

    Raises ``RunError`` for a secret that is missing, or a parameter that was none.
    """
    params = {
        name.removeprefix("given."): str(value)
        for name, value in original.fields.items()
        if name.startswith("given.")
    }
    hidden = {name for name, text in params.items() if text == REDACTED}
    if any(REDACTED in word for word in original.command):
        raise RunError(
            f"the command of run {original.id} held a secret, which is not recorded",
            found=" ".join(original.command)[:200],
            hint="run it again with `freeze run`, the secret as a parameter: "
            "-p token=... and {token} in the command; such runs can be made again",
        )
    if hidden != given.keys():
        raise RunError(
            f"run {original.id} was recorded without its secret parameters"
            if hidden - given.keys()
            else f"only secret parameters of run {original.id} can be given",
            found=", ".join(sorted(given)) or "none given",
            expected=", ".join(f"-p {name}=..." for name in sorted(hidden)) or "none",
        )
    seed, gpus = original.fields.get("seed"), original.fields.get("resources.gpus")
    return RunRequest(
        command=original.command,
        params={**params, **given},
        seed=seed if isinstance(seed, int) else None,
        gpus=gpus if isinstance(gpus, bool) else None,
        links={"reproduces": original.id},
        template=str(original.fields.get("template", "")),
    )


def _as_it_was(scene: Scene, original: Run) -> Scene:
    """Return the scene with the resources that the run had, whatever the spec says by now."""
    spec = scene.environment.spec
    found = original.fields
    known = {
        "cpus": found.get("resources.cpus"),
        "memory": found.get("resources.memory"),
        "threads": _whole(found.get("settings.OMP_NUM_THREADS")),
        "network": found.get("network", False),
    }
    resources = spec.resources.model_copy(update=known)
    environment = replace(scene.environment, spec=spec.model_copy(update={"resources": resources}))
    return replace(scene, environment=environment)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def _locked(project: Project, original: Run) -> Locked:
    wanted = str(original.fields["lock"])
    now = load_locked(project.root, original.environment)
    return now if now.id == wanted else generation(project, original.environment, wanted)


def _image(project: Project, original: Run, locked: Locked) -> ImageInfo:
    wanted = str(original.fields["image"])
    found = project.engine().image(wanted)
    if found is None:
        built = build_locked(project, locked, latest=False)
        found = project.engine().image(built.image) if built.image == wanted else None
    if found is None:
        raise RunError(
            f"the image of run {original.id} cannot be had",
            found=f"lock {locked.id[:12]} builds another one",
            expected=wanted[:19],
        )
    return found


def _same_data(project: Project, original: Run) -> list[tuple[DataSet, Snapshot]]:
    """Return the run's data sets. Raises ``DataError`` naming all that changed since."""
    names = tuple(
        name.removeprefix("data.")
        for name, value in original.fields.items()
        if name.startswith("data.") and f"{name}.list" in original.fields and value
    )
    if not names:
        return []
    found = [(one, take(project, one)) for one in data_sets(project, original.environment, names)]
    changed = [
        one.name
        for one, snapshot in found
        if str(original.fields[f"data.{one.name}"]) != snapshot.digest
    ]
    if changed:
        raise DataError(
            f"the data of run {original.id} changed since",
            found=", ".join(changed),
            hint=f"`freeze data diff {changed[0]}` lists the files; bring them back first",
        )
    return found


@contextmanager
def _checkout(
    project: Project, original: Run, patch: bytes, identifier: str
) -> Iterator[tuple[Path, Code]]:
    """Give a clean checkout of the run's commit with its patch applied, gone afterwards."""
    commit = original.fields.get("git.commit")
    if not isinstance(commit, Digest):
        raise RunError(
            f"run {original.id} holds no commit: its code was in no git repository",
            hint="put the project under git; runs from then on can be made again",
        )
    left_out = original.fields.get("git.left-out")
    if left_out:
        project.report.warn(f"not kept with the run, and missing now: {left_out}")
    top = Path(_git(project.root, "rev-parse", "--show-toplevel").decode().strip())
    folder = run_folder(project, identifier) / "code"
    try:
        _git(project.root, "worktree", "add", "--detach", "--force", str(folder), commit.text)
        _check_out_submodules(top, folder)
        if patch:
            _git(folder, "apply", "--index", "--whitespace=nowarn", data=patch)
        inner = folder / project.root.resolve().relative_to(top.resolve())
        if not inner.is_dir():
            raise RunError(f"commit {commit.text[:12]} has no folder {inner.relative_to(folder)}")
        files = original.fields.get("git.files", "")
        yield inner, Code(commit=commit.text, patch=patch, files=str(files))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(RunError):  # what is left of it in .git is removed by git's own housekeeping
            _git(project.root, "worktree", "prune")


def _check_out_submodules(top: Path, folder: Path) -> None:
    """Check out the submodules of a commit from the clones in the user's tree; fetch nothing."""
    listed = _git(folder, "ls-files", "--stage", "-z").decode("utf-8", "surrogateescape")
    for entry in listed.split("\0"):
        if not entry.startswith("160000 "):
            continue
        state, _, path = entry.partition("\t")
        commit, clone = state.split()[1], top / path
        if not (clone / ".git").exists():
            continue  # it was not there for the run either
        (folder / path).mkdir(parents=True, exist_ok=True)
        _git(folder, "clone", "-q", "--shared", "--no-checkout", str(clone), path)
        _git(folder / path, "checkout", "-q", "--detach", commit)
        _check_out_submodules(clone, folder / path)


_PLAIN: Final = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always")


def _git(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *_PLAIN, *arguments],
            check=False,
            capture_output=True,
            input=data,
            timeout=300,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RunError("git cannot be run", found=str(error)) from None
    if done.returncode != 0:
        raise RunError(
            f"git could not {arguments[0]} the code of the run",
            found=redact_text(done.stderr.decode("utf-8", "replace").strip())[-500:],
            hint="fetch the commit, if it is on another branch or host",
        )
    return done.stdout


def _verdict(original: Run, again: Run, compared: Results) -> tuple[Verdict, str]:
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
