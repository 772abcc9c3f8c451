"""A sample of runs made again: picked by a seed, each judged, none that stops another."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.cli.main import run as freeze
from freezer.errors import SpecError
from freezer.flows.runs.repeat.verify import candidates, pick, since_time, verify
from freezer.model.record.run import Run, Time

numbers = st.sets(st.integers(0, 2**64 - 1), max_size=30)


def run(number: int, state: str = "finished", **links: str) -> Run:
    return Run(f"{number:016x}", "demo", state, Time(number), links=links)


@given(numbers, st.integers(1, 40), st.integers(0, 2**31))
def test_the_same_seed_picks_the_same_runs(some: set[int], count: int, seed: int) -> None:
    runs = [run(number) for number in some]
    first = pick(runs, count, seed)
    assert first == pick(runs[::-1], count, seed)
    assert len({one.id for one in first}) == min(count, len(runs))
    assert first == sorted(first, key=lambda one: (one.started, one.id))


@given(numbers, st.integers(0, 2**64 - 1), st.integers(1, 10), st.integers(0, 9))
def test_a_new_run_replaces_at_most_one_of_the_sample(
    some: set[int], new: int, count: int, seed: int
) -> None:
    before = pick([run(number) for number in some], count, seed)
    after = pick([run(number) for number in {*some, new}], count, seed)
    assert len({one.id for one in before} - {one.id for one in after}) <= 1


def test_seeds_differ_in_what_they_pick() -> None:
    runs = [run(number) for number in range(50)]
    assert len({tuple(one.id for one in pick(runs, 5, seed)) for seed in range(20)}) > 15


def test_candidates_are_finished_originals_since_a_date() -> None:
    runs = [run(1), run(2, "failed"), run(3, "running"), run(4, reproduces="x"), run(5)]
    assert [one.started.micros for one in candidates(runs, None)] == [1, 5]
    assert [one.started.micros for one in candidates(runs, Time(5))] == [5]


def test_dates() -> None:
    assert since_time("2026-11-01") == Time(1_793_491_200_000_000)
    assert since_time("2026-11-01T01:00:00+01:00") == since_time("2026-11-01")
    with pytest.raises(SpecError, match="--since is not a date"):
        since_time("lately")


@pytest.mark.process
def test_each_is_repeated_and_a_difference_exits_with_1(runnable, capsys) -> None:
    project, count = runnable.project, 0

    def training(inside) -> int:
        nonlocal count
        count += 1
        value = inside.environment["FREEZER_PARAM_KIND"]
        (inside.folder("/output") / "x").write_text(str(count) if value == "random" else value)
        return 0

    def command(*words: str) -> tuple[int, str]:
        code = freeze(["-C", str(project.root), "runs", "verify", *words])
        return code, capsys.readouterr().out

    runnable.train(training)
    capsys.readouterr()
    assert command("--seed", "1")[0] == 1, "nothing was compared"
    for kind in ("one", "two", "three"):
        runnable.run(params={"kind": kind})
    code, shown = command("--sample", "2", "--seed", "3", "--json")
    found = json.loads(shown)
    assert (code, found["good"], found["candidates"], len(found["runs"])) == (0, True, 3, 2)
    again = json.loads(command("--sample", "2", "--seed", "3", "--json")[1])
    assert [one["run"] for one in again["runs"]] == [one["run"] for one in found["runs"]]

    random = runnable.run(params={"kind": "random"})
    secret = runnable.run(params={"kind": "one", "token": "sesame42"})
    code, shown = command("params.kind is not null")
    assert code == 1
    assert "3 of 5 runs identical to the bit, sampled from 5 with seed " in shown
    rows = {line.split()[0]: line for line in shown.splitlines()}
    assert "drifted" in rows[random.run.id[:8]]
    assert "not made" in rows[secret.run.id[:8]]
    assert "secret" in rows[secret.run.id[:8]]
    assert command("--since", "2999-01-01")[0] == 1

    done = verify(
        project, sample=1, seed=0, since=None, query=f"id = '{random.run.id}'",
        show=lambda _stream, _data: None, picked=lambda *_: None,
    )  # fmt: skip
    assert [one.verdict for one in done.runs] == ["drifted"]
