"""`expect` of a spec in checks of current and earlier locks: verdict, JSON and JUnit file."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from freezer.check.reference import references
from freezer.errors import CheckError
from freezer.flows.check.check import check
from freezer.flows.compare.bisect import bisect
from freezer.flows.compare.check_all import check_all, check_generation
from freezer.flows.history.generations import history
from freezer.flows.rollback.rollback import rollback
from freezer.model.record.verdict import Word
from freezer.output.check.all import document as all_document
from freezer.output.check.check import document
from freezer.output.history.rollback import document as rollback_document
from freezer.output.junit import junit, of_check
from tests.support.project.histories import NAME, Past, make_past

SPEC = "name: demo\nbase: {bootstrap: bookworm}\npython: '3.11'\n"


@pytest.fixture
def past(tmp_path: Path) -> Past:
    made = make_past(tmp_path)
    made.lock("1.0")
    made.build()
    made.tell()
    return made


def expect(past: Past, *expectations: str) -> None:
    folder = past.project / "images" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    listed = "".join(f"  {one}\n" for one in expectations)
    (folder / "freeze.yaml").write_text(f"{SPEC}expect:\n{listed}" if listed else SPEC)


def test_what_is_as_expected_is_recorded_as_ever(past: Past) -> None:
    expect(past, "loss: {finite: true, ceiling: 0.5, monotone: falling}", "w1: {shape: [3]}")
    done = check(past.opened, NAME)
    assert (done.verdict.word, done.recorded) == (Word.IDENTICAL, True)
    assert [(one.rule, one.state) for one in done.outcomes] == [
        ("finite", "passed"),
        ("ceiling", "passed"),
        ("monotone", "passed"),
        ("shape", "passed"),
    ]


def test_what_is_not_as_expected_has_failed_and_is_no_reference(past: Past) -> None:
    expect(past, "loss: {ceiling: 0.4}")
    done = check(past.opened, NAME)
    assert (done.verdict.word, done.verdict.good, done.recorded) == (Word.FAILED, False, False)
    assert references(past.folder) == []
    found = history(past.opened, NAME)
    assert found.head is not None
    assert [one.word for one in found.verdicts(found.head)] == [Word.FAILED]
    assert document(done)["expectations"] == [
        {
            "name": "loss",
            "rule": "ceiling",
            "state": "failed",
            "expected": "at most 0.4",
            "found": "0.5 at step 2",
            "training": "numpy",
        }
    ]


def test_a_changed_bound_needs_no_other_lock(past: Past) -> None:
    check(past.opened, NAME)
    expect(past, "loss: {ceiling: 0.4}")
    assert check(past.opened, NAME).verdict.word is Word.FAILED
    expect(past, "loss: {ceiling: 0.6}")
    assert check(past.opened, NAME).verdict.word is Word.IDENTICAL
    expect(past)
    done = check(past.opened, NAME)
    assert (done.verdict.word, done.outcomes) == (Word.IDENTICAL, ())


def test_a_spec_that_cannot_be_read_is_a_warning(past: Past) -> None:
    expect(past, "loss: {ceiling: many}")
    assert check(past.opened, NAME).verdict.good
    assert any("the expectations of demo are not checked" in one for one in past.ear.warnings)


def test_junit_has_each_training_and_each_expectation(past: Past) -> None:
    expect(past, "loss: {ceiling: 0.4}", "speed: {floor: 1, optional: true}", "w1: {finite: true}")
    top = ET.fromstring(junit([of_check(check(past.opened, NAME))]))
    [suite] = top
    assert suite.attrib == {
        "name": "freeze check demo", "tests": "4", "failures": "2", "errors": "0", "skipped": "1"
    }  # fmt: skip
    found = {
        (case.get("classname"), case.get("name")): [(one.tag, one.get("message")) for one in case]
        for case in suite
    }
    assert found == {
        ("training", "numpy"): [("failure", "failed: its results are not as the spec expects:")],
        ("expect.numpy", "loss ceiling"): [
            ("failure", "expected at most 0.4, found 0.5 at step 2")
        ],
        ("expect.numpy", "speed floor"): [
            ("skipped", "expected at least 1.0, found nothing reported")
        ],
        ("expect.numpy", "w1 finite"): [],
    }


@pytest.fixture
def longer(tmp_path: Path) -> Past:
    """Return a project of two generations with good checks, the second of which is current."""
    made = make_past(tmp_path)
    made.make("1.0")
    made.make("2.0")
    return made


def test_earlier_locks_are_checked_by_the_same_expectations(longer: Past) -> None:
    assert check_all(longer.opened, NAME).good
    expect(longer, "loss: {ceiling: 0.4, finite: true}")
    for found in (check_all(longer.opened, NAME), check_generation(longer.opened, NAME, 1)):
        assert not found.good
        for one in found.checks:
            assert one.result is not None
            assert one.result.verdict.word is Word.FAILED
            assert one.why_not == (
                "failed, not as the spec expects: loss: expected at most 0.4, found 0.5 at step 2"
            )
        listed = all_document(found)["locks"][0]["expectations"]
        assert [(one["rule"], one["state"]) for one in listed] == [
            ("finite", "passed"),
            ("ceiling", "failed"),
        ]


def test_a_rollback_needs_what_the_spec_expects(longer: Past) -> None:
    expect(longer, "loss: {ceiling: 0.4}")
    done = rollback(longer.opened, NAME)
    assert done.done is None
    assert done.why_not is not None
    assert "generation 1 is not as the spec expects: loss: expected at most 0.4" in done.why_not
    assert rollback_document(done)["check"]["expectations"][0]["state"] == "failed"
    expect(longer, "loss: {ceiling: 0.6}")
    assert rollback(longer.opened, NAME).done is not None


def test_a_search_for_a_change_asks_for_no_expectation(longer: Past) -> None:
    expect(longer, "loss: {ceiling: 0.4}")
    with pytest.raises(CheckError, match="nothing changed between them"):
        bisect(longer.opened, NAME, 1, 2)
