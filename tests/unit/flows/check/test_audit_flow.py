"""Which factors an audit has time for, and in which order it takes them."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freezer.check.audit.factors import factors
from freezer.check.smoke import Varied
from freezer.errors import CheckError
from freezer.fetch.store.store import Store
from freezer.flows.check import audit as flow
from freezer.flows.check import audit_runs
from freezer.flows.project.environment import Locked
from freezer.flows.project.image_runtime import installed_runtime
from freezer.inside.freezer_inside.record import Recorder
from freezer.inside.freezer_inside.switches import WITHOUT
from freezer.model.events import SilentReporter
from freezer.model.lock import ImageRuntime
from tests.support.host.fake_engine import INFO
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record

LOCK = make_lock()
LOCKFILES = Path(__file__).parents[4] / "lockfiles"
EARLIER = "a2a5f382742b93786407c830ffb9d1a291a0ca7b0803f9846cef14430fb8abf5"
TITLES = [factor.title for factor in factors(LOCK)]


def _late(seconds: float) -> bytes:
    """Return what `freezer_inside.smoke` tells of a training that it ended."""
    stream = io.StringIO()
    Recorder("numpy", stream).failed(f"it did not end within {seconds:.0f} seconds")
    return stream.getvalue().strip().encode()


@dataclass
class Host:
    """A host on which the first run takes some seconds, and each one after it others."""

    first: float
    later: float
    now: float = 0.0
    engine: Any = field(default_factory=lambda: SimpleNamespace(info=INFO))
    hanging: str = ""
    """The title of a factor under which the training comes to no end."""

    def run(self, title: str, varied: Varied | None = None) -> Any:
        if varied is None:
            self.now += self.first
            return record(lines())
        assert varied.limit is not None
        if self.hanging and title.endswith(self.hanging):
            self.now += varied.limit
            return record([*lines(end=False), _late(varied.limit)])
        self.now += self.later
        return record(lines())

    def audit(self, patch: pytest.MonkeyPatch, tmp_path: Any, budget: float) -> flow.AuditResult:
        locked = Locked(LOCK, "0" * 64, tmp_path)
        patch.setattr(flow, "load_current_lock", lambda *_: locked)
        patch.setattr(flow, "verified_image", lambda *_: SimpleNamespace(id="sha256:1"))
        patch.setattr(flow, "_accepted", lambda *_: ())
        patch.setattr(flow, "smoke_runner", lambda *_: self)
        for module in (flow, audit_runs):
            patch.setattr(module, "monotonic", lambda: self.now)
        project: Any = SimpleNamespace(root=tmp_path)
        return flow.audit(project, None, budget=budget)


def reached(result: flow.AuditResult) -> list[str]:
    return list(dict.fromkeys(item.title for item in result.effects))


def test_with_time_for_all_nothing_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    result = Host(2, 2).audit(monkeypatch, tmp_path, 2.0 * len(TITLES) + 2)
    assert (reached(result), result.skipped) == (TITLES, ())


def test_what_there_is_no_time_for_is_named_and_comes_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    result = Host(2, 2).audit(monkeypatch, tmp_path, 9)
    assert reached(result) == TITLES[:3]
    assert list(result.skipped) == TITLES[3:]
    assert result.seconds <= 9


def test_a_slow_first_run_does_not_decide_what_the_others_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    result = Host(20, 2).audit(monkeypatch, tmp_path, 40)
    assert (reached(result), result.skipped) == (TITLES, ())


def test_a_factor_whose_other_run_was_left_out_is_left_out_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    result = Host(1, 1).audit(monkeypatch, tmp_path, 3)
    assert "4 threads, once more" in result.skipped
    assert len(reached(result)) == 2


def test_one_that_hangs_takes_no_time_of_the_others_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    host = Host(2, 2, hanging=TITLES[1])
    result = host.audit(monkeypatch, tmp_path, 120)
    rest = [title for title in reached(result) if title != TITLES[1]]
    assert rest == reached(result)
    assert TITLES[-1] in rest
    assert f"{TITLES[1]}, which did not end in 15 s" in result.skipped
    assert result.good


def test_one_that_hangs_is_cut_off_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    budget = 2 * len(TITLES) + 6
    result = Host(2, 2, hanging=TITLES[-1]).audit(monkeypatch, tmp_path, budget)
    assert result.seconds == budget
    assert reached(result) == TITLES[:-1]
    assert result.skipped == (f"{TITLES[-1]}, which did not end in 6 s",)


def test_a_slow_training_gets_more_patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    result = Host(10, 10, hanging=TITLES[-1]).audit(monkeypatch, tmp_path, 1000)
    assert result.skipped == (f"{TITLES[-1]}, which did not end in 40 s",)


@dataclass(frozen=True)
class Together:
    """A runner with which each run waits until so many run as there are lanes."""

    lock: Any
    engine: Any
    at_once: threading.Barrier
    report: Any = field(default_factory=SilentReporter)
    runs: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    failing: str = ""

    def run(self, title: str, varied: Varied | None = None) -> Any:
        if varied is not None:
            self.runs.append((title.removeprefix("Training with "), varied.positions))
            if self.failing and title.endswith(self.failing):
                raise CheckError("the engine went away")
            if varied.positions:
                self.at_once.wait(60)
        return record(lines())


def together(**changes: Any) -> Together:
    smoke = LOCK.smoke.model_copy(update={"cpus": 2, "memory": "2g"})
    lock = make_lock(smoke=smoke, environment={**LOCK.environment, "OMP_DYNAMIC": "FALSE"})
    info = replace(INFO, cpus=4, memory=16 << 30)
    return Together(lock, SimpleNamespace(info=info), threading.Barrier(2), **changes)


def audited(host: Together) -> audit_runs.AuditRuns:
    many = audit_runs.lanes(host.lock, host.engine.info)
    runner: Any = host
    return audit_runs.AuditRuns(runner, record(lines()), time.monotonic(), 1000, many)


def test_runs_at_once_have_cpus_of_their_own_and_what_looks_at_the_load_is_alone() -> None:
    host = together()
    every = factors(host.lock)
    calm = [factor for factor in every if not factor.alone]
    chosen = [*calm[: len(calm) // 2 * 2], *(factor for factor in every if factor.alone)]
    runs = audited(host)
    runs.run(chosen)
    assert {positions for _, positions in host.runs} == {(0, 1), (2, 3), ()}
    assert {title for title, own in host.runs if not own} == {
        factor.title for factor in every if factor.alone
    }
    assert [effect.factor for effect in runs.effects(chosen)] == [one.name for one in chosen]
    assert list(runs.skipped(chosen)) == []


def test_an_error_of_one_run_ends_the_audit() -> None:
    calm = [factor for factor in factors(LOCK) if not factor.alone]
    host = together(failing=calm[0].title)
    host.at_once.abort()
    with pytest.raises((CheckError, threading.BrokenBarrierError)):
        audited(host).run(calm)
    assert len(host.runs) <= 2


@pytest.mark.parametrize(
    ("cpus", "memory", "many"),
    [(1, 64, 1), (2, 64, 1), (3, 64, 1), (4, 64, 2), (64, 64, 4), (64, 3, 1), (64, 5, 2)],
)
def test_as_many_run_at_once_as_there_are_cpus_and_memory_for(
    cpus: int, memory: int, many: int
) -> None:
    info = replace(INFO, cpus=cpus, memory=memory << 30)
    assert audit_runs.lanes(together().lock, info) == many


@pytest.mark.parametrize(
    ("training", "older"),
    [
        ("lightgbm", {"without-lightgbm-deterministic", "without-lightgbm-force-row-wise"}),
        ("sklearn", set()),
        ("xgboost", set()),
    ],
)
def test_a_switch_that_the_locks_runtime_lacks_is_not_varied(
    tmp_path: Path, training: str, older: set[str]
) -> None:
    """Left out, it would change nothing: a statement about no training at all."""
    stored = LOCKFILES / "boosting" / "inside" / EARLIER
    store = Store.open(tmp_path)
    store.put_bytes(stored.read_bytes())
    project: Any = SimpleNamespace(store=store, root=tmp_path)
    plan = LOCK.smoke.model_copy(update={"trainings": (training,)})
    now = make_lock(smoke=plan, inside=installed_runtime())
    before = make_lock(smoke=plan, inside=ImageRuntime(version="1", sha256=EARLIER))
    every = {one.name for one in factors(now) if WITHOUT in one.environment}
    for lock, wanted in ((now, every), (before, older)):
        found = {one.name for one in factors(lock) if flow._has_switch(project, lock, one)}
        assert {name for name in found if name in every} == wanted
    assert every > older or training == "lightgbm"
