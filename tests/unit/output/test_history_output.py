"""What the commands about the history print, and their documents."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from freezer.flows.history.log import Verified, log
from freezer.flows.rollback.plan import Rollback
from freezer.flows.rollback.rollback import rollback
from freezer.output.history import log as log_output
from freezer.output.history import rollback as rollback_output
from tests.support.project.histories import NAME, Past, make_past
from tests.support.project.records import lines


def said(show: Callable[[Any, Console], None], value: Any) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(value, console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    made = make_past(tmp_path_factory.mktemp("output"))
    made.make("1.0")
    made.make("2.0", *lines(loss=0.25))
    made.tell()
    return made


@pytest.fixture(scope="module")
def planned(past: Past) -> Rollback:
    return rollback(past.opened, NAME, dry_run=True)


VERIFIED = Verified("demo", 5, 3, ())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (VERIFIED, "demo: untouched, 5 entries and 3 locks verified\n"),
        (
            replace(VERIFIED, uncovered=("a: no entry",)),
            ("  not covered: a: no entry\n"
            "demo: what is recorded is untouched, 5 entries and 3 locks verified; 1 file not covered\n"),
        ),
        (
            Verified("demo", 0, 0, (), ("a: x", "b: y")),
            ("  not covered: a: x\n  not covered: b: y\n"
            "demo: nothing is recorded yet; 2 files not covered\n"),
        ),
        (
            replace(VERIFIED, faults=("x\x1b[31m: edited", "y[bold]: gone")),
            "  x\\x1b[31m: edited\n  y[bold]: gone\ndemo: 2 faults in the history\n",
        ),
    ],
)  # fmt: skip
def test_a_verification(found: Verified, expected: str) -> None:
    text = said(log_output.show_verified, found)
    assert text.splitlines()[-1] == expected.splitlines()[-1]
    assert len(text.splitlines()) == len(expected.splitlines())
    assert "\x1b[31m" not in text
    assert log_output.verified_document(found)["good"] is (not found.faults)
    assert log_output.verified_document(found)["uncovered"] == list(found.uncovered)


def test_the_log_without_a_history(tmp_path: Path) -> None:
    past = make_past(tmp_path)
    past.place("1.0")
    text = said(log_output.show, log(past.opened, NAME))
    assert "is not recorded yet" in text
    empty = replace(log(past.opened, NAME), unrecorded=None)
    assert said(log_output.show, empty) == "demo: no history yet; `freeze lock` begins it\n"
    assert log_output.document(empty) == {
        "environment": NAME, "generations": [], "unrecorded": None,
    }  # fmt: skip


def test_the_log(past: Past) -> None:
    found = log(past.opened, NAME)
    text = said(log_output.show, found)
    assert text.index("numpy: to 2.0") < text.index("first lock")
    assert "identical on x86-64-v4-skylakex" in text
    document = log_output.document(found)
    assert [one["current"] for one in document["generations"]] == [False, True]
    assert document["generations"][1]["checks"][0]["word"] == "identical"


def test_a_dry_run(planned: Rollback) -> None:
    text = said(rollback_output.show, planned)
    assert "back from generation 2 to 1" in text
    assert "is in the engine; the one on record" in text
    assert "would be compared with its results" in text
    assert text.endswith(
        "demo: dry run, nothing was touched; 1 change to go back to generation 1\n"
    )
    document = rollback_output.document(planned)
    assert (document["check"], document["done"], document["already"]) == (None, None, False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"how": None, "image": None}, "is not in the engine, would be built again"),
        ({"how": None, "place": "r/x"}, "would be pulled from r/x, or else built again; must be"),
        ({"how": "pulled", "place": "r/x"}, "was pulled from r/x"),
        ({"how": "rebuilt", "on_record": False}, "was built again; not the one on record"),
        ({"classes": ()}, "no class: only two runs could be compared"),
    ],
)
def test_where_the_image_would_come_from(
    planned: Rollback, changes: dict[str, Any], words: str
) -> None:
    assert words in said(rollback_output.show, replace(planned, **changes))


def test_a_rollback_and_a_refusal(tmp_path: Path) -> None:
    past = make_past(tmp_path)
    past.make("1.0")
    past.make("2.0", *lines(loss=0.25))
    past.tell(*lines(loss=0.3))
    refused = rollback(past.opened, NAME)
    text = said(rollback_output.show, refused)
    assert "demo: stays at generation 2" in text
    assert "--force with a --reason" in text
    forced = rollback(past.opened, NAME, force=True, reason="a demo")
    text = said(rollback_output.show, forced)
    assert "forced, a deviation, generation 3 is current, the lock of generation 1" in text
    assert rollback_output.document(forced)["deviation"] is True
