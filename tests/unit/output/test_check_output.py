"""The verdict as a person reads it: what, where, how far, and what to make of it."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from freezer.check.assess import Assessment
from freezer.check.cause.experiments import Experiment, ExperimentResult
from freezer.check.compare.compare import compare
from freezer.flows.check.result import CheckResult
from freezer.flows.project.environment import Locked
from freezer.model.record.record import ReadBack
from freezer.model.record.verdict import Basis, Word
from freezer.output.check.check import document, show
from tests.support.project.locks import make_lock
from tests.support.project.records import Floats, lines, record, training_lines


def result(expected, found, *, recorded=False, **more):
    values = {"basis": Basis.REFERENCE, **more}
    return CheckResult(
        locked=Locked(make_lock(), "ab" * 32, Path("lockfiles/demo")),
        image=f"sha256:{'2' * 64}",
        assessment=Assessment(
            record=found, expected=expected, verdict=compare(expected, found), **values
        ),
        reference="lockfiles/demo/references/c.json",
        recorded=recorded,
    )


def said(*arguments, **more):
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    show(result(*arguments, **more), console)
    return console.file.getvalue()


def test_identical_is_one_line_for_each_training_and_one_for_all():
    text = said(record(), record())
    assert text.splitlines()[-1].startswith("demo: identical, lock abababababab as recorded in")
    assert len(text.splitlines()) == 2


def test_drift_says_where_how_far_and_that_it_is_no_accident():
    text = said(record(), record(lines(weight=1.0000001)), repeats=True)
    assert "numpy differs first in w1 at step 2; 1 of 7 observations differ" in text
    assert "(element [0], at most 1 ulp, median 1, relative error 3.2e-08)" in text
    assert "the same results as the first" in text
    assert "no cause was found" in text


def test_drift_with_a_cause_names_it_first():
    found = record(lines(loss=0.6, data=b"other"), settings={"OMP_NUM_THREADS": "1"})
    text = said(record(), found, repeats=True)
    assert "no cause was found" not in text
    assert text.index("the data 'features' differ") < text.index("OMP_NUM_THREADS is 1, was 2")


def test_a_training_that_does_not_repeat_is_told_from_one_that_moved():
    assert "does not repeat" in said(record(), record(lines(loss=0.6)), repeats=False)


def test_two_runs_that_differ_say_what_to_look_for():
    text = said(record(), record(lines(seed="77")), basis=Basis.TWO_RUNS)
    assert "numpy: it draws from a generator without a fixed seed" in text
    assert "two runs of lock abababababab differ from each other; nothing was recorded" in text


HOSTILE = "\x1b]0;owned\x07\x1b[2J[red]"


def test_what_a_training_says_cannot_steer_the_terminal():
    told = lines(end=False)
    failed = json.dumps({"training": "numpy", "kind": "failed", "value": f"a\n{HOSTILE}\r\x00"})
    found = record([*told, b"::freezer:: " + failed.encode()])
    text = said(record(), found)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]" in text


def test_nor_can_a_version_or_a_setting():
    text = said(record(lines(seed="1")), record(lines(seed=HOSTILE)))
    assert "\x1b" not in text


@pytest.mark.parametrize("word", [Word.IDENTICAL, Word.DRIFTED, Word.FAILED])
def test_the_document_says_the_same_for_programs(word):
    found = {
        Word.IDENTICAL: record(),
        Word.DRIFTED: record(training_lines("numpy", "w1", Floats(1.0))),
        Word.FAILED: record(lines(end=False)),
    }[word]
    told = json.loads(json.dumps(document(result(record(), found, repeats=None))))
    assert (told["verdict"], told["good"]) == (word.value, word is Word.IDENTICAL)
    assert told["class"] == "x86-64-v4-skylakex"


def test_floats_have_their_decimal_beside_them():
    text = said(record(lines(loss=0.5)), record(lines(loss=-0.25)))
    assert "expected: 0.5 (0x1.0000000000000p-1)" in text
    assert "found:    -0.25 (-0x1.0000000000000p-2) (the signs differ, at most 2.1e+09 ulp" in text


def test_a_nan_is_said_to_be_one_and_has_no_ulps():
    text = said(record(lines(loss=0.5)), record(lines(loss=float("nan"))))
    assert "found:    nan (one of the two is NaN)" in text
    assert "ulp" not in text


def test_of_a_tensor_the_element_that_differs_is_in_decimal():
    text = said(record(), record(lines(weight=-2.5)))
    assert re.search(r"expected: f4 3, sha256 [0-9a-f]{12}, element \[0\] is 1\n", text)
    assert re.search(r"found:    f4 3, sha256 [0-9a-f]{12}, element \[0\] is -2.5 \(", text)


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        ("0x1.999999999999ap-5 (float)", "0.05 = 0x1.999999999999ap-5 (float)"),
        ("-0x1.0p-10", "-0.0009765625 = -0x1.0p-10"),
        ("[0x1.8p+1, 0x0.0p+0]", "[3.0 = 0x1.8p+1, 0.0 = 0x0.0p+0]"),
        ("0x1.0p+9999", "0x1.0p+9999"),
        ("0x1f", "0x1f"),
        ("adam", "adam"),
    ],
)
def test_a_setting_has_its_decimal_beside_it(value, readable):
    assert ReadBack(kind="setting", name="rate", value=value).readable == readable
    found = record(lines(seed=value))
    assert f"FREEZER_SEED is {readable}, was 1234" in said(record(), found)


def restored(found):
    """Return an experiment that restored a thread count, with the results that it gave."""
    one = Experiment(
        "1 thread, as in the reference", {"OMP_NUM_THREADS": "1"}, ("OMP_NUM_THREADS",)
    )
    return ExperimentResult(one, compare(record(), found))


def test_an_experiment_that_restores_the_results_is_the_cause():
    moved = record(lines(loss=0.6))
    text = said(record(), moved, repeats=True, experiments=(restored(moved), restored(record())))
    assert "experiment: with 1 thread, as in the reference, still drifted" in text
    assert "all results are restored: this is the cause" in text
    assert "freeze bisect" not in text


def test_without_a_cause_it_says_where_to_look_next():
    moved = record(lines(loss=0.6))
    text = said(record(), moved, repeats=True, experiments=(restored(moved),))
    assert "no single setting restores the results; `freeze bisect` searches the packages" in text


def test_other_references_are_for_information():
    others = (
        ("numerics class armv8", compare(record(lines(loss=0.6)), record())),
        ("lock 999999999999", compare(record(), record())),
    )
    text = said(record(), record(), others=others)
    assert "compared with the results of numerics class armv8: numpy drifted, 1 of 7" in text
    assert "compared with the results of lock 999999999999: identical" in text
    told = document(result(record(), record(), others=others))
    assert told["others"] == {"numerics class armv8": "drifted", "lock 999999999999": "identical"}


@pytest.mark.parametrize(
    ("found", "more", "words"),
    [
        (record(), {"basis": Basis.TWO_RUNS, "recorded": True}, "recorded in lockfiles/demo"),
        (record(lines(end=False)), {"basis": Basis.TWO_RUNS}, "nothing was recorded"),
        (record(lines(loss=0.6)), {"repeats": True}, "reference lockfiles/demo/references/c.json"),
    ],
)
def test_the_last_line_says_what_it_was_compared_with(found, more, words):
    assert words in said(record(), found, **more).splitlines()[-1]
