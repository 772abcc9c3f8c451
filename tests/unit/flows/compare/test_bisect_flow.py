"""Which generation moved the numbers: found by training in few of them, and never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from freezer.errors import CheckError, HistoryError
from freezer.flows.compare import trials
from freezer.flows.compare.bisect import Bisected, bisect
from freezer.flows.image.build import Built
from freezer.flows.project.environment import Locked
from freezer.flows.project.project import Project
from freezer.history.search import State
from freezer.image.layout import LOCK_LABEL
from freezer.model.lock import ImageRuntime
from tests.support.host.commands import tree
from tests.support.host.hosts import BASE
from tests.support.project.histories import NAME, make_past
from tests.support.project.records import lines
from tests.support.registry.registries import make_config

OLD, NEW = lines(), lines(loss=0.25)
BROKEN = lines(end=False)


class Line:
    """Generations one after another, and what a training in each tells from now on."""

    def __init__(self, root: Path) -> None:
        self.past = make_past(root)
        self.told: dict[str, list[bytes]] = {}
        self.images: list[str] = []
        run = self.past.held.run

        def as_told(image: str, *rest: Any, **more: Any) -> Any:
            self.past.tell(*self.told.get(image, OLD))
            return run(image, *rest, **more)

        self.past.held.run = as_told  # type: ignore[method-assign]

    def make(self, *told: list[bytes]) -> None:
        for number, numbers in enumerate(told, len(self.images) + 1):
            self.past.lock(f"{number}.0")
            self.images.append(self.past.build())
            self.told[self.images[-1]] = numbers
        self.past.check()

    def bisect(self, good: int | str = 1, bad: int | str = 0) -> Bisected:
        return bisect(self.past.opened, NAME, good, bad or len(self.images))

    def refused(self, kind: type[Exception], said: str, good: int = 1, bad: int = 0) -> None:
        before = tree(self.past.project)
        with pytest.raises(kind, match=said):
            self.bisect(good, bad)
        assert tree(self.past.project) == before


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def test_the_generation_is_found_in_few_trials(line: Line) -> None:
    line.make(*[OLD] * 4, *[NEW] * 2)
    before = tree(line.past.project)
    found = line.bisect()
    assert (found.good.number, found.bad.number, found.skipped) == (4, 5, 0)
    assert [one.title for one in found.culprits] == ["numpy 4.0 to 5.0"]
    assert found.trial.verdict is not None
    assert found.trial.verdict.trainings[0].first is not None
    assert found.trial.verdict.trainings[0].first.what == "loss at step 2"
    assert len(found.trials) <= 4
    assert any(note.startswith("bad: generation 6: drifted") for note in line.past.ear.notes)
    assert tree(line.past.project) == before, "it writes nothing"


def test_one_that_does_not_train_is_left_between(line: Line) -> None:
    line.make(OLD, OLD, BROKEN, NEW)
    found = line.bisect()
    assert (found.good.number, found.bad.number, found.skipped) == (2, 4, 1)
    assert State.SKIPPED in {one.state for one in found.trials}


def test_another_version_alone_moved_nothing(line: Line) -> None:
    line.make(OLD, [one.replace(b'"2.4.6"', b'"2.5.0"') for one in OLD])
    line.refused(CheckError, "reproduces the results of generation 1: nothing changed")


def test_ends_that_are_none(line: Line) -> None:
    line.make(OLD, OLD, NEW)
    line.refused(HistoryError, "generation 3 is not older than generation 1", 3, 1)
    line.refused(HistoryError, "there is no generation 9", 1, 9)
    line.refused(HistoryError, "generation 2 is not older than generation 2", 2, 2)
    line.past.lock("1.0")
    line.refused(HistoryError, "generations 1 and 4 have the same lock", 1, 4)


def test_a_bad_end_that_cannot_be_compared(line: Line) -> None:
    line.make(OLD, BROKEN)
    line.refused(CheckError, "generation 2 cannot be compared with generation 1")


def test_a_good_end_that_is_not_good_here(line: Line) -> None:
    line.make(OLD)
    line.make(NEW)
    line.told[line.images[0]] = NEW
    line.refused(CheckError, "generation 1 does not reproduce its own results on this host")


def test_across_an_upgrade_of_freezer_all_run_the_trainings_of_the_good_one(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Locked] = []

    def build(opened: Project, locked: Locked, *, latest: bool) -> Built:
        built.append(locked)
        config = make_config([BASE], Labels={LOCK_LABEL: locked.id})
        image = line.past.held.make(config, BASE).id
        line.told[image] = NEW if locked.lock.pip[0].version == "4.0" else OLD
        return Built(locked, image, (f"{NAME}:{locked.id[:12]}",), True, 1, 1.0)

    monkeypatch.setattr(trials, "build_locked", build)
    line.make(OLD, OLD)
    first = line.past.locked.lock.inside
    line.past.inside = ImageRuntime(version="2", sha256="4" * 64)
    line.make(BROKEN, BROKEN)
    found = line.bisect()
    assert (found.good.number, found.bad.number, found.skipped) == (3, 4, 0)
    assert [one.title for one in found.culprits] == ["numpy 3.0 to 4.0"]
    assert {locked.lock.inside for locked in built} == {first}
    assert [locked.lock.pip[0].version for locked in built] == ["4.0", "3.0"]
