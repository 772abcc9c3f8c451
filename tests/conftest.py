"""What holds for all tests."""

from __future__ import annotations

import signal

import pytest
from coverage import Coverage
from hypothesis import settings

# How long an example takes is the machine's. The same commit tries the same examples, so that a
# failure is the commit's; `--hypothesis-profile random` and `make fuzz` look for new ones.
settings.register_profile("freezer", deadline=None, derandomize=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("random", deadline=None)
settings.load_profile("freezer")

LONGEST = (
    "e2e/build/test_builders.py",
    "e2e/build/test_conda.py",
    "e2e/governance/test_ci_steps.py",
    "e2e/runs/test_tutorial.py",
    "resolve/test_real_requirements.py",
    "e2e/interrupted/test_killed.py",
    "index/test_artifacts.py",
    "e2e/history/test_history.py",
    "e2e/runs/test_run.py",
    "e2e/check/test_mutations.py",
    "e2e/check/test_check.py",
    "e2e/interrupted/test_disk_full.py",
    "image/test_bootstrap.py",
    "e2e/history/test_push.py",
    "e2e/history/test_story.py",
    "index/test_update.py",
    "e2e/interrupted/test_engine_restarted.py",
    "index/test_public_projects.py",
    "ledger/test_mlflow.py",
    "e2e/test_spine.py",
    "e2e/build/test_git.py",
)
"""The files of tests that take longest, the longest first."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs so; commands that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if (measured := Coverage.current()) is not None:
    measured.switch_context("tests")  # not in the processes that they start, which load no conftest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: none of them is left for one worker at the end."""

    def rank(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((n for n, end in enumerate(LONGEST) if path.endswith(end)), len(LONGEST))

    items.sort(key=rank)


def pytest_sessionfinish() -> None:
    """Save what was measured now: a worker that takes long to end is killed by xdist."""
    if measured is not None:
        measured.save()
