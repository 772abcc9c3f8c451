"""A container's owner is gone only where that can be seen."""

import os
import subprocess
import sys

import pytest

from freezer.engine.run.owner import is_gone, owner
from freezer.engine.run.process import place

pytestmark = pytest.mark.skipif(not place(), reason="owners are known by /proc, which is Linux's")


def test_a_living_owner_is_not_gone() -> None:
    assert not is_gone(owner())


@pytest.mark.process
def test_a_dead_one_is_also_before_its_parent_has_waited_for_it() -> None:
    code = "from freezer.engine.run.owner import owner; print(owner(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        label = child.stdout.readline().strip()
        assert label.split(":")[1] == str(child.pid)
        assert not is_gone(label)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(label)


def test_a_process_id_that_was_given_again_is_another_owner() -> None:
    here, pid, began = owner().split(":")
    assert is_gone(f"{here}:{pid}:{int(began) - 1}")


@pytest.mark.parametrize(
    "label", ["", "1", ":1:1", f"{'0' * 16}:999999999:1", f"{place()}:x:1", f"{place()}:1:"]
)
def test_what_cannot_be_seen_from_here_is_left_alone(label: str) -> None:
    assert not is_gone(label)
