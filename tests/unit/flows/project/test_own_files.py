"""The user's own files: locked by hash, and found again wherever the project has them."""

import pytest

from freezer.errors import SpecError
from freezer.flows.project.environment import load_environment
from freezer.flows.project.user_files import fetch_user_files, steps_plan
from freezer.model.canonical import digest
from freezer.model.lock import SmokeFile, SmokePlan, StepFile, Steps
from tests.support.host.hosts import make_host
from tests.support.project.locks import make_lock

TRAINING, WORDS = b"train()", b"words"
SPEC = "name: demo\nbase: {bootstrap: bookworm}\npython: '3.11'\n"


@pytest.fixture
def lock():
    training = SmokeFile(path="own/train.py", size=len(TRAINING), sha256=digest(TRAINING))
    plan = SmokePlan(command=("python",), files=(training,), seed=1, cpus=1, memory="1g", timeout=9)
    words = StepFile(path="words", size=len(WORDS), sha256=digest(WORDS))
    return make_lock(smoke=plan, steps=Steps(run=("cat words",), files=(words,)))


@pytest.fixture
def shop(tmp_path):
    return make_host(tmp_path, "nowhere").opened


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("below", ["", "images/demo/"])
def test_they_are_found_beside_the_spec(shop, lock, below):
    put(shop.root / f"{below}own/train.py", TRAINING)
    put(shop.root / f"{below}words", WORDS)
    fetch_user_files(shop, lock)
    assert [shop.store.has(file.sha256) for file in lock.own_files] == [True, True]


def test_one_that_was_changed_since_comes_out_of_the_history_or_not_at_all(shop, lock):
    put(shop.root / "own/train.py", TRAINING)
    put(shop.root / "words", b"wordz")
    fetch_user_files(shop, lock)
    assert [shop.store.has(file.sha256) for file in lock.own_files] == [True, False]
    put(shop.root / f"lockfiles/demo/history/{'a' * 64}/smoke/{digest(WORDS)}", WORDS)
    fetch_user_files(shop, lock)
    assert shop.store.verified(digest(WORDS)).read_bytes() == WORDS


def test_an_edited_one_of_the_history_is_not_taken(shop, lock):
    put(shop.root / f"lockfiles/demo/history/{'a' * 64}/smoke/{digest(WORDS)}", b"wordz")
    fetch_user_files(shop, lock)
    assert not shop.store.has(digest(WORDS))


def planned(folder, steps):
    (folder / "freeze.yaml").write_text(SPEC + steps)
    return steps_plan(load_environment(folder, None))


def test_steps_are_locked_with_the_hash_and_the_mode_of_their_files(tmp_path):
    put(tmp_path / "b", WORDS)
    put(tmp_path / "a", TRAINING)
    (tmp_path / "a").chmod(0o755)
    steps, files = planned(tmp_path, "steps: {run: [./a], files: [b, a]}\n")
    assert steps == Steps(
        run=("./a",),
        files=(
            StepFile(path="a", size=7, sha256=digest(TRAINING), executable=True),
            StepFile(path="b", size=5, sha256=digest(WORDS)),
        ),
    )
    assert files == {"a": TRAINING, "b": WORDS}
    assert planned(tmp_path, "") == (None, {})


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("steps: [make, ' ']", "step 2 is empty"),
        ("steps: {run: [make], files: [none]}", "none cannot be read"),
        ("steps: {run: [make], files: [out]}", "leads out of the spec's folder"),
    ],
)
def test_steps_that_cannot_be_locked_are_named(tmp_path, steps, said):
    folder = tmp_path / "project"
    folder.mkdir()
    put(tmp_path / "secret", b"secret")
    (folder / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(SpecError, match=said):
        planned(folder, steps)
