"""One thing changed at a time in the built-in training, inside a real image: each is noticed.

What is changed is NumPy's part of the benchmark's list. The other frameworks, other versions and
another BLAS: ``python -m benchmarks mutations``.
"""

import re
from collections.abc import Mapping

import pytest

from benchmarks.mutations.catalogue import MUTATIONS, Mutation
from benchmarks.mutations.container import lines
from freezer.check.compare.compare import compare
from freezer.check.reference import read_reference
from freezer.engine.interface import Engine, ImageInfo, RunOptions
from freezer.inside.freezer_inside.determinism import thread_counts
from freezer.model.record.protocol import parse_lines
from freezer.model.record.record import Record
from freezer.model.record.verdict import CHANGED as RESULTS_CHANGED
from freezer.model.record.verdict import TrainingVerdict, Verdict, Word
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

UNCHANGED = ("nothing", "nothing, again", "nothing, and again")
CHANGED = {
    one.title: one
    for one in MUTATIONS
    if "numpy" in one.trainings and one.environment != thread_counts(1)  # which the image has
}
BROKEN = {
    "a line that is missing": """
tell = record.Recorder.loss
record.Recorder.loss = lambda self, step, *told: None if step == 7 else tell(self, step, *told)
""",
    "no end": "record.Recorder.end = lambda self: None",
    "silence": "record.Recorder._write = lambda self, line: None",
}
KERNELS = ("BLAS core type Nehalem", "NumPy without AVX2")
Told = Mapping[str, list[bytes]]


@pytest.fixture(scope="module")
def told(engine: Engine, image: ImageInfo) -> Told:
    """Return what the training told under each change, from one container."""
    plan: dict[str, tuple[str, Mapping[str, str]]] = {name: ("", {}) for name in UNCHANGED}
    plan |= {name: (one.script("numpy"), one.environment) for name, one in CHANGED.items()}
    plan |= {name: (code, {}) for name, code in BROKEN.items()}
    return dict(zip(plan, lines(engine, image.id, "numpy", [*plan.values()]), strict=True))


@pytest.fixture(scope="module")
def reference(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Return the reference that ``freeze check`` recorded of the same image."""
    project = built.copy(tmp_path_factory.mktemp("mutations") / "project")
    project.freeze("check").good()
    [path] = project.references
    record = read_reference(path, path.name)
    assert record is not None
    return record


def verdict(name: str, reference: Record, told: Told) -> Verdict:
    """Hold one run against the reference; the host of one without variables is as usual."""
    usual, _ = parse_lines(told[UNCHANGED[0]])
    host, trainings = parse_lines(told[name])
    found = reference.model_copy(update={"host": host or usual, "trainings": trainings})
    return compare(reference.model_copy(update={"host": usual}), found)


def judged(name: str, reference: Record, told: Told) -> TrainingVerdict:
    [one] = verdict(name, reference, told).trainings
    return one


@pytest.mark.parametrize("name", UNCHANGED)
def test_nothing_changed_is_identical(reference: Record, told: Told, name: str) -> None:
    assert judged(name, reference, told).word is Word.IDENTICAL


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_each_change_is_noticed_where_it_begins_and_its_cause_is_named(
    engine: Engine, reference: Record, told: Told, change: Mutation
) -> None:
    if change.title in KERNELS and engine.info.architecture != "x86_64":
        pytest.skip("these kernels are those of x86-64")
    found = verdict(change.title, reference, told)
    assert found.word in RESULTS_CHANGED
    first = found.trainings[0].first
    assert first is not None
    assert re.search(change.first, first.what)
    assert change.cause
    assert any(re.search(change.cause, cause) for cause in found.causes), found.causes


def test_one_bit_is_found_in_its_place(reference: Record, told: Told) -> None:
    first = judged("one bit of one last weight", reference, told).first
    assert first is not None
    assert (first.what, first.differing) == ("w1 at step 24", 1)
    assert first.place == "between elements [63, 0] and [63, 255]"


@pytest.mark.parametrize("name", ["other type: double for the rate", *KERNELS])
def test_other_arithmetic_is_seen_before_the_end(
    engine: Engine, reference: Record, told: Told, name: str
) -> None:
    if name in KERNELS and engine.info.architecture != "x86_64":
        pytest.skip("these kernels are those of x86-64")
    first = judged(name, reference, told).first
    assert first is not None
    assert first.differing > 10


def test_a_line_that_is_missing_is_named(reference: Record, told: Told) -> None:
    one = judged("a line that is missing", reference, told)
    assert one.word is Word.DRIFTED
    assert one.first is not None
    assert (one.first.what, one.first.found, one.first.differing) == (
        "loss at step 7",
        "not recorded",
        1,
    )


@pytest.mark.parametrize(
    ("name", "why"), [("no end", "recorder.end()"), ("silence", "did not run")]
)
def test_a_record_that_breaks_off_is_no_pass(
    reference: Record, told: Told, name: str, why: str
) -> None:
    one = judged(name, reference, told)
    assert one.word is Word.FAILED
    assert why in (one.reason or "")


LARGE = """
import sys
import numpy as np
from freezer_inside import data, large
from freezer_inside.trainer import Trainer

assert large.splitmix64(2**64 - 3, 100).tolist() == data.splitmix64(2**64 - 3, 100)
trainer = Trainer("large")
many = large.many_rows(trainer, 300, 6, 4)
assert (many.features * 16 == np.rint(many.features * 16)).all() and abs(many.features).max() <= 4
assert set(many.labels.tolist()) == {0, 1, 2, 3}
tail = large.heavy_tailed(trainer, 4096, 16)
sizes = abs(tail.targets[tail.targets != 0])
assert sizes.max() / sizes.min() > 2**large.SPREAD
assert (tail.targets == tail.targets.astype(np.float32)).all()
"""


def test_large_data_are_exact_heavy_tailed_and_the_same_everywhere(
    engine: Engine, image: ImageInfo
) -> None:
    command = ["/opt/env/bin/python", "-c", LARGE]
    done = engine.run(image.id, command, RunOptions(timeout=60))
    assert done.exit_code == 0, done.stderr.decode()
    digests = re.findall(rb'"name": "([^"]+)", "sha256": "(\w{12})', done.stdout)
    assert digests == [(b"many rows", b"dae493763b92"), (b"heavy-tailed", b"e80c3fc13af1")]
