"""`expect` of a spec in `freeze run`: the run's state and fields, exit code, text and JUnit."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from freezer.cli.image.running.junit import junit_of_children
from freezer.flows.runs.explain.divergence import Results
from freezer.flows.runs.protocol import Filter
from freezer.flows.runs.repeat.reproduce import verdict_of
from freezer.flows.runs.results.expectations import outcomes_of, with_outcomes
from freezer.flows.runs.run import RunDone
from freezer.model.record.protocol import PREFIX
from freezer.model.record.run import Run, Time
from freezer.model.spec.expect import Expectation
from freezer.output.junit import Case, Suite, junit, of_run
from freezer.output.runs.run import show_done


def line(**document: object) -> bytes:
    return b"\n" + PREFIX + json.dumps({"training": "t", **document}).encode() + b"\n"


OUTPUT = (
    line(kind="loss", name="loss", step=0, value="0x1.8p+1")
    + line(kind="loss", name="loss", step=1, value="0x1p+1")
    + line(kind="tensor", name="w", step=1, dtype="<f4", shape=[10, 784], sha256="ab" * 32)
    + line(kind="tensor", name="big", step=1, dtype="<f4", shape=[3], sha256="ab" * 32)
)
EXPECT = {
    "loss": Expectation.model_validate({"ceiling": 2.5, "monotone": "falling"}),
    "w": Expectation.model_validate({"shape": [10, 784]}),
}


def done(state: str = "finished", code: int = 0, **expected: dict) -> RunDone:
    expectations = {
        **EXPECT,
        **{name: Expectation.model_validate(one) for name, one in expected.items()},
    }
    taken = Filter(lambda _stream, _data: None, tensors=expectations.keys())
    taken.take(1, OUTPUT)
    taken.end()
    assert taken.report.ignored == 0
    assert taken.report.tensors.keys() == {"w"}, "of what nobody asks for nothing is kept"
    start = Run("ab" * 8, "demo", state, Time(0), ended=Time(1_500_000), exit_code=code)
    metrics = taken.report.metrics()
    outcomes = outcomes_of(expectations, start, taken.report, metrics)
    return RunDone(with_outcomes(start, outcomes), metrics, Path("out"), code, True, outcomes)


def test_a_run_as_expected() -> None:
    found = done()
    assert (found.run.state, found.status) == ("finished", 0)
    assert found.run.fields == {
        "expectations": "passed",
        "expect.loss.ceiling": "passed",
        "expect.loss.monotone": "passed",
        "expect.w.shape": "passed",
    }


def test_a_run_that_is_not_as_expected_failed_and_keeps_its_exit_code() -> None:
    found = done(accuracy={"floor": 0.9}, loss={"ceiling": 1})
    assert (found.run.state, found.run.exit_code, found.exit_code) == ("failed", 0, 0)
    assert found.status == 1
    assert found.run.fields["expectations"] == "failed"
    assert found.run.fields["expect.loss.ceiling"] == "failed"
    assert found.run.fields["expect.loss.ceiling.found"] == "2.0 at step 1"


@pytest.mark.parametrize(("state", "code"), [("failed", 7), ("interrupted", 130)])
def test_the_training_s_exit_code_takes_precedence(state: str, code: int) -> None:
    found = done(state, code, loss={"ceiling": 1})
    assert (found.run.state, found.status) == (state, code)
    assert bool(found.outcomes) is (state == "failed"), "of half a run nothing is expected"


def test_a_run_that_was_not_as_expected_can_be_made_again() -> None:
    original, again = done(loss={"ceiling": 1}).run, done().run
    verdict, _ = verdict_of(original, again, Results(("loss",), (), (), (), (), ()))
    assert verdict == "identical"


def test_text_names_what_failed() -> None:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    show_done(
        done(accuracy={"floor": 0.9}, **{"[b]": {"floor": 1, "optional": True}}), Path(), console
    )
    text = console.file.getvalue()
    assert "run abababababababab failed after 1.5 s" in text
    assert "with exit code" not in text, "the command ended well"
    assert "failed accuracy: expected at least 0.9, found nothing reported" in text
    assert "skipped [b]: expected at least 1.0, found nothing reported" in text
    assert "expectations: 3 passed, 1 failed, 1 skipped" in text


def test_junit_of_runs_in_processes_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    with junit_of_children(file, 3) as options:
        for number, words in enumerate(options):
            assert words[0] == "--junit"
            if number != 1:  # that one did not begin
                Path(words[1]).write_bytes(
                    junit([Suite(f"run {number}", [Case("a", "b", "passed")])])
                )
    assert [one.get("name") for one in ET.parse(file).getroot()] == ["run 0", "run 2"]
    assert not Path(options[0][1]).exists()
    with junit_of_children(None, 2) as options:
        assert options == [[], []]


def test_junit_of_a_run() -> None:
    [suite] = ET.fromstring(junit([of_run(done("failed", 7, accuracy={"floor": 0.9}))]))
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("5", "2", "1.500")
    [ended] = suite.findall("testcase[@name='exit code']")
    assert ended[0].get("message") == "failed with exit code 7"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(
        st.builds(
            Case, texts, texts, st.sampled_from(["passed", "failed", "skipped"]), texts, texts
        )
    )
)
def test_junit_can_be_parsed_whatever_a_training_wrote(cases: list[Case]) -> None:
    [suite] = ET.fromstring(junit([Suite("x", cases)]))
    assert len(suite) == len(cases) == int(suite.attrib["tests"])
