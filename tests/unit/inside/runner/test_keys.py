"""Splits, folds and orders by key: what adding a sample moves, and the documented test vectors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.inside import freezer_inside
from freezer.inside import freezer_runner as runner
from freezer.inside.freezer_runner.order import order_keys

ROOT = Path(__file__).parents[4]
DOCUMENTED = ROOT / "docs" / "reference" / "keys.md"
part = st.one_of(st.text(max_size=5), st.integers(-(10**20), 10**20))
keys = st.lists(part, unique_by=lambda one: (type(one), one), max_size=40)
labelled = st.dictionaries(st.text(max_size=4), st.sampled_from("abc"), max_size=60)
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


@pytest.fixture(autouse=True)
def quiet(capsys: pytest.CaptureFixture[str]) -> None:
    del capsys


def fold_by_key(samples: dict[str, str], count: int, **more: object) -> dict[str, int]:
    found = runner.stratify_keys(list(samples), list(samples.values()), count, **more)  # type: ignore[arg-type]
    return dict(zip(samples, found, strict=True))


@given(st.lists(part, max_size=4))
def test_numbers_are_those_of_the_image_s_own_runtime(parts: list[str | int]) -> None:
    assert runner.key_number(*parts) == freezer_inside.key_seed(*parts)


@given(keys, st.integers(0, 3))
def test_a_split_is_that_of_the_image_s_own_runtime(listed: list[str | int], salt: int) -> None:
    parts = runner.split_keys(listed, SHARES, salt=salt)
    assert sorted(at for positions in parts.values() for at in positions) == [*range(len(listed))]
    for name, positions in parts.items():
        assert all(freezer_inside.split(listed[at], SHARES, salt) == name for at in positions)


shares = st.lists(st.integers(0, 50), min_size=1, max_size=5).filter(sum)


@given(shares, keys)
def test_shares_that_no_float_holds_are_exact(weights: list[int], listed: list[str | int]) -> None:
    parts = {str(at): Fraction(one, sum(weights)) for at, one in enumerate(weights)}
    found = runner.split_keys(listed, parts)
    for name, positions in found.items():
        assert parts[name] or not positions, "a share of 0 is none"
        assert all(freezer_inside.split(listed[at], parts) == name for at in positions)


@given(keys, keys)
def test_samples_that_come_or_go_move_no_other(
    some: list[str | int], more: list[str | int]
) -> None:
    every = list({(type(one), one): one for one in [*some, *more]}.values())
    few, all_ = runner.fold_keys(some, 5), runner.fold_keys(every, 5)
    assert all_[: len(few)] == few
    few_parts, parts = runner.split_keys(some, SHARES), runner.split_keys(every, SHARES)
    for name, positions in few_parts.items():
        assert positions == [at for at in parts[name] if at < len(some)]
    order = [at for at in order_keys(every, 3, seed=7) if at < len(some)]
    assert order == order_keys(some, 3, seed=7), "the order of the others stays"


@given(st.lists(st.tuples(st.text(max_size=4), st.integers(0, 5)), unique_by=lambda one: one[0]))
def test_a_group_is_never_divided(samples: list[tuple[str, int]]) -> None:
    names, groups = [one for one, _ in samples], [group for _, group in samples]
    folds = runner.fold_keys(names, 3, groups=groups)
    assert len({*zip(groups, folds, strict=True)}) == len({*groups})
    parts = runner.split_keys(names, SHARES, groups=groups)
    found = {(groups[at], name) for name, positions in parts.items() for at in positions}
    assert len(found) == len({*groups})


@given(labelled, st.integers(2, 7), st.integers(0, 3))
def test_each_class_is_spread_evenly(samples: dict[str, str], count: int, salt: int) -> None:
    found = fold_by_key(samples, count, salt=salt)
    for label in {*samples.values()}:
        sizes = Counter(found[key] for key in samples if samples[key] == label)
        each = [sizes[fold] for fold in range(count)]
        assert max(each) - min(each) <= 1


@given(labelled, st.integers(2, 7), st.text(max_size=4), st.sampled_from("abcd"))
def test_a_sample_more_moves_few_others_of_its_class_to_the_next_fold(
    samples: dict[str, str], count: int, key: str, label: str
) -> None:
    samples.pop(key, None)
    before, after = fold_by_key(samples, count), fold_by_key({**samples, key: label}, count)
    moved = [one for one in samples if before[one] != after[one]]
    assert len(moved) <= count - 1
    assert {samples[one] for one in moved} <= {label}
    if list(samples.values()).count(label) >= count:
        assert all((after[one] - before[one]) % count in {1, count - 1} for one in moved)


@given(labelled, labelled, st.integers(2, 7))
def test_kept_folds_move_nobody_and_stay_even(
    samples: dict[str, str], more: dict[str, str], count: int
) -> None:
    kept = fold_by_key(samples, count)
    every = {**more, **samples}
    found = fold_by_key(every, count, kept=kept)
    assert {key: found[key] for key in samples} == kept
    for label in {*every.values()}:
        sizes = Counter(found[key] for key in every if every[key] == label)
        each = [sizes[fold] for fold in range(count)]
        assert max(each) - min(each) <= 1
    assert fold_by_key(dict(reversed(every.items())), count, kept=kept) == found


@given(labelled, st.integers(2, 5))
def test_the_order_in_which_samples_come_is_no_matter(samples: dict[str, str], count: int) -> None:
    assert fold_by_key(dict(reversed(samples.items())), count) == fold_by_key(samples, count)


def test_small_classes_do_not_all_fall_into_one_fold() -> None:
    samples = {f"k{n}": f"class {n}" for n in range(200)}
    assert len({*fold_by_key(samples, 5).values()}) == 5


def test_sizes_are_the_shares_in_expectation() -> None:
    listed = [f"img-{n}" for n in range(20_000)]
    parts = runner.split_keys(listed, SHARES)
    assert abs(len(parts["train"]) - 16_000) < 300, "five deviations"
    sizes = Counter(runner.fold_keys(listed, 5))
    assert all(abs(sizes[fold] - 4_000) < 300 for fold in range(5))
    first = Counter(order_keys(listed, epoch, seed=1)[0] for epoch in range(3))
    assert len(first) == 3, "each epoch has an order of its own"


class Scalar:
    """A scalar of NumPy, as far as a key needs one."""

    def __init__(self, value: object) -> None:
        self.item = lambda: value


def test_numbers_of_numpy_are_numbers() -> None:
    assert runner.fold_keys([Scalar(3), Scalar("x")], 5) == runner.fold_keys([3, "x"], 5)


@pytest.mark.parametrize(
    ("call", "error", "part"),
    [
        (lambda: runner.split_keys(["a", "a"], SHARES), ValueError, "'a' occurs twice"),
        (lambda: runner.split_keys(["a"], {"x": 0.5}), ValueError, "add up to one"),
        (lambda: runner.split_keys(["a"], {}), ValueError, "add up to one"),
        (lambda: runner.split_keys(["a"], {"x": 2, "y": -1}), ValueError, "add up to one"),
        (lambda: runner.split_keys(["a"], {"x": 1}, groups=[1, 2]), ValueError, "1 keys and 2 groups"),
        (lambda: runner.split_keys(["a"], {"x": 1}, labels=[]), ValueError, "1 keys and 0 labels"),
        (lambda: runner.fold_keys([1.0], 2), TypeError, "key 0 is float"),
        (lambda: runner.fold_keys([True], 2), TypeError, "key 0 is bool"),
        (lambda: runner.fold_keys([None], 2), TypeError, "key 0 is NoneType"),
        (lambda: runner.fold_keys([b"a"], 2), TypeError, "key 0 is bytes"),
        (lambda: runner.fold_keys([Scalar(1.5)], 2), TypeError, "key 0 is Scalar"),
        (lambda: runner.fold_keys(["a"], 1), ValueError, "at least two folds"),
        (lambda: runner.fold_keys(["a"], 2.0), ValueError, "at least two folds"),  # type: ignore[arg-type]
        (lambda: runner.stratify_keys(["a"], ["x", "y"], 2), ValueError, "1 keys and 2 labels"),
        (lambda: runner.stratify_keys(["a"], ["x"], 2, kept={"a": 2}), ValueError, "from 0 to 1"),
        (lambda: runner.stratify_keys(["a"], ["x"], 2, kept={"a": "0"}), ValueError, "from 0 to 1"),  # type: ignore[dict-item]
        (lambda: order_keys([1, 1], 0, seed=1), ValueError, "1 occurs twice"),
        (lambda: runner.key_number(1.5), TypeError, "not float"),  # type: ignore[arg-type]
        (lambda: runner.nothing, AttributeError, "nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(call, error: type[Exception], part: str) -> None:
    with pytest.raises(error, match=re.escape(part)):
        call()


def vectors() -> list[tuple[str, str]]:
    [block] = re.findall(r"```pycon\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)
    found = re.findall(r"^>>> (.*)\n(?!>>>)(.*)$", block, re.MULTILINE)
    assert len(found) >= 8
    return found


@pytest.mark.process
@pytest.mark.parametrize("seed", ["0", "77"])
def test_the_documented_vectors(seed: str) -> None:
    listed = vectors()
    code = (
        "import json, sys; from freezer_runner import *; out = sys.stdout; sys.stdout = sys.stderr\n"
        "keys = ['img-%d' % n for n in range(10)]\n"
        f"found = [repr(eval(one)) for one in {[one for one, _ in listed]!r}]\n"
        "out.write(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "freezer" / "inside"), "PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == [value for _, value in listed]
