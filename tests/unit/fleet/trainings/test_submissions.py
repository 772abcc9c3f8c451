"""What is kept of a submitted run: whole, locked while it is collected, refused when edited."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freezer.errors import FleetError
from freezer.fleet.trainings.submission import Submissions
from freezer.model.spec.expect import Expectation
from tests.support.cluster.trainings import RUN, submission


def test_a_submission_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = Submissions(tmp_path / "cluster")
    assert not kept.any()
    assert kept.runs() == []
    assert kept.get(RUN) is None
    one = submission(
        index=3, expect={"loss": Expectation.model_validate({"ceiling": 0, "finite": False})}
    )
    kept.put(one)
    assert kept.get(RUN) == one
    assert kept.runs() == [RUN]
    assert kept.any()
    assert (one.key, one.number) == (f"freezer-{RUN}_3", "7_3")
    kept.remove(RUN)
    kept.remove(RUN)
    assert not kept.any()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: "[]",
        lambda text: json.dumps({**json.loads(text), "run": "f" * 16}),
        lambda text: json.dumps({**json.loads(text), "job": "7;rm"}),
        lambda text: json.dumps({**json.loads(text), "name": "x y"}),
    ],
)
def test_an_edited_submission_is_an_error(tmp_path: Path, damage: object) -> None:
    kept = Submissions(tmp_path)
    kept.put(submission())
    path = tmp_path / f"{RUN}.json"
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(FleetError, match="not as Freezer wrote it"):
        kept.get(RUN)


def test_two_collectors_do_not_collect_at_once(tmp_path: Path) -> None:
    kept = Submissions(tmp_path)
    with kept.locked(wait=False) as first, Submissions(tmp_path).locked(wait=False) as second:
        assert (first, second) == (True, False)
    with kept.locked(wait=False) as again:
        assert again


@pytest.mark.parametrize("error", [OSError(28, "full"), ValueError("x"), KeyboardInterrupt()])
def test_an_error_while_the_lock_is_held_is_the_callers(
    tmp_path: Path, error: BaseException
) -> None:
    kept = Submissions(tmp_path)

    def fail() -> None:
        with kept.locked(wait=True) as held:
            assert held
            raise error

    with pytest.raises(type(error)):
        fail()
    with kept.locked(wait=False) as again:
        assert again


def test_a_folder_that_is_not_there_is_not_locked(tmp_path: Path) -> None:
    with Submissions(tmp_path / "none").locked(wait=True) as held:
        assert not held
