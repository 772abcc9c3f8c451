"""The commands of `docs/governance` are run, in the order of the pages, in one small project.

Those that need a container engine run in `tests/engine/e2e/governance/test_procedures.py`.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml

from freezer.cli.main import run
from tests.support.project.documented import SHIPPED, Documented, documented
from tests.support.project.procedures import FOLDER, PAGES, needs_engine, steps


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documented]:
    folder = tmp_path_factory.mktemp("procedures")
    with pytest.MonkeyPatch.context() as patch, documented(folder, patch) as made:
        patch.setenv("HOME", str(folder))
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        for name in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{name}_NAME", "Ada")
            patch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")
        made.spec(why={"numpy": "arrays", "libgomp1": "OpenMP"})
        subprocess.run(["git", "init", "-q", "-b", "main"], check=True)
        yield made


def typed(command: str) -> tuple[int, str]:
    """Run a command line: `freeze` in this process, whose engine is none, all else by a shell."""
    if command.startswith("freeze ") and not re.search(r"[>&|]", shlex.split(command)[-1]):
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            code = run(shlex.split(command)[1:])
        return code, out.getvalue()
    done = subprocess.run(
        ["bash", "-c", command], check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def before(project: Documented, page: str) -> None:
    """Do what happens between two pages, or on this one with an engine."""
    if page == "updating":
        project.index.add("numpy", "2.1.0")
    if page == "auditing":
        (project.folder / "audit.json").write_text('{"effects": [], "accepted": []}')


@pytest.mark.process
def test_every_step_of_every_procedure(project: Documented) -> None:
    said: dict[str, str] = {}
    for page in PAGES:
        before(project, page)
        for step in (one.named(SHIPPED) for one in steps(page)):
            if step.file:
                (project.folder / step.file).write_text(step.content)
            elif not needs_engine(page, step):
                code, out = typed(step.command)
                assert code == 0, f"{page}: {step.command}\n{out}"
                assert "Traceback" not in out
                said[step.command] = out
    assert "1 deviation in force" in "".join(said.values())
    evidence = project.folder.parent / "evidence"
    assert json.loads((evidence / "policy.json").read_text())["good"] is True
    assert (evidence / "plans").is_dir()
    assert list((evidence / "attestations").iterdir())
    log = subprocess.run(["git", "log", "--format=%s"], capture_output=True, text=True, check=True)
    assert log.stdout.splitlines()[0] == f"Retire {SHIPPED}"
    assert not (project.folder / "lockfiles" / SHIPPED / "freeze.lock.yaml").exists()


def test_no_page_is_left_out() -> None:
    pages = {path.stem for path in FOLDER.glob("*.md")}
    assert pages == {*PAGES, "README", "what-auditors-ask"}
    text = (FOLDER / "README.md").read_text()
    for page in PAGES:
        assert f"({page}.md)" in text
        assert len(steps(page)) >= 3
        assert "**Outcome**" in (FOLDER / f"{page}.md").read_text()


def test_examples_of_files_are_yaml() -> None:
    files = [step for page in PAGES for step in steps(page) if step.file]
    assert {step.file for step in files} == {"policy.yaml", "plan.yaml"}
    for step in files:
        assert isinstance(yaml.safe_load(step.content), dict)


def test_the_table_supports_and_promises_nothing() -> None:
    text = (FOLDER / "what-auditors-ask.md").read_text()
    for word in ("complian", "certif", "guarantee", "ensures"):
        assert word not in text.lower()
    assert "They meet no requirement" in text
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    assert all(len(row) == 4 for row in rows)
    assert all(cell.strip() for row in rows for cell in row)
    for name in ("Art. 11", "Art. 12", "Art. 18", "Art. 19", "Annex IV", "NIST AI RMF",
                 "ISO/IEC 42001", "GMLP", "21 CFR 11", "NeurIPS", "ACM"):  # fmt: skip
        assert any(name in row[0] for row in rows), name
