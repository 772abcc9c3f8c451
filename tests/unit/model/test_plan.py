"""A plan's file: what it may hold, and where it is wrong."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import PlanError
from freezer.model.record.plan import Criterion, plan_schema, read_plan, same_setting

GOOD = """
hypothesis: A learning rate of 0.01 gives a higher accuracy than 0.1.
metric: accuracy
changes:
  lr: [0.1, 0.01]
  opt: adam
seeds: 1..5
refuted-by:
  mean-of: {lr: 0.010}
  at-most: {lr: 0.1}
  margin: 0.001
"""


def plan(**changes: object) -> bytes:
    values = yaml.safe_load(GOOD)
    values.update({name.replace("_", "-"): value for name, value in changes.items()})
    kept = {name: value for name, value in values.items() if value is not None}
    return yaml.safe_dump(kept, sort_keys=False).encode()


def test_a_plan_is_read() -> None:
    file = read_plan(GOOD.encode(), "plan.yaml")
    found = file.plan
    assert (file.data, found.metric_field, found.seeds) == (
        GOOD.encode(), "metrics.accuracy", (1, 2, 3, 4, 5),
    )  # fmt: skip
    assert found.changes == {"lr": ("0.1", "0.01"), "opt": ("adam",)}
    assert found.refuted_by == Criterion(
        mean_of={"lr": "0.010"}, at_most={"lr": "0.1"}, margin=1e-3
    )


@pytest.mark.parametrize(
    ("changes", "seeds", "refuted"),
    [
        ({"seeds": 3}, 3, None),
        ({"seeds": [7, 1]}, (7, 1), None),
        ({"changes": None, "refuted_by": "the loss grows"}, None, "the loss grows"),
        ({"changes": {"flag": [True, False]}, "refuted_by": {"at_most": 1}}, None, None),
        ({"refuted_by": {"at-least": 0.5}}, None, Criterion(at_least=0.5)),
    ],
)
def test_short_forms(changes: dict, seeds: object, refuted: object) -> None:
    changes = {
        name: {key.replace("_", "-"): one for key, one in value.items()}
        if name == "refuted_by" and isinstance(value, dict)
        else value
        for name, value in changes.items()
    }
    data = plan(**changes)
    found = read_plan(data, "p").plan
    assert seeds in (None, found.seeds)
    assert refuted in (None, found.refuted_by)
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(yaml.safe_load(data), plan_schema())


@pytest.mark.parametrize(
    ("data", "line", "key", "said"),
    [
        (plan(metric=None), 1, "metric", "is missing"),
        (plan(hypothesis=None, hypothesi="x"), None, "hypothesi", "did you mean"),
        (b"metrc: acc\nseeds: true\n", None, None, "4 things in this file"),
        (plan(changes={"a b": 1}), 4, "changes.a b", "unusable name"),
        (plan(hypothesis=" "), 1, "hypothesis", "some words"),
        (plan(metric=3), 2, "metric", "the name of a metric"),
        (plan(seeds=0), 8, "seeds", "how many"),
        (plan(seeds=[1, 1]), 8, "seeds", "each value once"),
        (plan(seeds="5..1"), 8, "seeds", "upwards"),
        (plan(seeds=[-1]), 9, "seeds[0]", "how many"),
        (plan(seeds=True), 8, "seeds", "not true or false"),
        (plan(changes={"lr": {"a": 1}}), 4, "changes.lr", "values to try"),
        (plan(changes={"lr": []}), 4, "changes.lr", "values to try"),
        (plan(changes={"lr": [1, 1]}), 4, "changes.lr", "each value once"),
        (plan(changes={"1x": 1}), 4, "changes.1x", "begins with a letter"),
        (plan(refuted_by={"at-most": 1, "at-least": 2}), None, "refuted-by", "one of at-most"),
        (plan(refuted_by={}), None, "refuted-by", "one of at-most"),
        (plan(refuted_by={"at-mots": 1}), None, "refuted-by.at-mots", "did you mean"),
        (plan(refuted_by={"at-most": "much"}), None, "refuted-by.at-most", "a number"),
        (plan(refuted_by={"at-most": ".inf"}), None, "refuted-by.at-most", "a number"),
        (plan(refuted_by={"at-most": 1, "margin": -1}), None, "refuted-by.margin", "from 0"),
        (plan(refuted_by={"mean-of": {"lr": 5}, "at-most": 1}), None, "refuted-by.mean-of.lr",
         "does not try lr=5"),
        (plan(refuted_by={"at-most": {"x": 5}}), None, "refuted-by.at-most.x", "does not try"),
        (b"", 1, None, "empty"),
        (b"a: [", 2, None, "not valid YAML"),
        (b"\xff", 1, None, "not UTF-8"),
        (b"hypothesis: &a x", 1, None, "anchors"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place(data: bytes, line: int | None, key: str, said: str) -> None:
    with pytest.raises(PlanError) as raised:
        read_plan(data, "plan.yaml")
    error = raised.value
    assert error.where is not None
    assert (error.where.file, error.where.key) == ("plan.yaml", key)
    assert error.where.line == line or line is None
    assert said in str(error)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_file_ends_in_anything_but_an_error(data: bytes) -> None:
    with pytest.raises(PlanError):
        read_plan(data, "plan.yaml")


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["lr", "mean-of", "at-most", "x"]), inner)
                ),
                max_leaves=5,
            )
            for name in ("hypothesis", "metric", "changes", "seeds", "refuted-by")
        },
    )
)
def test_any_values_are_a_plan_or_an_error(values: dict) -> None:
    data = yaml.safe_dump({**yaml.safe_load(GOOD), **values}).encode()
    try:
        found = read_plan(data, "plan.yaml")
    except PlanError as error:
        place = error.where
    else:
        place = found.plan.hypothesis
    assert place is not None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("0.1", "0.10", True), ("1", "1.0", True), ("1e3", "1000", True), ("a", "a", True),
     ("a", "b", False), ("007", "7", True), ("1", "true", False), ("nan", "0", False)],
)  # fmt: skip
def test_values_are_the_same_by_their_number(one: str, other: str, same: bool) -> None:
    assert same_setting(one, other) == same
