"""The command line of a run's own process says what the one before it said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freezer.cli.image.running.invocation import child_command
from freezer.cli.main import run as freeze
from freezer.errors import RunError
from freezer.flows.runs.repeat.resume import Resume
from freezer.flows.runs.request import RunRequest

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
names = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True).filter(lambda one: one != "seed")
REQUESTS = st.builds(
    RunRequest,
    command=st.lists(texts, min_size=1, max_size=4).map(tuple),
    data=st.none() | st.lists(names, min_size=1, max_size=2).map(tuple),
    params=st.dictionaries(names, texts, max_size=1),
    seed=st.none() | st.integers(0, 2**63 - 1),
    gpus=st.none() | st.booleans(),
    clean=st.booleans(),
    output=st.none() | st.just(Path("/some/where")),
)
RESUMES = st.none() | st.builds(Resume, names, st.just("") | st.just("a/b c"), st.booleans())


def parsed(words: list[str]) -> list[Any]:
    """Return what the command makes of its arguments, without making a run."""
    seen: list[Any] = []

    def note(_project: object, *given: Any) -> None:
        seen.extend(given)
        raise RunError("seen")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("freezer.cli.image.running.in_turn.execute", note)
        freeze(words)
    return seen


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.none() | st.just("demo"), REQUESTS, RESUMES)
def test_a_process_makes_the_same_run(
    tmp_path: Path, env: str | None, request: RunRequest, how: Resume | None
) -> None:
    words = child_command(env, request, how)
    share = ["--cpu-positions", "0,3", "--gpu-positions", "2"]
    start = words.index("freezer") + 1
    place = ["-C", str(tmp_path), *words[start + 2 :]]
    seen = parsed([*place, *share, "--", *request.command])
    assert seen[0] == env
    assert seen[1] == replace(request, cpu_positions=(0, 3), gpu_positions=(2,))
    assert seen[2] == how


def test_modules_of_the_project_are_not_taken_for_freezer_s() -> None:
    words = child_command(None, RunRequest(("t",)), None)
    assert words[1:4] == ["-P", "-m", "freezer"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--jobs", "2"], "--jobs is for a sweep"),
        (["--each", "k=1..2", "-p", "k=1"], "given once, and for a sweep as well"),
        (["-d", "--junit", "x.xml"], "writes no JUnit file"),
        (["--checkpoint", "x"], "go with --resume"),
        (["--new-code"], "go with --resume"),
        (["--plan", "none.yaml"], "cannot be read"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, capsys, words: list[str], said: str
) -> None:
    assert freeze(["-C", str(tmp_path), "run", *words, "--", "true"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["run", "python", "train.py"], True),
        (["run", "demo", "train.py", "--lr", "3"], True),
        (["shell", "python", "-m", "http.server"], True),
        (["run", "--bogus", "--", "true"], False),
        (["run", "demo", "more", "--", "true"], False),
        (["run", "--jobs", "x"], False),
    ],
)
def test_a_missing_double_dash_is_named(
    tmp_path: Path, capsys, words: list[str], *, hint: bool
) -> None:
    assert freeze(["-C", str(tmp_path), *words]) == 2
    assert ("A command follows after --" in capsys.readouterr().err) == hint
