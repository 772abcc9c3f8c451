"""What ``freeze check`` says of trainings that repeat, of such that do not, and of broken ones."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from freezer.check.reference import read_reference, write_reference
from freezer.engine.interface import Engine, ImageInfo
from freezer.model.record.record import Record, Tensor
from tests.support.host.commands import Outcome, Project, forget, tree

Own = Callable[..., Outcome]

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

TRAINING = """
import os, socket, sys, time
import numpy as np
from freezer_inside.record import Recorder

recorder = Recorder()
recorder.version("numpy", np.__version__)
weights = np.arange(8, dtype=np.float32)
for step in range(3):
    {lines}
    weights = np.tanh(weights * np.float32(0.5))
    recorder.loss(step, float(weights.sum()) + draw)
recorder.tensor("weights", weights, step=3)
recorder.end()
"""


@pytest.fixture(scope="module")
def checked(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the built project with a reference; not to be changed."""
    project = built.copy(tmp_path_factory.mktemp("checked") / "project")
    first = project.freeze("check", "--json").good().document
    assert (first["verdict"], first["recorded"]) == ("identical", True)
    [reference] = project.references
    assert first["reference"] == str(reference.relative_to(project.folder))
    return project


def test_the_second_check_is_identical_and_writes_nothing(checked: Project) -> None:
    before = tree(checked.folder)
    said = checked.freeze("check").good().out
    assert "identical" in said
    assert "as recorded in" in said
    assert tree(checked.folder) == before


def flip(record: Record) -> tuple[Record, Tensor]:
    """Return a record in which the digest of one tensor is another."""
    training = record.trainings[0]
    tensors = [one for one in training.observations if isinstance(one, Tensor) and one.step > 0]
    chosen = tensors[-1]
    other = chosen.model_copy(update={"sha256": f"{int(chosen.sha256, 16) ^ 1:064x}"})
    observations = tuple(other if one is chosen else one for one in training.observations)
    changed = training.model_copy(update={"observations": observations})
    return record.model_copy(update={"trainings": (changed,)}), chosen


def test_one_bit_in_one_weight_is_drift_with_name_and_step(
    checked: Project, tmp_path: Path
) -> None:
    project = checked.copy(tmp_path / "project")
    [path] = project.references
    record = read_reference(path, path.name)
    assert record is not None
    changed, tensor = flip(record)
    # Without a history, which would tell the reference from the one that was recorded.
    shutil.rmtree(path.parent.parent / "history")
    write_reference(path.parent.parent, changed)
    before = path.read_bytes()
    place = f"{tensor.name} at step {tensor.step}"
    words = [place, tensor.sha256[:12], "1 of ", "the same results as the first"]
    project.freeze("check").failed(1, "drifted", *words)
    assert path.read_bytes() == before
    said = project.freeze("check", "--record", "--json").good().document
    assert said["recorded"] is True
    again = read_reference(path, path.name)
    assert again is not None
    assert untimed(again) == untimed(record)


def untimed(record: Record) -> Record:
    """Return a record without how long anything took."""
    kept = tuple(one.model_copy(update={"timings": ()}) for one in record.trainings)
    return record.model_copy(update={"trainings": kept})


def test_a_reference_that_was_edited_is_refused(checked: Project, tmp_path: Path) -> None:
    project = checked.copy(tmp_path / "project")
    [path] = project.references
    document = json.loads(path.read_text())
    document["trainings"][0]["observations"][-1]["step"] += 1
    path.write_text(json.dumps(document))
    project.freeze("check").failed(2, path.name, "not the one that the history recorded")


def test_a_lock_without_an_image_says_what_to_do(project: Project, built: Project) -> None:
    project.spec(pip=["numpy", "six"])
    project.freeze("lock").good()
    project.freeze("check").failed(2, "no verified image", f"freeze build {project.name}")


@pytest.fixture
def own(image: ImageInfo, project: Project, engine: Engine) -> Iterator[Own]:
    """Return a function that checks an own training, of which some lines are given."""

    def check(lines: str, **smoke: object) -> Outcome:
        (project.folder / "train.py").write_text(TRAINING.format(lines=lines))
        command = {"command": ["python", "train.py"], "files": ["train.py"]}
        project.spec(smoke={**command, "memory": "256m", "training": None, **smoke})
        project.freeze("lock").good()
        project.freeze("build").good()
        return project.freeze("check")

    yield check
    made = engine.image(f"{project.name}:{project.lock_id[:12]}")
    assert made is not None
    forget(engine, made)
    engine.tag(image.id, project.name, "latest")


def test_an_own_training_that_repeats_is_identical(project: Project, own: Own) -> None:
    said = own("draw = 0.5").good().out
    assert re.search(r"own +identical +5 observations, 3 losses", said)
    project.freeze("check").good()


def test_an_own_training_that_does_not_repeat_is_drift_and_not_recorded(
    project: Project, own: Own
) -> None:
    said = own("draw = os.urandom(1)[0] + step").failed(1, "own differs first in loss at step 0")
    assert "drifted" in said.out
    assert project.references == []


def test_a_silent_training_is_no_pass_because_another_one_spoke(project: Project, own: Own) -> None:
    said = own("", command=["true"], training=["numpy"])
    said.failed(1, "failed", "nothing was recorded", "own: it reported nothing")
    assert project.references == []


BROKEN = {
    "silent": ("sys.exit()", {}, ["stopped without reporting its end"]),
    "raises": (
        "raise ValueError('the wrong sort of weights')",
        {},
        ["exit status 1", "train.py", "ValueError: the wrong sort of weights"],
    ),
    "no network": (
        "socket.create_connection(('192.0.2.1', 80), timeout=5)",
        {},
        ["Network is unreachable"],
    ),
    "read-only": ("open('/home/freezer/notes', 'w')", {}, ["Read-only file system"]),
    "memory": ("np.ones(1 << 27)", {}, ["out of memory", "smoke.memory", "256m"]),
    "endless": ("time.sleep(60)", {"timeout": 1}, ["did not end within 1 seconds"]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_training_has_failed_for_a_plain_reason(
    project: Project, own: Own, case: str
) -> None:
    lines, smoke, reasons = BROKEN[case]
    own(lines, **smoke).failed(1, "failed", "nothing was recorded", *reasons)
    assert project.references == []


def test_what_a_training_writes_to_tmp_is_gone_the_next_time(project: Project, own: Own) -> None:
    own("draw = open('/tmp/seen', 'a').tell()").good()


def test_what_the_spec_expects_needs_no_other_lock_and_decides_the_verdict(
    checked: Project, tmp_path: Path
) -> None:
    made = checked.copy(tmp_path / "expecting")
    before = tree(made.folder / "lockfiles")
    made.spec(expect={"loss": {"finite": True, "ceiling": 100}})
    made.freeze("lock", "--check").good()
    file = tmp_path / "junit.xml"
    good = made.freeze("check", "--json", "--junit", str(file)).good()
    assert "has changed" not in good.err
    assert good.document["verdict"] == "identical"
    assert {one["state"] for one in good.document["expectations"]} == {"passed"}
    assert tree(made.folder / "lockfiles") == before
    assert "<failure" not in file.read_text()
    made.spec(expect={"loss": {"ceiling": 0}})
    failed = made.freeze("check", "--junit", str(file))
    failed.failed(1, "expected at most 0.0")
    assert "<failure" in file.read_text()
    assert made.references, "the reference stays"
