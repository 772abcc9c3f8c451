"""What every built-in training tells alike, whatever its framework."""

import io
import math
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.inside.freezer_inside.determinism import SEED
from freezer.inside.freezer_inside.record import Recorder
from freezer.inside.freezer_inside.trainer import BATCH, ROWS, Trainer
from freezer.model.record.protocol import parse_lines
from tests.support.project.records import Floats


class Weights(Floats):
    """A tensor that also knows its least and its greatest element; nan is both, as in NumPy."""

    def min(self):
        return math.nan if any(map(math.isnan, self._values)) else min(self._values)

    def max(self):
        return math.nan if any(map(math.isnan, self._values)) else max(self._values)


@pytest.fixture
def trainer(monkeypatch):
    monkeypatch.setenv(SEED, "7")
    made = Trainer("numpy", steps=6)
    made.recorder = Recorder("numpy", io.StringIO())
    return made


def told(trainer):
    lines = [line for line in trainer.recorder._stream.getvalue().encode().splitlines() if line]
    [training] = parse_lines(lines)[1]
    return training


def named(trainer, kind):
    return [(one.name, getattr(one, "step", None)) for one in told(trainer).observations
            if one.kind == kind]  # fmt: skip


def test_batches_take_every_row_once_in_a_pass_in_an_order_that_is_told(trainer):
    batches = dict(trainer.batches())
    assert [len(rows) for rows in batches.values()] == [BATCH] * 6
    first = [row for step in range(1, 5) for row in batches[step]]
    assert sorted(first) == list(range(ROWS))
    assert first[:BATCH] != batches[5]
    assert named(trainer, "data") == [("order", None)]


def test_another_seed_is_another_order(trainer, monkeypatch):
    before = dict(trainer.batches())
    trainer.seed += 1
    assert dict(trainer.batches()) != before


def test_weights_are_told_at_every_step_and_sampled_at_three(trainer):
    for step in range(1, 7):
        trainer.weights(step, {"w": Weights(1.0, 2.0)})
    tensors = told(trainer).observations
    assert [one.step for one in tensors] == [1, 2, 3, 4, 5, 6]
    assert [one.step for one in tensors if one.sample] == [1, 3, 6]


def test_gradient_norms_are_told_together_and_sometimes_each(trainer):
    for step in (1, 2):
        trainer.gradients(step, {"a": 3.0, "b": 4.0})
    assert named(trainer, "metric") == [
        ("gradient norm", 1),
        ("gradient norm of a", 1),
        ("gradient norm of b", 1),
        ("gradient norm", 2),
    ]
    assert float.fromhex(told(trainer).observations[0].value) == 5.0


def test_first_weights_are_data(trainer):
    trainer.first_weights({"w": Weights(1.0)})
    assert named(trainer, "data") == [("first w", None)]


def test_settings_of_image_and_framework_are_told(trainer):
    trainer.begin({"numpy": "2.4"}, {"a switch": True})
    settings = {one.name: one.value for one in told(trainer).observations if one.kind == "setting"}
    assert (settings[SEED], settings["a switch"]) == ("7", "True")
    assert named(trainer, "random") == [("random", None)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_ends_the_training_after_it_was_told(trainer, value):
    with pytest.raises(ArithmeticError, match=r"loss is .* at step 3"):
        trainer.loss(3, value)
    assert named(trainer, "loss") == [("loss", 3)]
    with pytest.raises(ArithmeticError, match="w has an element"):
        trainer.ranges({"w": Weights(1.0, value)})


def test_a_training_that_learns_nothing_does_not_come_to_its_end(trainer):
    for step, loss in enumerate((0.5, 0.4, 0.5), 1):
        trainer.loss(step, loss)
    with pytest.raises(ArithmeticError, match=r"did not fall: 0\.5 to 0\.5"):
        trainer.end()
    assert told(trainer).failure is not None


def test_a_training_ends_with_its_time(trainer):
    trainer.loss(1, 1.0)
    trainer.loss(2, 0.5)
    trainer.end()
    found = told(trainer)
    assert found.failure is None
    assert [one.name for one in found.timings] == ["training", "processor"]


def test_results_of_a_race_are_counted(trainer):
    trainer.race("sum", [struct.pack("<d", value) for value in (1.0, 1.0, 2.0)])
    assert float.fromhex(told(trainer).observations[0].value) == 2.0


@pytest.mark.process
def test_leaving_writes_what_was_told_and_takes_nothing_down():
    script = """
import atexit, sys
from freezer_inside.trainer import leave
atexit.register(print, "taken down")
print("told")
print("said", file=sys.stderr)
leave()
"""
    inside = Path(__file__).parents[3] / "freezer" / "inside"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=inside, capture_output=True, check=True, text=True
    )
    assert (done.stdout, done.stderr) == ("told\n", "said\n")
