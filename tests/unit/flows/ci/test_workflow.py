"""`freeze ci github` and `gitlab`: valid, pinned, the same bytes each time, and out of date or not."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.cli.main import run
from freezer.errors import SpecError
from freezer.flows.ci import workflow
from freezer.flows.ci.workflow import Options, options_line

ROOT = Path(__file__).parents[4]
SCHEMAS = {"github": "github-workflows", "gitlab": "gitlab-ci"}
ACTION = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")
IMAGE = re.compile(r"[\w./:-]+@sha256:[0-9a-f]{64}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("images", "lockfiles"):
        for name in ("boosting", "jax-cpu"):
            shutil.copytree(ROOT / folder / name, tmp_path / folder / name)
    return tmp_path


@cache
def validator(system: str) -> Any:
    """Return the validator of a system's files, by the schema that the system's editors use."""
    import jsonschema  # takes a second

    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / f"{SCHEMAS[system]}.json").read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def freeze(project: Path, *arguments: str) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["-C", str(project), *arguments])
    assert "Traceback" not in err.getvalue()
    return code, out.getvalue() + err.getvalue()


def rendered(project: Path, *arguments: str) -> str:
    code, text = freeze(project, "ci", *arguments)
    assert code == 0, text
    return text


def load(text: str) -> Any:
    """Return a workflow; YAML 1.1 reads the key ``on`` as true."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        key: [
            (tag, one) for tag, one in found if tag != "tag:yaml.org,2002:bool" or key not in "oO"
        ]
        for key, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load(text, Loader)


OPTIONS = (
    (),
    ("boosting",),
    ("--install", "--require-hashes -r 'ci files.txt'"),
    ("--runs", "runs.json", "--sample", "7"),
    ("--ledger-secret", "LEDGER_PASSWORD"),
    ("--cluster", "slurm:gpu:'a100&nvlink'".replace("'", ""), "--runs", "runs.json"),
    ("--cluster", "slurm:all", "--runner", "slurm,login.2"),
)


@pytest.mark.parametrize("system", ["github", "gitlab"])
@pytest.mark.parametrize("arguments", OPTIONS)
@pytest.mark.parametrize("policy", [False, True])
def test_it_is_valid_and_the_same_each_time(
    project: Path, system: str, arguments: tuple[str, ...], policy: bool
) -> None:
    if policy:
        (project / "policy.yaml").write_text("rules: {reasons: true}\n")
    text = rendered(project, system, *arguments)
    assert text == rendered(project, system, *arguments)
    assert text.endswith("\n")
    assert " \n" not in text
    assert "\n\n\n" not in text
    validator(system).validate(load(text))
    assert ("policy check" in text) is policy
    assert ("runs verify" in text) is bool({"--runs", "--ledger-secret"} & set(arguments))
    assert ("fleet report" in text) is ("--cluster" in arguments)


def test_everything_of_others_is_pinned(project: Path) -> None:
    jobs = load(rendered(project, "github", "--runs", "runs.json"))["jobs"]
    used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert len(used) > 10
    assert [one for one in used if not ACTION.fullmatch(one)] == []
    jobs = load(rendered(project, "gitlab"))
    images = [job["image"] for job in jobs.values() if "image" in job]
    images += [one["name"] for job in jobs.values() for one in job.get("services", [])]
    assert len(images) == 3
    assert [one for one in images if not IMAGE.fullmatch(one)] == []


def test_github_gives_no_job_more_than_it_needs(project: Path) -> None:
    found = load(rendered(project, "github", "--ledger-secret", "PASSWORD"))
    assert found["permissions"] == {}
    wanted = {name: {"contents": "read"} for name in ("verify", "past", "runs")}
    wanted["comment"] = {"pull-requests": "write"}
    assert {name: job["permissions"] for name, job in found["jobs"].items()} == wanted
    for name, job in found["jobs"].items():
        for step in job["steps"]:
            # An expression in a script would run what a branch's name or a title holds.
            assert "${{" not in step.get("run", "")
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
            secrets = "secrets." in str(step) or "github.token" in str(step)
            assert secrets is (name == "comment" and step.get("name") == "Comment")
    assert found["jobs"]["runs"]["env"]["PASSWORD"] == "${{ secrets.PASSWORD }}"


def test_a_job_that_may_write_checks_out_no_change(project: Path) -> None:
    steps = load(rendered(project, "github", "--install", "-r ci.txt"))["jobs"]["comment"]["steps"]
    (checkout,) = [step for step in steps if "checkout" in step.get("uses", "")]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_a_committed_workflow_is_up_to_date_or_not(project: Path) -> None:
    file = project / ".github" / "workflows" / "freezer.yml"
    code, out = freeze(project, "ci", "github", "--check")
    assert code == 1
    assert "there is no .github/workflows/freezer.yml" in out
    code, out = freeze(
        project, "ci", "github", "-o", str(file), "--sample", "9", "--runs", "r.json"
    )
    assert code == 0, out
    assert freeze(project, "ci", "github", "--check")[0] == 0
    # Options stay as they are in the file; a new environment makes it out of date.
    shutil.copytree(ROOT / "images" / "sklearn-cpu", project / "images" / "sklearn-cpu")
    code, out = freeze(project, "ci", "github", "--check", "--json")
    assert code == 1
    assert json.loads(out)["current"] is False
    assert any("sklearn-cpu" in line for line in json.loads(out)["differences"])
    assert freeze(project, "ci", "github", "-o", str(file))[0] == 0
    assert freeze(project, "ci", "github", "--check")[0] == 0
    assert "--sample 9" in file.read_text()
    file.write_text(file.read_text().replace("permissions: {}", "permissions: write-all"))
    code, out = freeze(project, "ci", "github", "--check")
    assert code == 1
    assert "-permissions: write-all" in out


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_moved_pins_are_kept_and_tags_are_not(project: Path, system: str) -> None:
    file = project / "ci.yml"
    freeze(project, "ci", system, "-o", str(file))
    text = file.read_text()
    digest = "0123456789abcdef" * 4
    old = r"(actions/checkout@)\w{40} # \S+" if system == "github" else r"(docker:28-dind@).*"
    new = rf"\g<1>{digest[:40]} # v9.1.0" if system == "github" else rf"\g<1>sha256:{digest}"
    moved = re.sub(old, new, text)
    assert moved != text
    file.write_text(moved)
    assert freeze(project, "ci", system, "--check", "-o", str(file))[0] == 0
    file.write_text(re.sub(old, r"\g<1>v9", text))
    code, out = freeze(project, "ci", system, "--check", "-o", str(file))
    assert code == 1
    assert "is not pinned by a full commit or digest" in out
    file.write_text(moved)
    assert freeze(project, "ci", system, "--fresh-pins", "-o", str(file))[0] == 0
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "there is no environment 'nothing'"),
        (("--branch", "a b"), "a branch such as main"),
        (("--branch", "x]\n  pull_request_target:"), "a branch such as main"),
        (("--schedule", "daily"), "five fields"),
        (("--install", "x ${{ secrets.A }}"), "what pip installs"),
        (("--install", "'"), "what pip installs"),
        (("--runs", "../a b"), "a file of the repository"),
        (("--sample", "2000"), "a number from 1 to 1000"),
        (("--ledger-secret", "a-b"), "a variable's name"),
        (("--runs", "r", "--ledger-secret", "A"), "exclude each other"),
        (("--cluster", "gpu"), "--on does not take 'gpu'"),
        (("--cluster", "slurm:a b"), "--on does not take"),
        (("--runner", "a b"), "labels of a runner"),
        (("--runner", "a,,b"), "labels of a runner"),
        (("--nightly", "daily"), "five fields"),
        (("--cluster", "slurm:a", "--nightly", "17 3 * * 1"), "are the same"),
        (("--check", "--branch", "x"), "takes the options that are in the file"),
    ],
)
def test_what_no_workflow_can_hold_is_refused(
    project: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, out = freeze(project, "ci", "github", *arguments)
    assert code == 2
    assert said in " ".join(out.replace("│", " ").split())


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_what_pip_installs_is_one_command(text: str) -> None:
    try:
        workflow._require_usable(Options(install=text))
    except SpecError:
        return
    from freezer.output.governance import ci

    plan = workflow.Workflow("github", Options(install=text), ("a",), "", "f", has_policy=False)
    steps = load(ci.render_workflow(plan))["jobs"]["verify"]["steps"]
    (step,) = [one for one in steps if one.get("name") == "Install Freezer"]
    import shlex

    assert shlex.split(step["run"]) == ["python", "-m", "pip", "install", *shlex.split(text)]


@given(st.text(max_size=80))
def test_options_of_any_file_are_read_or_named(text: str) -> None:
    for line in (f"# Options: {text}", f"# Options: {{{text}}}", text):
        try:
            found: object = workflow._recorded(line, "ci.yml")
        except SpecError as error:
            found = error.where and error.where.line
        assert isinstance(found, (Options, int)), line


def test_options_come_back_as_they_were() -> None:
    cluster = ("slurm:gpu:a|b", "login", "3 4 * * *")
    options = Options(
        ("a", "b"), "x -r 'y z'", "trunk", "1 2 * * *", "runs.json", None, 4, *cluster
    )
    assert workflow._recorded(f"# A\n{options_line(options)}\nx: 1\n", "f") == options


@pytest.mark.process
def test_a_project_below_the_top_of_its_repository(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "repository"
    top.mkdir()
    below = top / "ml" / "training"
    shutil.copytree(project / "images", below / "images")
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    for system, file in (("github", ".github/workflows/freezer.yml"), ("gitlab", ".gitlab/f.yml")):
        monkeypatch.chdir(tmp_path)
        assert freeze(below, "ci", system, "-o", f"repository/{file}")[0] == 0
        text = (top / file).read_text()
        assert "ml/training" in text
        assert f"--check -o ../../{file}" in text
        monkeypatch.chdir(below)
        assert freeze(below, "ci", system, "--check", "-o", f"../../{file}")[0] == 0
    assert load((top / ".github/workflows/freezer.yml").read_text())["defaults"]["run"] == {
        "shell": "bash", "working-directory": "ml/training",
    }  # fmt: skip


def test_a_folder_without_a_spec(tmp_path: Path) -> None:
    code, out = freeze(tmp_path, "ci", "github")
    assert code == 2
    assert "there is no spec here" in out


def test_a_cluster_is_checked_by_a_schedule_alone(project: Path) -> None:
    """A self-hosted runner must never run what a change request holds."""
    text = rendered(project, "github", "--cluster", "slurm:gpu", "--runner", "login,x")
    found = load(text)
    assert [one["cron"] for one in found["on"]["schedule"]] == ["17 3 * * 1", "43 1 * * *"]
    job = found["jobs"]["cluster"]
    assert job["runs-on"] == ["self-hosted", "login", "x"]
    assert job["permissions"] == {"contents": "read"}
    assert "github.event.schedule == '43 1 * * *'" in job["if"]
    assert "pull_request" not in job["if"]
    assert "github.event.schedule != '43 1 * * *'" in found["jobs"]["past"]["if"]
    assert all("${{" not in step.get("run", "") for step in job["steps"])
    assert "cluster" not in load(rendered(project, "github"))["jobs"]

    jobs = load(rendered(project, "gitlab", "--cluster", "slurm:gpu", "--runner", "login,x"))
    job = jobs["freezer:cluster"]
    assert job["tags"] == ["login", "x"]
    assert "image" not in job
    [rule] = job["rules"]
    assert rule == {"if": '$CI_PIPELINE_SOURCE == "schedule" && $FREEZER_JOB == "cluster"'}
    assert '$FREEZER_JOB != "cluster"' in jobs["freezer:past"]["rules"][0]["if"]


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_a_cluster_that_was_edited_in_is_found(project: Path, system: str) -> None:
    file = project / "ci.yml"
    assert freeze(project, "ci", system, "--cluster", "slurm:gpu", "-o", str(file))[0] == 0
    assert freeze(project, "ci", system, "--check", "-o", str(file))[0] == 0
    assert freeze(project, "ci", system, "--sample", "4", "-o", str(file))[0] == 0
    assert "--on slurm:gpu" in file.read_text()  # kept
    file.write_text(file.read_text().replace("--on slurm:gpu", "--on slurm:gpu --host n1"))
    code, out = freeze(project, "ci", system, "--check", "-o", str(file))
    assert code == 1
    assert "--host n1" in out
