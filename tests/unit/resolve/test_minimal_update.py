"""Where an update goes: as far as the named ones can, and no further with the rest."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from freezer.errors import ResolveError
from freezer.resolve.minimal import MinimalUpdate, Release, minimal_update

OLD = {"num": "1", "sci": "1", "plot": "1", "gone": "1"}
NEEDS = {"sci": ("num",), "plot": ("sci",)}


class Resolver:
    """Prefers what it has; sci 1 takes num 1 only, and sci 2 takes num 2 and no other."""

    def __init__(self) -> None:
        self.asked: list[tuple[frozenset[str], dict[str, str], tuple[str, str] | None]] = []
        self.floors: list[dict[str, str]] = []

    def __call__(
        self,
        *,
        held: frozenset[str],
        pins: Mapping[str, str],
        floors: Mapping[str, str],
        above: tuple[str, str] | None = None,
    ) -> dict[str, str]:
        self.asked.append((held, dict(pins), above))
        self.floors.append(dict(floors))
        fixed = {name: OLD[name] for name in held} | dict(pins)
        num = fixed.get("num") or ("2" if above == ("num", "1") else "1")
        sci = fixed.get("sci") or ("2" if num == "2" else "1")
        if num != sci:
            raise ResolveError("no", details=["sci 1 needs num<2"])
        if above and {"num": num, "sci": sci}.get(above[0], "1") <= above[1]:
            raise ResolveError("nothing is higher")
        plot = fixed.get("plot") or ("2" if num == "2" else "1")
        return {"num": num, "sci": sci, "plot": plot}


def moved(release: Release) -> tuple[MinimalUpdate[dict[str, str]], Resolver]:
    resolver = Resolver()
    return minimal_update(release, OLD, NEEDS, resolver, lambda found: found), resolver


def test_what_is_preferred_does_not_stand_in_the_way_of_what_is_named() -> None:
    settled, _ = moved(Release(frozenset({"num"})))
    assert settled.answer == {"num": "2", "sci": "2", "plot": "1"}
    assert settled.refusals == {"sci": "sci 1 needs num<2"}
    assert settled.alone == {"num": "1"}, "without other changes it stays"


def test_a_version_that_was_given_is_where_it_goes() -> None:
    settled, resolver = moved(Release(frozenset({"num"}), {"num": "1"}))
    assert settled.answer == {"num": "1", "sci": "1", "plot": "1"}
    assert (settled.refusals, settled.alone) == ({}, {"num": "1"})
    assert len(resolver.asked) == 1


def test_a_version_that_was_given_and_is_not_to_be_had_without_more() -> None:
    settled, _ = moved(Release(frozenset({"num"}), {"num": "2"}))
    assert settled.answer == {"num": "2", "sci": "2", "plot": "1"}
    assert settled.alone == {}


def test_it_is_asked_for_more_until_there_is_no_more() -> None:
    _, resolver = moved(Release(frozenset({"num"})))
    assert [above for _, _, above in resolver.asked if above] == [("num", "1"), ("num", "2")]


def test_the_one_that_went_first_stays_where_it_is_for_the_next() -> None:
    settled, resolver = moved(Release(frozenset({"num", "sci"})))
    assert settled.answer == {"num": "2", "sci": "2", "plot": "1"}
    assert (frozenset(), {"num": "2"}, ("sci", "2")) in resolver.asked


def test_what_needs_it_does_not_become_older_for_its_sake() -> None:
    _, resolver = moved(Release(frozenset({"num"})))
    assert resolver.floors[0] == {}, "where all else is held there is nothing to say"
    assert all(floors == {"sci": "1", "plot": "1"} for floors in resolver.floors[1:])


def test_unless_that_is_the_only_way_to_a_version_that_was_asked_for() -> None:
    def solve(*, held: frozenset[str], floors: Mapping[str, str], **_: object) -> dict[str, str]:
        if held & {"sci"} or "sci" in floors:
            raise ResolveError("num 0 is what sci 0 takes")
        return {"num": "0", "sci": "0", "plot": "1"}

    release = Release(frozenset({"num"}), {"num": "0"})
    settled = minimal_update(release, OLD, NEEDS, solve, lambda found: found)
    assert settled.answer == {"num": "0", "sci": "0", "plot": "1"}
    assert settled.refusals == {"sci": "num 0 is what sci 0 takes"}


def test_a_resolver_that_gives_the_same_again_is_not_asked_for_ever() -> None:
    def deaf(**_: object) -> dict[str, str]:
        return dict(OLD)

    assert (
        minimal_update(Release(frozenset({"num"})), OLD, {}, deaf, lambda found: found).answer
        == OLD
    )


def test_a_world_that_is_only_touched_stays_as_it_is() -> None:
    settled, resolver = moved(Release())
    assert settled.answer == {"num": "1", "sci": "1", "plot": "1"}
    assert (settled.refusals, settled.alone) == ({}, {})
    assert len(resolver.asked) == 1


def test_nothing_answers() -> None:
    with pytest.raises(ResolveError):
        moved(Release(frozenset({"num", "sci"}), {"num": "2", "sci": "1"}))
