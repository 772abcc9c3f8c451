"""Moving no package that could have stayed, against every answer there is to a small index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.errors import ResolveError
from freezer.resolve.minimal import Release, least_moved, minimal_update
from tests.support.examples import examples
from tests.support.python.smallindexes import (
    Index,
    Pins,
    answers,
    fits,
    indexes,
    needs,
    require_minimal,
)


@given(indexes(), st.integers(0, 2**32).map(Random))
def test_no_package_moves_that_need_not(index: Index, chance: Random) -> None:
    found = answers(index)
    chance.shuffle(found)
    if not found:
        return
    old, target = found[0], found[-1]
    others = [name for name in old if name != "a"]
    allowed = [one for one in found if one["a"] == target["a"]]
    calls = []

    def solve(held: frozenset[str]) -> Pins | None:
        calls.append(held)
        return next((one for one in allowed if fits(one, old, held)), None)

    def stays(answer: Pins) -> frozenset[str]:
        return frozenset(name for name in others if answer.get(name, old[name]) == old[name])

    result = least_moved(allowed[-1], others, solve=solve, unchanged=stays)
    assert result in allowed
    kept = stays(result)
    for name in set(others) - kept:
        assert not any(fits(one, old, kept | {name}) for one in allowed), name
    assert stays(allowed[-1]) <= kept
    assert len(calls) == len(set(calls))


@settings(max_examples=examples(150))
@given(indexes(), st.integers(0, 2**32).map(Random))
def test_an_update_goes_as_far_as_it_can_and_moves_no_other_in_vain(
    index: Index, chance: Random
) -> None:
    """The resolver here takes any answer there is: minimality must not rest on what it prefers."""
    found = answers(index)
    if not found:
        return
    old = chance.choice(found)
    named = chance.choice(sorted(old))

    def solve(
        *,
        held: frozenset[str],
        pins: Mapping[str, int],
        floors: Mapping[str, int],
        above: tuple[str, int] | None = None,
    ) -> Pins:
        chance.shuffle(found)
        for one in found:
            low = above is not None and one.get(above[0], 0) <= above[1]
            low = low or any(one.get(n, v) < v for n, v in floors.items())
            if not low and fits(one, old, held) and all(one.get(n) == v for n, v in pins.items()):
                return one
        raise ResolveError("nothing answers")

    settled = minimal_update(
        Release(frozenset({named})), old, needs(index, old), solve, lambda one: one
    )  # type: ignore[arg-type,var-annotated]
    require_minimal(index, old, named, settled.answer)
    moved = {name for name in old if name != named and not fits(settled.answer, old, {name})}
    assert settled.refusals.keys() == moved
    assert fits({**old, **settled.alone}, old, frozenset(old) - {named})
    assert settled.alone.get(named, 0) <= settled.answer.get(named, settled.alone.get(named, 0))


@given(st.integers(1, 64), st.sets(st.integers(0, 63), max_size=4))
def test_few_questions(count: int, forced: set[int]) -> None:
    """Of n packages that moved k had to: the number of questions grows with k, not with n."""
    names = [f"p{number:02}" for number in range(count)]
    must = frozenset(f"p{number:02}" for number in forced if number < count)
    calls = 0

    def solve(held: frozenset[str]) -> frozenset[str] | None:
        nonlocal calls
        calls += 1
        return None if held & must else held

    result = least_moved(frozenset(), names, solve=solve, unchanged=lambda answer: answer)
    assert result == frozenset(names) - must
    assert calls <= 1 + 2 * len(must) * (1 + math.ceil(math.log2(count)))


def test_nothing_is_asked_where_nothing_moved() -> None:
    def solve(held: frozenset[str]) -> None:
        raise AssertionError(held)

    assert (
        least_moved("as it was", ["a"], solve=solve, unchanged=lambda _: frozenset("a"))
        == "as it was"
    )
