"""What trainings record by one line each, as `freeze run` reads it."""

from __future__ import annotations

import ast
import math
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.check.invariants.hold import in_run
from freezer.check.invariants.observed import Observed, Series
from freezer.flows.runs.protocol import Filter
from freezer.inside import freezer_inside, runner_folder
from freezer.inside import freezer_runner as runner
from freezer.inside.freezer_runner import order, recording
from freezer.model.record.run import Digest
from freezer.model.spec.expect import Expectation


class Read:
    """What `freeze run` makes of what was printed since."""

    def __init__(self, capsys: pytest.CaptureFixture[str], tensors: tuple[str, ...] = ()) -> None:
        taken = Filter(lambda _stream, _data: None, tensors=tensors)
        taken.take(1, capsys.readouterr().out.encode())
        taken.end()
        assert taken.report.ignored == 0
        self.fields = taken.report.fields
        self.report = taken.report
        self.series = {
            name.removeprefix("metrics."): Series([*one.steps], [*one.values])
            for name, one in taken.report.metrics().items()
        }


@pytest.fixture(autouse=True)
def from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_counts", {})
    monkeypatch.setattr(order, "_recorded", set())


def test_parameters_keep_their_types_and_their_bits(capsys) -> None:
    runner.record_params(
        {"values": 3}, lr=0.1, on=True, model="resnet", nested={"a": {"b": 2}}, sizes=(28, 0.1)
    )
    assert Read(capsys).fields == {
        "params.values": 3,
        "params.lr": 0.1,
        "params.on": True,
        "params.model": "resnet",
        "params.nested.a.b": 2,
        "params.sizes": "(28, 0.1)",
    }


@given(st.floats())
def test_every_double_comes_back(value: float) -> None:
    from freezer.flows.runs.protocol import setting

    found = setting(recording.text(value))
    assert (type(found), repr(found)) == (float, repr(value))


def test_steps_are_numbered_in_their_order(capsys) -> None:
    runner.record_filter("without a label", before=1000, after=970, column="y")
    runner.record_preprocessing("resize", size=(28, 28))
    runner.record_preprocessing("normalise", mean=0.1307)
    assert Read(capsys).fields == {
        "params.filter.01": "without a label",
        "params.filter.01.before": 1000,
        "params.filter.01.after": 970,
        "params.filter.01.column": "y",
        "params.preprocessing.01": "resize",
        "params.preprocessing.01.size": "(28, 28)",
        "params.preprocessing.02": "normalise",
        "params.preprocessing.02.mean": 0.1307,
    }
    with pytest.raises(ValueError, match="cannot leave 11"):
        runner.record_filter("more", before=10, after=11)


class Optimizer:
    param_groups = [{"params": [1], "lr": 0.5, "amsgrad": True, "foreach": None}]  # noqa: RUF012


class Scheduler:
    def state_dict(self) -> dict[str, Any]:
        return {"step_size": 30, "gamma": 0.5, "base_lrs": [0.1], "last_epoch": 7, "_step_count": 8}


class KerasSchedule:
    def get_config(self) -> dict[str, Any]:
        return {"initial_learning_rate": 0.5, "decay_steps": 10}


def test_optimisers_and_schedules(capsys) -> None:
    runner.record_optimizer(Optimizer())
    fields = Read(capsys).fields
    assert fields["params.optimizer: amsgrad"] is True
    assert fields["params.optimizer: learning rate"] == 0.5
    runner.record_schedule(Scheduler())
    assert Read(capsys).fields == {
        "params.schedule.class": f"{__name__}.Scheduler",
        "params.schedule.step_size": 30,
        "params.schedule.gamma": 0.5,
        "params.schedule.base_lrs": "(0.1)",
    }
    runner.record_schedule(KerasSchedule(), name="lr")
    assert Read(capsys).fields["params.lr.initial_learning_rate"] == 0.5
    runner.record_schedule({"warmup": 10})
    assert Read(capsys).fields == {"params.schedule.warmup": 10}
    runner.record_schedule(lambda step: 0.1 / (1 + step), steps=3)
    assert Read(capsys).series["schedule"].values == [0.1, 0.05, 0.1 / 3]
    for wrong, error in ((lambda step: step, ValueError), (7, TypeError)):
        with pytest.raises(error):
            runner.record_schedule(wrong)


def test_a_split_is_recorded_with_policy_sizes_classes_and_keys(capsys) -> None:
    listed = [f"img-{n}" for n in range(10)]
    parts = runner.split_keys(
        listed, {"train": 0.8, "test": Fraction(1, 5)}, labels=["cat", "dog"] * 5, name="main"
    )
    read = Read(capsys)
    assert read.fields["params.main.algorithm"] == "freezer-split/1"
    assert read.fields["params.main.shares.test"] == "1/5"
    assert read.fields["params.main.grouped"] is False
    assert read.fields["params.main.classes"] == 2
    assert read.fields["metrics.main.train.size"] == len(parts["train"])
    assert read.fields["metrics.main.test.classes.cat"] == sum(at % 2 == 0 for at in parts["test"])
    assert isinstance(read.fields["data.main.train"], Digest)
    runner.split_keys(listed[::-1], {"train": 0.8, "test": 0.2}, name="main")
    assert Read(capsys).fields["data.main.train"] == read.fields["data.main.train"]
    expected = {"main.train": Expectation.model_validate({"classes": {"min-share": 0.4}})}
    [outcome] = in_run(expected, Observed(read.series, {}))
    assert outcome.state == "passed"


def test_too_many_classes_are_counted_only(capsys) -> None:
    listed = [*range(1001)]
    runner.fold_keys(listed, 2, labels=listed)
    read = Read(capsys)
    assert read.fields["params.folds.classes"] == 1001
    assert not [name for name in read.fields if ".classes." in name]


def test_an_order_is_recorded_once(capsys) -> None:
    for epoch in range(3):
        runner.order_keys(["a", "b"], epoch, seed=7)
    assert capsys.readouterr().out.count("::freezer::") == 3


def test_augmentation_is_that_of_the_image_s_own_runtime(capsys) -> None:
    augment = runner.Augmentation("flip", seed=1234, probability=0.5)
    fields = Read(capsys).fields
    assert fields["params.augmentation.flip.algorithm"] == "freezer-augmentation/1"
    assert fields["params.augmentation.flip.probability"] == 0.5
    theirs = freezer_inside.augmentation(1234, 3, "img-1")
    ours = augment.random(3, "img-1")
    assert isinstance(ours, random.Random)
    assert [ours.random() for _ in range(5)] == [theirs.random() for _ in range(5)]
    assert 0 <= augment.seed(3, "img-1") < 2**63


contents = st.one_of(st.binary(max_size=4), st.text(max_size=4), st.lists(st.floats(), max_size=3))
samples = st.dictionaries(st.text(max_size=3) | st.integers(), contents, max_size=6)


@given(samples, samples, st.randoms())
def test_a_set_has_one_digest_in_any_order_and_another_for_other_content(
    one: dict, other: dict, order: random.Random
) -> None:
    listed = list(one.items())
    order.shuffle(listed)
    assert runner.digest_samples("x", listed) == runner.digest_samples("x", one.items())
    same = repr(sorted(one.items(), key=repr)) == repr(sorted(other.items(), key=repr))
    assert (runner.digest_samples("x", other.items()) == runner.digest_samples("x", listed)) is same


def test_kinds_of_content_are_told_apart(capsys) -> None:
    found = {runner.digest_samples("x", [("k", one)]) for one in (b"ab", "ab", [1.0], b"", "", [])}
    assert len(found) == 6
    read = Read(capsys)
    assert read.fields["metrics.x.size"] == 1.0
    assert isinstance(read.fields["data.x"], Digest)
    with pytest.raises(ValueError, match="'k' occurs twice"):
        runner.digest_samples("x", [("k", b""), ("k", b"")])


@pytest.mark.parametrize(
    ("values", "least", "greatest", "missing"),
    [([1.0, -2.0], -2.0, 1.0, 0.0), ([math.nan, 3.0], 3.0, 3.0, 1.0), ([math.inf], math.nan, math.nan, 1.0)],
)  # fmt: skip
def test_a_tensor_has_its_extremes_over_every_element(
    capsys, values, least, greatest, missing
) -> None:
    runner.record_tensor("w", values, 5)
    read = Read(capsys, ("w",))
    found = {name: one.values for name, one in read.series.items()}
    assert repr(found) == repr(
        {"w.not-finite": [missing], "w.least": [least], "w.greatest": [greatest]}
    )
    assert read.report.tensors["w"].shapes == [(len(values),)]
    rule = {"w": Expectation.model_validate({"range": [-2, 3]})}
    [outcome] = in_run(rule, Observed(read.series, read.report.tensors))
    assert (outcome.state == "passed") is (missing == 0)


@pytest.mark.parametrize("path", sorted(runner_folder().glob("*.py")), ids=lambda path: path.name)
def test_it_runs_on_python_3_8(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    newer = [
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
        and node.value.id in {"list", "dict", "tuple", "set", "type", "frozenset"}
    ]  # fmt: skip
    assert newer == [], "builtin generics came with 3.9"
