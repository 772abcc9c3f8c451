"""Only images that nothing here needs any more are removed, and what that frees is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import EngineError
from freezer.flows.history.generations import history
from freezer.flows.image.prune import Pruned, prune
from freezer.image.build_container import store_name
from freezer.image.layout import LOCK_LABEL, STORE_LABEL
from tests.support.host.fake_engine import FakeEngine
from tests.support.project.histories import NAME, Past, make_past
from tests.support.registry.registries import make_config

TITLE = "org.opencontainers.image.title"
BASE, LIGHT, OTHER = b"base" * 100, b"light", b"other other"


@pytest.fixture
def past(tmp_path: Path) -> Past:
    found = make_past(tmp_path)
    found.make("1.0")
    found.make("2.0")
    return found


def held(past: Past) -> FakeEngine:
    engine = past.opened.engine()
    assert isinstance(engine, FakeEngine)
    return engine


def put(past: Past, name: str, *layers: bytes, tag: str = "", **labels: str) -> str:
    """Give the engine an image; return its ID."""
    made = held(past).make(make_config([*layers], Labels={"n": name, **labels}), *layers)
    if tag:
        held(past).tags[tag] = made.id
    return made.id


def removed(done: Pruned) -> set[str]:
    return {item.image for item in done.images if not item.kept_because}


def test_images_of_generations_stay_and_those_of_no_lock_go(past: Past) -> None:
    kept = set(held(past).configs)
    assert len({one.lock_id for one in history(past.opened, NAME).generations}) == 2
    idle = put(past, "a", BASE, OTHER, **{LOCK_LABEL: "f" * 64, TITLE: NAME}, tag=f"{NAME}:ffff")
    foreign = put(past, "b", BASE, LIGHT, **{LOCK_LABEL: "e" * 64, TITLE: "theirs"})
    strange = put(past, "c", BASE)
    dry = prune(past.opened, dry=True)
    assert removed(dry) == {idle}
    assert idle in held(past).configs
    done = prune(past.opened, dry=False)
    assert removed(done) == {idle}
    assert (done.freed, dry.freed) == (len(OTHER), len(OTHER))
    assert not held(past).tags.get(f"{NAME}:ffff")
    assert {foreign, strange, *kept} <= held(past).configs.keys()


def test_what_latest_points_at_stays(past: Past) -> None:
    put(past, "a", BASE, **{LOCK_LABEL: "f" * 64, TITLE: NAME}, tag=f"{NAME}:latest")
    assert removed(prune(past.opened, dry=False)) == set()


def test_a_base_goes_when_no_image_of_a_lock_stands_on_it(past: Past) -> None:
    used = put(past, "a", BASE, tag="freezer-base:1")
    put(past, "b", BASE, LIGHT, **{LOCK_LABEL: "e" * 64, TITLE: "theirs"})
    idle = put(past, "c", OTHER, tag="freezer-base:2")
    assert removed(prune(past.opened, dry=False)) == {idle}
    assert used in held(past).configs


def test_working_images_of_this_store_go_and_those_of_others_stay(past: Past) -> None:
    mine = put(past, "a", BASE, **{STORE_LABEL: store_name(past.opened.store)})
    put(past, "b", BASE, **{STORE_LABEL: "0" * 16})
    put(past, "c", OTHER, tag="freezer-base:steps", **{STORE_LABEL: "0" * 16})
    assert removed(prune(past.opened, dry=False)) == {mine}


def test_what_the_engine_keeps_is_said_and_not_counted(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(past, "a", OTHER, **{LOCK_LABEL: "f" * 64, TITLE: NAME})

    def refuse(_: FakeEngine, reference: str) -> None:
        raise EngineError("the engine refused", found="a container uses it")

    monkeypatch.setattr(FakeEngine, "remove_image", refuse)
    done = prune(past.opened, dry=False)
    assert [item.kept_because for item in done.images] == ["a container uses it"]
    assert done.freed == 0


def test_nothing_is_removed_where_a_history_cannot_be_read(past: Past) -> None:
    put(past, "a", OTHER, **{LOCK_LABEL: "f" * 64, TITLE: NAME})
    (past.folder / "history" / "generations.jsonl").write_text("{}\n")
    before = set(held(past).configs)
    with pytest.raises(Exception, match="history"):
        prune(past.opened, dry=False)
    assert set(held(past).configs) == before
