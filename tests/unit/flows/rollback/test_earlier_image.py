"""The image of an earlier lock: the recorded one, wherever it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import CheckError, FetchError
from freezer.flows.history.generations import history, locked_of
from freezer.flows.image.build import Built
from freezer.flows.project.environment import Locked
from freezer.flows.registry.pull import Pulled
from freezer.flows.rollback.earlier_image import image_here, known_place, obtain_image
from tests.support.project.histories import NAME, Past, make_past

PLACE = "registry.example.org/demo@sha256:" + "1" * 64


@pytest.fixture
def past(tmp_path: Path) -> Past:
    made = make_past(tmp_path)
    made.make("1.0")
    return made


@pytest.fixture
def locked(past: Past) -> Locked:
    return locked_of(past.opened, NAME, history(past.opened, NAME).generations[0])


def recorded(past: Past) -> frozenset[str]:
    return history(past.opened, NAME).images(past.locked.id)


def test_the_recorded_one_that_the_engine_has(past: Past, locked: Locked) -> None:
    found = obtain_image(past.opened, locked, recorded(past))
    assert (found.how, found.on_record) == ("here", True)
    assert {found.info.id} == recorded(past)


def test_without_a_record_a_verified_one_will_do(past: Past, locked: Locked) -> None:
    found = obtain_image(past.opened, locked, frozenset())
    assert (found.how, found.on_record) == ("here", None)


def test_an_image_of_another_lock_is_not_taken(past: Past, locked: Locked) -> None:
    image = past.build()
    other = Locked(locked.lock, "0" * 64, locked.folder)
    assert image_here(past.opened, other, frozenset({image})) is None


def rebuild(past: Past, monkeypatch: pytest.MonkeyPatch, image: str) -> None:
    def build(_: object, locked: Locked, **__: object) -> Built:
        return Built(locked, image, (), True, 1, 0.0)

    monkeypatch.setattr("freezer.flows.image.build.build_locked", build)


def test_one_that_was_published_is_pulled(
    past: Past, locked: Locked, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = past.build()
    past.opened.store.put_memo("image-place", image, PLACE)
    monkeypatch.setattr(
        "freezer.flows.registry.references.place_of", lambda _, one: PLACE if one == image else None
    )
    assert known_place(past.opened, frozenset({image})) == PLACE
    info = past.held.image(image)
    images = {image: None}

    def pull(_: object, place: str) -> Pulled:
        assert place == PLACE
        images[image] = info
        return _pulled(image)

    monkeypatch.setattr("freezer.flows.registry.pull.pull", pull)
    monkeypatch.setattr(past.held, "image", images.get)
    found = obtain_image(past.opened, locked, frozenset({image}))
    assert (found.how, found.on_record, found.info.id) == ("pulled", True, image)


def _pulled(image: str) -> Pulled:
    made = object.__new__(Pulled)
    object.__setattr__(made, "image", image)
    return made


@pytest.mark.parametrize("failure", ["unreachable", "another image"])
def test_one_that_cannot_be_pulled_is_built_again(
    past: Past, locked: Locked, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    image = past.build()
    absent = "sha256:" + "9" * 64
    monkeypatch.setattr("freezer.flows.registry.references.place_of", lambda *_: PLACE)

    def pull(*_: object) -> Pulled:
        if failure == "unreachable":
            raise FetchError("the registry does not answer")
        return _pulled(image)

    monkeypatch.setattr("freezer.flows.registry.pull.pull", pull)
    rebuild(past, monkeypatch, image)
    found = obtain_image(past.opened, locked, frozenset({absent}))
    assert (found.how, found.on_record) == ("rebuilt", False)
    said = [*past.ear.notes, *past.ear.warnings]
    wanted = "cannot be pulled" if failure == "unreachable" else "is not the recorded image"
    assert any(wanted in line for line in said)


def test_a_rebuilt_one_that_is_gone_at_once(
    past: Past, locked: Locked, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuild(past, monkeypatch, "sha256:" + "9" * 64)
    with pytest.raises(CheckError, match="gone since it was built"):
        obtain_image(past.opened, locked, frozenset({"sha256:" + "8" * 64}))
