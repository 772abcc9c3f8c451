"""A lock outlives the Freezer that made it: a later one, with another part of its own, builds it."""

from pathlib import Path

import pytest

from freezer.engine.interface import Engine, ImageInfo
from freezer.fetch.store.store import Store
from tests.support.host.commands import LINKED, Project, forget
from tests.support.project.insides import other_freezer

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def test_a_later_freezer_builds_and_checks_what_the_first_one_locked(
    built: Project, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    first = built.copy(tmp_path / "project")
    first.freeze("check").good()
    part, lock_id = first.lock.inside.sha256, first.lock_id
    # As a fresh clone has it: the store has artifacts, and nothing of the image or of that part.
    later = first.with_store(tmp_path / "store", without=LINKED)
    Store(later.store).path(part).unlink()
    kept = later.lock_file.parent / "inside" / part
    with other_freezer(tmp_path / "other") as own:
        assert "it can be built" in later.freeze("lock", "--check").good().out
        said = later.freeze("lock", "--check", "--json").good().document
        assert said["inside"] == {"version": "1", "sha256": part, "current": False}
        Store(later.store).path(part).unlink()
        whole = kept.read_bytes()
        kept.write_bytes(whole[:-1])
        later.freeze("lock", "--check").failed(1, f"inside/{part}: the stored copy", "was edited")
        kept.write_bytes(whole)
        moved = f"Freezer's runtime: 1 ({part[:12]}) to 1 ({own.sha256[:12]})"
        assert moved in later.freeze("lock").good().out

        Store(later.store).path(part).unlink()
        away = kept.rename(tmp_path / "away")
        forget(engine, image)
        later.freeze("rollback", "--to", "1").failed(2, "not available", f"inside/{part}")
        away.rename(kept)
        back = later.freeze("rollback", "--json", "--reason", "the old numbers").good().document
        assert (back["image"]["how"], back["image"]["id"]) == ("rebuilt", image.id)
        assert back["check"]["verdict"] == "identical"
        assert later.lock_id == lock_id
        later.freeze("log", "--verify").good()
    built.freeze("build").good()
