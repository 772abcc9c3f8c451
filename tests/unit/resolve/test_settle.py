"""Where an update goes: as far as the named ones can, and no further with the rest."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from freezer.errors import ResolveError
from freezer.resolve.minimal import Release, settle

OLD = {"num": "1", "sci": "1", "plot": "1", "gone": "1"}


class Resolver:
    """Decides on sci first, as what comes first in a spec is; sci 1 takes num 1 only."""

    def __init__(self) -> None:
        self.asked: list[tuple[frozenset[str], dict[str, str], bool]] = []

    def __call__(
        self, *, held: frozenset[str], pins: Mapping[str, str], fresh: bool = False
    ) -> dict[str, str]:
        self.asked.append((held, dict(pins), fresh))
        fixed = {name: OLD[name] for name in held} | dict(pins)
        if fixed.get("num") == "2" and fixed.get("sci") == "1":
            raise ResolveError("no", details=["sci 1 needs num<2"])
        sci = fixed.get("sci") or ("2" if fresh or fixed.get("num") == "2" else "1")
        num = fixed.get("num") or ("2" if sci == "2" else "1")
        plot = fixed.get("plot") or ("2" if fresh or num == "2" else "1")
        return {"num": num, "sci": sci, "plot": plot}


def moved(release: Release) -> tuple[dict[str, str], Mapping[str, str], Resolver]:
    resolver = Resolver()
    settled = settle(release, OLD, resolver, lambda found: found, int)
    return settled.answer, settled.refusals, resolver


def test_what_is_preferred_does_not_stand_in_the_way_of_what_is_named() -> None:
    answer, refusals, _ = moved(Release(frozenset({"num"})))
    assert answer == {"num": "2", "sci": "2", "plot": "1"}
    assert refusals == {"sci": "sci 1 needs num<2"}


def test_a_version_that_was_given_is_where_it_goes() -> None:
    answer, refusals, resolver = moved(Release(frozenset({"num"}), {"num": "1"}))
    assert answer == {"num": "1", "sci": "1", "plot": "1"}
    assert refusals == {}
    assert all(pins == {"num": "1"} and not fresh for _, pins, fresh in resolver.asked)


def test_a_world_that_is_only_touched_stays_as_it_is() -> None:
    answer, refusals, resolver = moved(Release())
    assert answer == {"num": "1", "sci": "1", "plot": "1"}
    assert refusals == {}
    assert len(resolver.asked) == 1


def test_nothing_answers() -> None:
    with pytest.raises(ResolveError):
        moved(Release(frozenset({"num", "sci"}), {"num": "2", "sci": "1"}))
