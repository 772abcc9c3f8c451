"""Finding the step and the changes that made a difference, against what is known to have made it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from freezer.history.search import State, bad_step, smallest


@given(st.integers(2, 70), st.data())
def test_the_step_is_found_in_few_trials(count: int, data: st.DataObject) -> None:
    first_bad = data.draw(st.integers(1, count - 1))
    tried: list[int] = []

    def test(step: int) -> State:
        tried.append(step)
        return State.BAD if step >= first_bad else State.GOOD

    assert bad_step(count, test) == (first_bad - 1, first_bad)
    assert len(tried) == len(set(tried)) <= math.ceil(math.log2(count))


@given(st.integers(2, 40), st.data())
def test_steps_that_cannot_be_tried_are_left_between(count: int, data: st.DataObject) -> None:
    first_bad = data.draw(st.integers(1, count - 1))
    broken = data.draw(st.sets(st.integers(1, count - 1))) - {count - 1}
    tried: list[int] = []

    def test(step: int) -> State:
        tried.append(step)
        if step in broken:
            return State.SKIPPED
        return State.BAD if step >= first_bad else State.GOOD

    good, bad = bad_step(count, test)
    assert good < first_bad <= bad
    assert set(range(good + 1, bad)) <= broken
    assert good not in broken
    assert len(tried) == len(set(tried))


@given(st.integers(1, 40), st.data())
def test_exactly_the_guilty_changes(count: int, data: st.DataObject) -> None:
    guilty = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=3))
    tried: list[tuple[int, ...]] = []

    def test(some: tuple[int, ...]) -> State:
        tried.append(some)
        return State.BAD if guilty <= set(some) else State.GOOD

    assert set(smallest(range(count), test)) == guilty
    assert len(tried) == len(set(tried))
    if len(guilty) == 1:
        assert len(tried) <= 2 * math.ceil(math.log2(count)) if count > 1 else not tried


@given(
    st.integers(2, 12),
    st.sets(st.integers(0, 11), min_size=1, max_size=2),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=8),
)
def test_none_can_be_left_out_where_some_sets_do_not_fit(
    count: int, wanted: set[int], needs: list[tuple[int, int]]
) -> None:
    """``needs``: the first fits only together with the second."""
    guilty = {one % count for one in wanted}

    def test(some: tuple[int, ...]) -> State:
        if any(a % count in some and b % count not in some for a, b in needs):
            return State.SKIPPED
        return State.BAD if guilty <= set(some) else State.GOOD

    found = smallest(range(count), test)
    assert guilty <= set(found)
    if len(found) > 1:
        for one in found:
            assert test(tuple(other for other in found if other != one)) is not State.BAD
