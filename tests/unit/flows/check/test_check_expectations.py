"""`expect` of a spec in `freeze check`: its verdict, its exit code, its JSON and its JUnit file."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from freezer.check.reference import references
from freezer.flows.check.check import check
from freezer.flows.history.generations import history
from freezer.model.record.verdict import Word
from freezer.output.check.check import document
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
