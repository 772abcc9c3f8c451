"""The steps of rendered workflows, run as written: in a clean clone, by a Freezer that pip installs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from freezer.flows.ci.comment import MARKER
from tests.support.host.answering import answering
from tests.support.host.ci_machine import ROOT, Machine
from tests.support.host.commands import Project, outcome

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive, pytest.mark.timeout(1200)]
TOKEN = "token-of-the-job"
TRAIN = """
import os, numpy
from freezer_inside.record import Recorder
recorder = Recorder("line")
value = numpy.random.default_rng(int(os.environ["FREEZER_SEED"])).normal()
for step in range(3):
    recorder.loss(step, float(value / (step + 1)))
recorder.end()
"""
POLICY = "rules: {bases: ['bootstrap:*'], sources: [pypi, debian, debian-security], checked: 30d, verified: true}\n"


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", *author, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with Freezer's wheel, as an index has it."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        ["python", "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
        env={"PATH": f"{Path(__import__('sys').executable).parent}:/usr/bin:/bin"},
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def repository(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project under git with a check, a run, a policy, workflows, and a change to review."""
    project = built.copy(tmp_path_factory.mktemp("ci") / "project")
    folder = project.folder
    (folder / "train.py").write_text(TRAIN)
    (folder / "policy.yaml").write_text(POLICY)
    git(folder, "init", "-q", "-b", "main")
    project.freeze("check").good()
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Freeze the environment")
    outcome(project.start("run", "--seed", "3", "--", "python", "train.py")).good()
    project.freeze("runs", "export", "-o", str(folder / "runs.json")).good()
    project.spec(labels={"team": "vision"})
    project.freeze("lock", "--reason", "name the team").good()
    for system, file in (
        ("github", ".github/workflows/freezer.yml"),
        ("gitlab", ".gitlab/freezer.yml"),
    ):
        project.freeze(
            "ci", system, "--runs", "runs.json", "--sample", "1", "-o", str(folder / file)
        ).good()
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Label the image; add workflows")
    return project


@pytest.fixture(scope="module")
def comments() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A server where the API of the CI system would be."""
    there: list[dict[str, Any]] = []

    def answer(path: str, number: int) -> Any:
        if "?" in path:
            return there
        there[:] = [{"id": 7, "body": json.loads(asked[-1][1]["body"])["body"]}]
        return there[0]

    with answering(answer) as (url, asked):
        yield url, asked


@pytest.fixture(scope="module")
def machine(
    repository: Project,
    wheels: Path,
    comments: tuple[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Machine:
    """Return a machine with a clean clone, and the store as the CI system's cache brought it."""
    folder = tmp_path_factory.mktemp("machine")
    checkout, store = folder / "checkout", folder / "store"
    git(folder, "clone", "-q", str(repository.folder), str(checkout))
    repository.with_store(store)
    name = repository.name
    made = Machine(
        folder / "home", checkout, store,
        {"matrix.environment": name, "github.event.pull_request.base.sha": git(checkout, "rev-parse", "HEAD~1"),
         "github.token": TOKEN, "github.run_number": "12"},
        {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": comments[0], "GITHUB_REPOSITORY": "team/project",
         "GITHUB_REF": "refs/pull/17/merge"},
    )  # fmt: skip
    shutil.copytree(wheels, made.home / "wheels")
    return made


def good(steps: list[Any]) -> None:
    for step in steps:
        assert step.code == 0, f"{step.name}\n{step.command}\n{step.out}"


def test_a_pull_request_on_github(
    machine: Machine, repository: Project, comments: tuple[str, list[Any]]
) -> None:
    workflow = machine.checkout / ".github" / "workflows" / "freezer.yml"
    steps = machine.github(workflow, "verify")
    good(steps)
    written = yaml.safe_load(workflow.read_text())["jobs"]["verify"]["steps"]
    assert len(steps) == sum("run" in step for step in written) == 10
    said = {step.name: step.out for step in steps}
    assert "Successfully installed freezer-ml" in said["Install Freezer"]
    assert "the same" in said["Build, again from nothing, and compare"]
    assert "identical" in said["Check the results"]
    assert "keeps all 4 rules" in said["Policy"]
    assert "vision" in machine.summary.read_text()
    assert not list(machine.checkout.glob(".freezer/ledger*"))

    good(machine.github(workflow, "comment"))
    (path, request) = comments[1][-1]
    body = json.loads(request["body"])["body"]
    assert path == "/repos/team/project/issues/17/comments"
    assert request["Authorization"] == f"Bearer {TOKEN}"
    assert body.startswith(MARKER)
    assert body.index("team") < body.index("identical") < body.index("keeps all 4 rules")
    good(machine.github(workflow, "comment"))
    assert comments[1][-1][0] == "/repos/team/project/issues/comments/7"
    assert TOKEN not in "".join(step.out for step in machine.steps)


def test_the_schedule_on_github(machine: Machine, repository: Project) -> None:
    workflow = machine.checkout / ".github" / "workflows" / "freezer.yml"
    steps = machine.github(workflow, "past")
    good(steps)
    assert "generation" in next(s.out for s in steps if s.name == "Check every generation")
    steps = machine.github(workflow, "runs")
    good(steps)
    assert "identical" in next(step.out for step in steps if step.name.startswith("Make 1 run"))


def test_a_spec_that_was_not_locked_fails_and_is_reported(machine: Machine) -> None:
    spec = machine.checkout / "freeze.yaml"
    before = spec.read_text()
    try:
        spec.write_text(before.replace("vision", "speech"))
        steps = machine.github(machine.checkout / ".github" / "workflows" / "freezer.yml", "verify")
    finally:
        spec.write_text(before)
    failed = [step for step in steps if step.code]
    assert [step.name for step in failed] == ["The lock satisfies the spec"]
    assert failed[0].code == 1
    assert steps[-1].name == "Summary"


def test_a_merge_request_and_the_schedule_on_gitlab(
    machine: Machine, repository: Project, comments: tuple[str, list[Any]]
) -> None:
    file = machine.checkout / ".gitlab" / "freezer.yml"
    more = {
        "GITHUB_ACTIONS": "", "GITLAB_CI": "true", "CI_PROJECT_DIR": str(machine.checkout),
        "ENVIRONMENT": repository.name, "CI_API_V4_URL": comments[0], "CI_PROJECT_ID": "23",
        "CI_MERGE_REQUEST_IID": "9", "FREEZER_GITLAB_TOKEN": TOKEN, "CI_PIPELINE_IID": "4",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": machine.values["github.event.pull_request.base.sha"],
    }  # fmt: skip
    shutil.rmtree(machine.checkout / "freezer-report")
    for job in ("freezer:verify", "freezer:comment", "freezer:past", "freezer:runs"):
        good(machine.gitlab(file, job, more))
    path, request = next(one for one in reversed(comments[1]) if "notes" in one[0])
    assert path.startswith("/projects/23/merge_requests/9/notes")
    assert request["PRIVATE-TOKEN"] == TOKEN
    assert "vision" in json.loads(request["body"])["body"]
