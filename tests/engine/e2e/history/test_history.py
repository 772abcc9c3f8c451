"""A lock of the past, on a real engine: found, its image brought back whatever is gone, current."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.engine.interface import Engine
from freezer.fetch.store.store import Store
from tests.support.host.commands import LINKED, Project, die, forget, outcome
from tests.support.python.indexes import serve
from tests.support.registry.registries import real_registry

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

GONE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_DEFAULT_INDEX": "http://127.0.0.1:9"}


@pytest.fixture
def first(built: Project, tmp_path: Path) -> Project:
    """Return a copy of the built project with a store of its own, built and checked."""
    project = built.copy(tmp_path / "project").with_store(tmp_path / "store")
    project.freeze("build").good()
    project.freeze("check").good()
    return project


@pytest.fixture
def lock(first: Project, built: Project, engine: Engine) -> Iterator[Project]:
    """Return the same; whatever is locked, built and pulled in it is cleared away."""
    own = first.lock_id
    yield first
    log = first.freeze("log", "--json").good().document["generations"]
    for lock_id in {one["lock-id"] for one in log} - {own}:
        for image in engine.images(label=f"org.freezer.lock-id={lock_id}"):
            forget(engine, image)
    built.freeze("build").good()  # the tag `latest`, and the image where it was removed


def move(project: Project) -> str:
    """Make a second generation, build it and return its lock ID."""
    project.spec(pip=["numpy", "six"])
    project.freeze("lock").good()
    project.freeze("build").good()
    return project.lock_id


def image_of(project: Project, number: int) -> str:
    generations = project.freeze("log", "--json").good().document["generations"]
    found: str = generations[number - 1]["checks"][0]["image"]
    return found


def remove(engine: Engine, image: str) -> None:
    found = engine.image(image)
    assert found is not None
    forget(engine, found)


def test_back_whatever_is_gone(lock: Project, engine: Engine, tmp_path: Path) -> None:
    name, first = lock.name, lock.lock_id
    with real_registry(tmp_path) as host:
        lock.freeze("push", f"{host}/team/demo:v1").good()
        second = move(lock)
        image = image_of(lock, 1)
        plan = lock.freeze("rollback", "--dry-run", "--json").good().document
        assert (plan["to"]["generation"], plan["image"]["how"]) == (1, "here")
        assert "Python package six: removed, was 1.17.0" in plan["changes"]

        # The image was removed from the engine: the registry has it.
        remove(engine, image)
        done = lock.freeze("rollback", "--json").good().document
        assert (done["image"]["how"], done["image"]["id"]) == ("pulled", image)
        assert (done["check"]["verdict"], done["image"]["on-record"]) == ("identical", True)
        table = lock.freeze("check", "--all", "--json").failed(1).document["locks"]
        assert [one["generations"] for one in table] == [[1, 3], [2]]
        assert [one["good"] for one in table] == [True, False]
        assert "two runs agree" in table[1]["why-not"]
        assert table[1]["lock-id"] == second

        # Forward again: nothing shows that generation 2 gives its numbers, so it must be forced.
        assert lock.freeze("rollback", "--to", "2", "--json").failed(1).document["done"] is None
        assert lock.lock_id == first
        lock.freeze("rollback", "--to", "2", "--force", "--reason", "to try again").good()

    # The image, the registry and the index are gone: the store has what was fetched once.
    remove(engine, image)
    said = lock.freeze("rollback", "--json", "--reason", "six was not needed", **GONE).good()
    done = said.document
    assert "cannot be pulled" in said.err
    assert (done["to"]["generation"], done["image"]["how"]) == (1, "rebuilt")
    assert (done["image"]["id"], done["image"]["on-record"]) == (image, True)
    assert (done["check"]["verdict"], done["check"]["against-reference"]) == ("identical", True)
    assert done["switch-seconds"] < 10
    assert done["satisfies-spec"] is False
    assert lock.lock_id == first
    latest = engine.image(f"{name}:latest")
    assert latest is not None
    assert latest.id == image

    assert lock.lock_file.with_name("inventory.json").is_file()
    lock.freeze("log", "--verify").good()
    changelog = lock.lock_file.with_name("CHANGELOG.md").read_text()
    assert "six was not needed" in changelog
    assert "**deviation**" in changelog


def test_a_wheel_that_is_nowhere_any_more_but_in_a_bundle(
    lock: Project, engine: Engine, tmp_path: Path
) -> None:
    first, bundle = lock.lock_id, tmp_path / "first.freeze"
    lock.freeze("bundle", "-o", str(bundle)).good()
    wheel = next(item for item in lock.lock.pip if item.name == "numpy")
    second = move(lock)
    image = image_of(lock, 1)
    remove(engine, image)
    other = lock.with_store(tmp_path / "other", without=(*LINKED, "published-image"))
    Store(other.store).path(wheel.sha256).unlink()

    with serve() as index:  # which has no such wheel: its maker removed it
        away = {"PIP_INDEX_URL": index.simple, "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
        away["PIP_CONFIG_FILE"] = "/dev/null"
        other.freeze("rollback", **away).failed(1, wheel.file)
        assert other.lock_id == second, "it stays where it was"
        other.freeze("rollback", "--bundle", str(bundle), "other-env", **away).failed(2, "not of")
        back = other.freeze("rollback", "--bundle", str(bundle), "--json", **away).good().document
    assert (back["image"]["how"], back["image"]["id"]) == ("rebuilt", image)
    assert back["check"]["verdict"] == "identical"
    assert other.lock_id == first


def test_killed_in_the_middle_and_two_at_once(lock: Project, engine: Engine) -> None:
    first = lock.lock_id
    second = move(lock)
    lock.freeze("check").good()

    # Killed before it counts it has not happened; killed after that, the next command ends it.
    assert outcome(die(lock, ".switch.json", "rollback")).code == -9
    assert lock.lock_id == second
    assert outcome(die(lock, "generations.jsonl", "rollback")).code == -9
    ended = lock.freeze("check", "--json").good()
    assert "cut off" in ended.err
    assert ended.document["lock-id"] == first
    log = lock.freeze("log", "--json").good().document["generations"]
    assert [one["action"] for one in log] == ["lock", "lock", "rollback"]
    latest = engine.image(f"{lock.name}:latest")
    assert latest is not None
    assert latest.id == image_of(lock, 1)

    lock.freeze("rollback").failed(2, "which went back to 1")
    forward = ("rollback", "--to", "2")
    both = [outcome(one) for one in [lock.start(*forward), lock.start(*forward)]]
    assert sorted(one.code for one in both) == [0, 2], [one.err for one in both]
    next(one for one in both if one.code).failed(2, "the history went on")
    log = lock.freeze("log", "--json").good().document["generations"]
    assert [one["lock-id"] for one in log] == [first, second, first, second]
    lock.freeze("log", "--verify").good()
