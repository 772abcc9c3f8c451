"""The guard that fails a test which starts programs without being marked ``process``."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from freezer.flows.project.git import author
from tests.support.host.programs import Guard

MARKED = SimpleNamespace(get_closest_marker=lambda _: pytest.mark.process)
UNMARKED = SimpleNamespace(get_closest_marker=lambda _: None)


def fork() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


def multiprocess(method: str) -> None:
    child = multiprocessing.get_context(method).Process(target=os.getpid)
    child.start()
    child.join()


WAYS = {
    "run": lambda: subprocess.run(["true"], check=True),
    "shell": lambda: subprocess.run("true", shell=True, check=True),
    "system": lambda: os.system("true"),
    "popen": lambda: os.popen("true").close(),
    "posix_spawn": lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
    "fork": fork,
    "forked": lambda: multiprocess("fork"),
    "spawned": lambda: multiprocess("spawn"),
    "forkserver": lambda: multiprocess("forkserver"),
}


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    made = Guard()
    made.install(monkeypatch)
    return made


@pytest.mark.process
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whoever_starts_a_program_needs_the_mark(guard: Guard, way: Callable[[], Any]) -> None:
    guard.begin(UNMARKED)  # type: ignore[arg-type]
    guard.demand_mark()  # nothing was started yet
    way()
    with pytest.raises(pytest.fail.Exception, match=r"@pytest\.mark\.process"):
        guard.demand_mark()

    guard.begin(MARKED)  # type: ignore[arg-type]
    way()
    guard.demand_mark()


@pytest.mark.process
def test_the_program_is_named(guard: Guard) -> None:
    guard.begin(UNMARKED)  # type: ignore[arg-type]
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    with pytest.raises(pytest.fail.Exception, match=rf"starts {sys.executable} -c pass"):
        guard.demand_mark()


def test_without_the_mark_git_is_asked_nothing(guard: Guard, tmp_path: Any) -> None:
    guard.begin(UNMARKED)  # type: ignore[arg-type]
    assert author(tmp_path).commit is None
    guard.demand_mark()
