"""A plan given with a lock: kept next to it, in the history, verified, and seen by the policy."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from freezer.cli.main import run as command
from freezer.cli.session import current
from freezer.flows.runs.ledger import project_ledger
from freezer.ledger.record import record
from freezer.model.canonical import digest
from freezer.model.record.run import Digest
from tests.support.project.documented import SHIPPED, Documented, documented
from tests.support.project.runs import run

pytestmark = pytest.mark.process
PLAN = b"""\
hypothesis: NumPy 1.26 gives the same losses
metric: loss
changes: {}
seeds: 3
refuted-by: any loss differs
"""


POLICY = """\
rules: {plans: true}
deviations:
  - {rule: plans, subject: generation 2, reason: before the rule, owner: me, until: "2099-01-01"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Documented]:
    with pytest.MonkeyPatch.context() as patch, documented(tmp_path, patch) as made:
        (made.folder / "plan.yaml").write_bytes(PLAN)
        (made.folder / "policy.yaml").write_text(POLICY)
        assert freeze("lock")[0] == 0
        yield made


def freeze(*arguments: str) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command(arguments)
    return code, out.getvalue() + err.getvalue()


def violations() -> list[str]:
    environments = json.loads(freeze("policy", "check", "--json")[1])["environments"]
    found = [one for row in environments for one in row["violations"]]
    return [one["subject"] for one in found if one["breaks"]]


def test_a_plan_is_kept_with_its_generation(project: Documented) -> None:
    kept = project.folder / "lockfiles" / SHIPPED / "plans" / f"{digest(PLAN)}.yaml"
    project.spec(pip=["numpy<2"])
    code, out = freeze("lock", "--plan", "plan.yaml")
    assert code == 0, out
    assert kept.read_bytes() == PLAN
    assert f"plan {digest(PLAN)[:12]}" in freeze("log")[1]
    assert json.loads(freeze("log", "--json")[1])["generations"][-1]["plan"] == digest(PLAN)
    assert violations() == []
    assert freeze("log", "--verify")[0] == 0
    # The spec is as it was: no generation is made, and no plan kept.
    other = project.folder / "other.yaml"
    other.write_bytes(PLAN.replace(b"3", b"4"))
    assert freeze("lock", "--plan", "other.yaml")[0] == 0
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]

    kept.write_bytes(PLAN + b"\n")
    code, out = freeze("log", "--verify")
    assert (code, "was edited" in out) == (1, True)
    kept.rename(kept.with_name("0" * 64 + ".yaml"))
    code, out = freeze("log", "--verify")
    assert code == 1
    assert "is missing" in out
    assert "no generation has this plan" in out


def test_a_generation_without_a_plan_is_named_until_its_runs_have_one(project: Documented) -> None:
    project.spec(pip=["numpy<2"])
    code, out = freeze("update", "numpy", "--reason", "a try")
    assert code == 0, out
    assert freeze("lock", "--reason", "a try")[0] == 0
    assert violations() == ["generation 3"]
    lock_id = digest((project.folder / "lockfiles" / SHIPPED / "freeze.lock.yaml").read_bytes())
    with project_ledger(current.project()) as ledger:
        made = run(1, lock=Digest(lock_id), plan=Digest(digest(PLAN)))
        record(ledger, replace(made, environment=SHIPPED), contents=[PLAN])
    assert violations() == []


@pytest.mark.parametrize("arguments", [("lock",), ("update", "numpy")])
def test_a_plan_that_cannot_be_used_stops_the_command(
    project: Documented, arguments: tuple[str, ...]
) -> None:
    lock = project.folder / "lockfiles" / SHIPPED / "freeze.lock.yaml"
    before = lock.read_bytes()
    project.spec(pip=["numpy<2"])
    (project.folder / "plan.yaml").write_text("hypothesis: x\n")
    code, out = freeze(*arguments, "--plan", "plan.yaml")
    assert code == 2
    assert "plan.yaml" in out
    assert lock.read_bytes() == before
    assert freeze(*arguments, "--plan", "none.yaml")[0] == 2
    assert not (lock.parent / "plans").exists()
