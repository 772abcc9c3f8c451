"""What is made ready while a training runs: in time, beside it, and never in its way."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from freezer.flows.support.preload import Later, meanwhile

LATE = (
    "freezer.check.assess", "freezer.flows.check.record", "freezer.check.compare.compare", "freezer.check.gpu",
    "freezer.engine.build.build", "freezer.engine.images.load", "freezer.model.spec.validate", "freezer.output.check.check",
    "freezer.flows.check.check_image", "freezer.fetch.registry.repository", "filelock",
)  # fmt: skip


def test_both_run_at_the_same_time_and_both_come_to_their_end() -> None:
    there, here, done = threading.Event(), threading.Event(), []

    def ready() -> None:
        there.set()
        assert here.wait(60)
        done.append("ready")

    with meanwhile(ready):
        assert there.wait(60)
        here.set()
    assert done == ["ready"]


def test_what_cannot_be_made_ready_is_left_to_whoever_needs_it() -> None:
    with meanwhile(lambda: 1 // 0):
        pass


def test_what_goes_wrong_in_the_block_is_raised_at_once() -> None:
    never = threading.Event()
    with pytest.raises(ValueError, match="no engine"), meanwhile(never.wait):
        raise ValueError("no engine")
    never.set()


def test_what_is_to_be_done_later_is_done_once_it_is_started_or_never() -> None:
    done: list[str] = []
    started, never = Later(lambda: done.append("started")), Later(lambda: done.append("never"))
    started.start()
    for one in (started, never):
        one.join()
    assert done == ["started"]
    failing = Later(lambda: 1 // 0)
    failing.start()
    failing.join()


@pytest.mark.process
def test_a_check_loads_before_its_training_only_what_starts_it() -> None:
    script = """
import sys
import freezer.cli.check.check, freezer.flows.project.image_reference, freezer.flows.check.check, freezer.engine.connect.connect
print(*sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    loaded = set(done.stdout.split())
    assert "freezer.check.smoke" in loaded
    assert not loaded & set(LATE)
