"""What unit tests share: what only costs time is done without."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace

import pytest
import typer
from urllib3.util.retry import Retry

from freezer.fetch.http import transport
from freezer.inside.freezer_inside import sketch
from freezer.resolve.conda.solver import indexes
from freezer.resolve.python.piptools import resolver
from tests.support.conda import solving
from tests.support.host.programs import Guard
from tests.support.python import piptools

GUARD = Guard()


gc.disable()  # while the tests are collected, which make no garbage


def pytest_collection_finish() -> None:
    """Keep the thousands of collected tests out of what the garbage collector looks through.

    It then looks less often too: what tests make is mostly gone without it.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def whole_run() -> Iterator[pytest.MonkeyPatch]:
    """Return a patch that holds for all tests of this process."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session", autouse=True)
def marks_of_those_that_start_programs(whole_run: pytest.MonkeyPatch) -> None:
    """Have a test fail that starts a program and is not marked ``process``."""
    GUARD.install(whole_run)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    GUARD.begin(item)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call() -> Iterator[None]:
    yield
    GUARD.demand_mark()


@pytest.fixture(scope="session", autouse=True)
def solver_that_is_loaded(whole_run: pytest.MonkeyPatch) -> None:
    """Have the conda solver start from a server that has loaded it."""
    whole_run.setattr(indexes, "run_worker", solving.run_worker)


@pytest.fixture(scope="session", autouse=True)
def pip_compile_that_is_loaded(whole_run: pytest.MonkeyPatch) -> None:
    """Have pip-compile start from a server that has loaded it."""
    whole_run.setattr(resolver, "run_child", piptools.run_child)


@pytest.fixture(scope="session", autouse=True)
def commands_that_are_known(whole_run: pytest.MonkeyPatch) -> None:
    """Have each command made of its function once, not by each test that runs it."""
    whole_run.setattr(typer.main, "get_command", cache(typer.main.get_command))


@pytest.fixture(scope="session", autouse=True)
def signs_that_are_known(whole_run: pytest.MonkeyPatch) -> None:
    """Have the signs of sketches, thousands of pseudorandom numbers, made once for each seed."""
    whole_run.setattr(sketch, "signs", cache(sketch.signs))


@pytest.fixture(scope="session", autouse=True)
def no_pause_between_attempts(whole_run: pytest.MonkeyPatch) -> None:
    """Have a server that does not answer be asked again at once."""
    whole_run.setattr(Retry, "sleep", lambda *_: None)
    quick = SimpleNamespace(**{**vars(time), "sleep": lambda _: None})
    whole_run.setattr(transport, "time", quick)


@pytest.fixture(scope="session", autouse=True)
def no_power_failure(whole_run: pytest.MonkeyPatch) -> None:
    """Have no file wait until the disk holds it: a test outlives kills, but no machine's end."""
    whole_run.setattr(os, "fsync", lambda _: None)
