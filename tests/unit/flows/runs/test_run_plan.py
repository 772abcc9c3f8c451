"""What came of a plan: made and missing runs, the metric by seed, and the criterion alone."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.cli.main import run as freeze
from freezer.errors import PlanError
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.plan.outcome import PlanOutcome, outcome
from freezer.flows.runs.plan.read import plan_file, plan_outcome
from freezer.ledger.query import content
from freezer.model.canonical import digest
from freezer.model.record.plan import read_plan
from freezer.model.record.protocol import PREFIX
from freezer.model.record.run import Run, Time

PLAN = """
hypothesis: 0.2 is better than 0.1
metric: acc
changes: {lr: [0.1, 0.2]}
seeds: [1, 2]
refuted-by: {mean-of: {lr: 0.2}, at-most: {lr: 0.1}}
"""


def run(number: int, seed: int, lr: str, value: float | None, state: str = "finished") -> Run:
    fields = {"given.lr": lr, "seed": seed}
    if value is not None:
        fields["metrics.acc"] = value
    return Run(f"{number:016x}", "demo", state, Time(number), fields=fields)


def of(text: str, *runs: Run) -> PlanOutcome:
    return outcome(read_plan(text.encode(), "p").plan, runs)


WHOLE = (run(1, 1, "0.1", 0.5), run(2, 2, "0.1", 0.7), run(3, 1, "0.2", 0.8), run(4, 2, "0.2", 0.6))


def test_a_whole_plan_is_decided_by_its_criterion() -> None:
    found = of(PLAN, *WHOLE)
    assert [one.metrics for one in found.conditions] == [[0.5, 0.7], [0.8, 0.6]]
    assert (found.missing, found.unplanned, found.finding) == (0, (), "not refuted")
    assert found.why == "mean 0.7 of lr=0.2 is not at most 0.6 of lr=0.1"
    narrow = PLAN.replace("at-most", "margin: 0.2, at-most")
    assert of(narrow, *WHOLE).finding == "refuted"
    assert of(PLAN.replace("at-most: {lr: 0.1}", "at-least: 0.7"), *WHOLE).finding == "refuted"
    assert of(PLAN.replace("at-most: {lr: 0.1}", "at-least: 0.8"), *WHOLE).finding == "not refuted"


def test_a_missing_run_leaves_it_undecided() -> None:
    found = of(PLAN, *WHOLE[:3], run(5, 2, "0.2", None), run(6, 2, "0.2", 0.1, "running"),
               run(7, 2, "0.2", 0.1, "failed"))  # fmt: skip
    last = found.conditions[1]
    assert (found.finding, found.missing, last.missing) == ("undecided", 1, (2,))
    assert (last.running, last.unusable) == (
        (run(6, 0, "", 0).id,),
        (run(5, 0, "", 0).id, run(7, 0, "", 0).id),
    )


def test_the_first_finished_run_of_a_seed_counts() -> None:
    found = of(PLAN, *WHOLE, run(9, 1, "0.10", 0.99), run(8, 1, "0.1", 0.5))
    made = found.conditions[0].made[1]
    assert (made.run, made.value, made.repeated, made.identical) == (run(1, 0, "", 0).id, 0.5, 2, 1)


def test_what_is_not_planned_does_not_count() -> None:
    others = (run(10, 3, "0.1", 9.0), run(11, 1, "0.3", 9.0))
    assert of(PLAN, *WHOLE, *others).unplanned == tuple(one.id for one in others)
    three = PLAN.replace("[1, 2]", "2")
    found = of(three, *WHOLE, *others)
    assert found.unplanned == tuple(one.id for one in others), "two seeds, and the first two"


def test_a_nan_leaves_the_criterion_undecided() -> None:
    assert of(PLAN, *WHOLE[:3], run(4, 2, "0.2", math.nan)).finding == "undecided"


def test_a_sentence_is_left_to_the_reader() -> None:
    found = of(PLAN.replace("{mean-of: {lr: 0.2}, at-most: {lr: 0.1}}", "overfitting"), *WHOLE)
    assert (found.finding, found.why) == ("for the reader", "would be refuted by: overfitting")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["0.1", "0.2", "0.3"]),
            st.none() | st.floats(),
            st.sampled_from(["finished", "failed", "running", "interrupted"]),
        )
    )
)
def test_every_run_is_found_once_and_nothing_else(rows: list) -> None:
    runs = [run(number, *row) for number, row in enumerate(rows)]
    found = of(PLAN, *runs)
    listed = [one for c in found.conditions for one in (*c.running, *c.unusable)]
    made = [one for c in found.conditions for one in c.made.values()]
    counted = len(listed) + len(found.unplanned) + sum(1 + one.repeated for one in made)
    assert counted == len(runs)
    assert found.missing + len(made) == 4
    assert (found.finding == "undecided") or found.missing == 0


@pytest.mark.process
def test_a_plan_is_kept_with_the_runs_that_test_it(runnable, tmp_path: Path, capsys) -> None:
    def training(inside) -> int:
        value = float(inside.environment["FREEZER_PARAM_LR"]) * 2
        line = {"training": "t", "kind": "metric", "name": "acc", "step": 0, "value": value}
        inside.say(1, PREFIX + json.dumps(line).encode() + b"\n")
        return 0

    runnable.train(training)
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    file, project = plan_file(path), runnable.project
    assert plan_outcome(project, file).missing == 4, "before the first run"
    for lr, seed in (("0.1", 1), ("0.1", 2), ("0.2", 1), ("0.2", 2), ("0.7", 1)):
        done = runnable.run("t", params={"lr": lr}, seed=seed, plan=file)
    runnable.run("t", params={"lr": "0.1"}, seed=1)
    with project_ledger(project) as ledger:
        assert content(ledger, digest(file.data)) == file.data
    found = plan_outcome(project, file)
    assert (found.finding, found.missing, found.unplanned) == ("not refuted", 0, (done.run.id,))
    assert plan_outcome(project, file, "params.lr < 0.15").missing == 2
    capsys.readouterr()
    assert freeze(["-C", str(project.root), "runs", "summary", "--plan", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "4 of 4 planned runs made" in shown
    assert "not refuted: mean 0.4 of lr=0.2 is not at most 0.2 of lr=0.1" in shown
    assert "does not show that the hypothesis is true" in shown
    arguments = ["runs", "summary", "--plan", str(path), "--json"]
    assert freeze(["-C", str(project.root), *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [len(one["made"]) for one in document["conditions"]] == [2, 2]


def test_a_plan_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(PlanError, match="cannot be read"):
            plan_file(path)
