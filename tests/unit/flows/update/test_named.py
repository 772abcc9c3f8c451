"""What the words after `freeze update` mean, and how what moved is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from freezer.errors import LockError, SpecError
from freezer.flows.lock.interface import Answers, LockRequest
from freezer.flows.update.moves import moves
from freezer.flows.update.targets import Named, parse_named, released, split_environment
from freezer.resolve.minimal import Release
from tests.support.project.locks import make_lock


@pytest.mark.parametrize("text", ["num>=2", "", "a b", "base==1", "num==", "num==1,<2"])
def test_what_is_no_package(text: str) -> None:
    with pytest.raises(SpecError, match="no package"):
        parse_named([text])


def test_a_name_is_looked_for_in_every_world() -> None:
    named = parse_named(["NumPy==2.5", "libgomp1", "base"])
    assert named[0] == Named("NumPy", "2.5")
    assert released(make_lock(), named) == {
        "pip": Release(frozenset({"numpy"}), {"numpy": "2.5"}),
        "debian": Release(frozenset({"libgomp1"})),
        "base": Release(),
    }


def test_python_is_whatever_brings_it() -> None:
    lock = make_lock()
    assert released(lock, [Named("python")]) == {"base": Release()}
    python = lock.debian[0].model_copy(update={"name": "libpython3.11-minimal"})
    with_debian = make_lock(debian=(*lock.debian, python))
    assert released(with_debian, [Named("python")]) == {
        "debian": Release(frozenset({"libpython3.11-minimal"}))
    }


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(LockError, match="nunpy is not in the lock") as caught:
        released(make_lock(), [Named("nunpy")])
    assert caught.value.hint == "did you mean numpy?"
    with pytest.raises(LockError, match="libc6 comes with the base"):
        released(make_lock(), [Named("libc6")])


def test_the_first_word_may_name_the_environment(tmp_path: Path) -> None:
    (tmp_path / "freeze.yaml").write_text("name: demo\nbase: debian:12\npython: '3.11'\n")
    assert split_environment(tmp_path, ["demo", "num"]) == ("demo", ("num",))
    assert split_environment(tmp_path, ["num"]) == (None, ("num",))
    for name in ("one", "two"):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        (folder / "freeze.yaml").write_text(f"name: {name}\nbase: debian:12\npython: '3.11'\n")
    assert split_environment(tmp_path, ["two"]) == ("two", ())
    with pytest.raises(SpecError, match="no environment 'num'"):
        split_environment(tmp_path, ["num"])


def test_what_moved_is_told_with_its_cause_and_what_is_named_first() -> None:
    old = make_lock()
    numpy = old.pip[0].model_copy(update={"version": "2.5"})
    added = old.pip[0].model_copy(update={"name": "added", "version": "1"})
    gomp = old.debian[0].model_copy(update={"version": "13"})
    new = make_lock(pip=(added, numpy), debian=(gomp,))
    causes = {"pip": {"added": "needed by numpy 2.5"}}
    request = LockRequest(None, old.as_of, old, {"pip": Release(frozenset({"numpy"}))})  # type: ignore[arg-type]
    answers = replace(Answers.locked(new), causes=causes)
    assert [str(one) for one in moves(old, new, request, answers)] == [
        "numpy 2.4.6 to 2.5",
        "Debian package libgomp1 12.2.0-14 to 13",
        "added 1, new: needed by numpy 2.5",
    ]
    everything = LockRequest(None, old.as_of, None)  # type: ignore[arg-type]
    assert all(one.named for one in moves(old, new, everything, answers))
