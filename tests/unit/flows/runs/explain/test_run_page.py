"""`freeze runs page`: what of ledger and history reaches a page, and what never does."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from freezer.cli.main import run as freeze
from freezer.errors import QueryError
from freezer.flows.project.project import Project
from freezer.flows.runs.ledger import project_ledger
from freezer.flows.runs.page.details import MOST_FILES
from freezer.flows.runs.page.gather import gather
from freezer.ledger.record import record
from freezer.ledger.series import Points
from freezer.model.record.run import Run, Time
from freezer.output.runs.page import page_html
from tests.support.project.documented import SHIPPED
from tests.support.project.pages import varied_run

SECRETS = ("sesame4242", "s3cr3tword", "ghp_" + "a1B2" * 9)


def run(number: int, **fields: float) -> Run:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return Run(f"{number:016x}", "demo", "finished", Time(number), fields=named)


def test_a_page_has_the_runs_of_a_filter_and_their_series(bare_project: Project) -> None:
    long = Points.of([(step, step, step / 3) for step in range(1000)])
    with project_ledger(bare_project) as ledger:
        for number in range(5):
            record(ledger, run(number, params__lr=number / 10), {"metrics.loss": long})
    found = gather(bare_project, "params.lr > 0.15")
    assert [one.fields["params.lr"] for one in found.runs] == [0.4, 0.3, 0.2]
    assert len(found.curves[found.runs[0].id]["metrics.loss"].values) == 1000
    few = gather(bare_project, None, limit=2)
    assert (len(few.runs), few.total) == (2, 5)
    assert "the latest 2 of 5 runs" in page_html(few)
    with pytest.raises(QueryError):
        gather(bare_project, "params.lrr > 1")
    assert page_html(gather(bare_project, None)) == page_html(gather(bare_project, None))


def test_many_long_series_are_reduced(bare_project: Project, monkeypatch) -> None:
    monkeypatch.setattr("freezer.flows.runs.page.gather.POINTS", 1000)
    long = Points.of([(step, step, step / 3) for step in range(900)])
    short = Points.of([(0, 0, 1.0)])
    with project_ledger(bare_project) as ledger:
        for number in range(4):
            record(ledger, run(number), {"metrics.a": long, "metrics.b": short})
    curves = gather(bare_project, None).curves
    kept = [len(one.values) for found in curves.values() for one in found.values()]
    assert 900 < sum(kept) <= 1000
    assert curves[f"{1:016x}"]["metrics.a"].count == 900


def test_a_page_has_no_secrets(bare_project: Project) -> None:
    word, password, token = SECRETS
    url = f"https://me:{password}@example.org/x.git"
    leaky = replace(
        run(1),
        command=("train.py", "--token", word, f"--password={password}", token),
        fields={"params.api_key": word, "git.remote": url, "params.note": f"see {url} {token}"},
        tags={"hf-token": word, "where": url, "plain": token},
        notes=(f"the token is {token}", url),
        tail=f"GET {url}\nAuthorization: {token}",
    )
    with project_ledger(bare_project) as ledger:
        record(ledger, leaky)
    text = page_html(gather(bare_project, None))
    assert [secret for secret in SECRETS if secret in text] == []
    assert "example.org/x.git" in text


@pytest.mark.process
def test_environments_and_data_are_on_the_page(runnable, monkeypatch) -> None:
    root = runnable.project.root
    (root / "points").mkdir()
    (root / "points" / "x.csv").write_text("1\n")
    runnable.made.spec(data={"points": "points"})
    runnable.train(lambda inside: 0)
    runnable.run("train")
    found = gather(runnable.project, None, limit=1)
    [listed] = found.files.values()
    assert [(one.path, one.size) for one in listed.members] == [("x.csv", 2)]
    [(lock_id, environment)] = found.environments.items()
    assert environment.name == SHIPPED
    assert any(one[:2] == ("pip", "numpy") for one in environment.packages)
    assert lock_id == found.runs[0].fields["lock"].text
    assert '"numpy"' in page_html(found)
    monkeypatch.setattr("freezer.flows.runs.page.details.MOST_FILES", 0)
    [listed] = gather(runnable.project, None, limit=1).files.values()
    assert (listed.count, listed.members) == (1, None)
    assert MOST_FILES > 1000


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_the_command_writes_the_page(
    bare_project: Project, tmp_path: Path, option: list[str], capsys
) -> None:
    with project_ledger(bare_project) as ledger:
        record(ledger, *varied_run(1, random.Random(1)))
    page = tmp_path / "runs.html"
    assert freeze(["-C", str(bare_project.root), "runs", "page", "-o", str(page), *option]) == 0
    out = capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")
    if option:
        assert json.loads(out) == {
            "file": str(page), "runs": 1, "total": 1, "bytes": page.stat().st_size,
        }  # fmt: skip
    else:
        assert out.startswith(f"{page}: 1 run, ")
    wrong = ["-o", str(tmp_path / "runs.txt")]
    assert freeze(["-C", str(bare_project.root), "runs", "page", *wrong]) == 2
    assert freeze(["-C", str(bare_project.root), "runs", "page", "-o", str(tmp_path)]) == 2
    assert (
        freeze(["-C", str(bare_project.root), "runs", "page", "nothing = 1", "-o", str(page)]) == 2
    )
