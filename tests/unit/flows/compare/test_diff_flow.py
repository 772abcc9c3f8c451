"""Two locks, wherever they are: generations, files, folders; and how the difference is said."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from freezer.errors import FreezerError
from freezer.flows.check.check import check
from freezer.flows.compare.diff import DiffResult, Side, diff, split_words
from freezer.flows.project.environment import Locked
from freezer.history.diff import diff_locks
from freezer.history.suspects import assess
from freezer.output.history.diff import document, page, show
from tests.support.project.histories import GIT, NAME, Past, lock_of, make_past
from tests.support.project.locks import make_lock
from tests.support.project.records import lines

EVIL = "<script>x</script> |[red]`"


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    for key, value in GIT.items():
        monkeypatch.setenv(key, value)
    made = make_past(tmp_path)
    for version in ("1.0", "2.0", "3.0"):
        made.lock(version)
    return made


def versions(result: DiffResult) -> list[tuple[str | None, str | None]]:
    return [(one.before, one.after) for one in result.diff.packages]


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (None, None, [("2.0", "3.0")]),
        ("1", "3", [("1.0", "3.0")]),
        ("@1", None, [("1.0", "3.0")]),
        ("@-2", "current", [("1.0", "3.0")]),
        ("3", "2", [("3.0", "2.0")]),
        ("current", "3", []),
    ],
)
def test_generations_go_by_number_and_from_the_end(
    past: Past, first: str | None, second: str | None, found: list[tuple[str, str]]
) -> None:
    assert versions(diff(past.opened, None, first, second)) == found


def test_locks_go_by_path_too(past: Past, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_bytes(lock_of("9.0"))
    assert versions(diff(past.opened, None, str(other), None)) == [("9.0", "3.0")]
    folder = next(past.project.glob("lockfiles/*"))
    assert diff(past.opened, None, str(folder), "current").diff.same


@pytest.mark.parametrize(
    "name", ["99", "@-9", "nonsense", "dem", "no/such/lock.yaml", "x:y", "ffff"]
)
def test_what_is_no_lock_is_said(past: Past, name: str) -> None:
    with pytest.raises(FreezerError) as raised:
        diff(past.opened, None, name, None)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ([], (None, None, None)),
        (["demo"], ("demo", None, None)),
        (["3"], (None, "3", None)),
        (["demo", "3"], ("demo", "3", None)),
        (["demo", "other"], (None, "demo", "other")),
        (["1", "3"], (None, "1", "3")),
        (["demo", "1", "3"], ("demo", "1", "3")),
        (["demo", "other", "3"], ("demo", "other", "3")),
    ],
)
def test_what_words_mean(
    past: Past, words: list[str], meant: tuple[str | None, str | None, str | None]
) -> None:
    """The environments here have locks and no spec, as those that were pulled."""
    other = past.folder.with_name("other")
    other.mkdir()
    (other / "freeze.lock.yaml").write_bytes(lock_of("9.0"))
    assert split_words(past.project, words) == meant


def test_numbers_are_compared_where_both_have_some_of_one_class(tmp_path: Path) -> None:
    past = make_past(tmp_path)
    past.make("1.0")
    past.make("2.0", *lines(loss=0.25))
    assert diff(past.opened, None, "1", "2").references == (
        "x86-64-v4-skylakex: numpy drifted, first in loss at step 2",
    )
    past.tell(**{"class": "x86-64-v3-haswell"})
    past.lock("3.0")
    past.build()
    check(past.opened, NAME)
    (said,) = diff(past.opened, None, "1", "3").references
    assert said.startswith("none of a common class (x86-64-v4-skylakex; x86-64-v3-haswell)")


def evil() -> DiffResult:
    old, new = make_lock(), make_lock(labels={"note": EVIL}, environment={"X": EVIL})
    found = diff_locks(old, new)
    here = Locked(old, "1" * 64, Path())
    return DiffResult(Side(EVIL, here), Side("new", here), found, assess(found), (EVIL,), ())


def test_what_a_lock_says_is_text_in_every_form() -> None:
    stream = io.StringIO()
    show(evil(), Console(file=stream, width=200))
    assert "[red]" in stream.getvalue()
    assert "<script>" not in page(evil(), "html")
    assert "\\|" in page(evil(), "md")
    assert json.loads(json.dumps(document(evil())))["same"] is False
