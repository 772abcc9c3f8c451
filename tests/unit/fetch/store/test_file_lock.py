"""One process at a time holds a lock file, whatever ends the one before it."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from freezer.fetch.store.file_lock import file_lock

HOLD = """
import sys
from pathlib import Path
from freezer.fetch.store.file_lock import file_lock
with file_lock(Path(sys.argv[1]), timeout=0) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


@pytest.mark.process
@pytest.mark.parametrize("how", ["end", "kill"])
def test_another_process_waits_until_it_ends_or_is_killed(tmp_path: Path, how: str) -> None:
    path = tmp_path / "one.lock"
    process = holder(path)
    with file_lock(path, timeout=0) as held:
        assert not held
    with file_lock(path, timeout=0.1) as held:
        assert not held
    if how == "kill":
        process.send_signal(signal.SIGKILL)
    process.communicate("")
    with file_lock(path, timeout=10) as held:
        assert held
    assert path.is_file()


def test_threads_take_turns(tmp_path: Path) -> None:
    path, inside, most = tmp_path / "one.lock", 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with file_lock(path, timeout=30) as held:
            assert held
            with guard:
                inside += 1
                most = max(most, inside)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == 1


@pytest.mark.process
def test_a_child_that_has_the_file_open_does_not_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    read, write = os.pipe()
    with file_lock(path, timeout=0) as held:
        assert held
        child = os.fork()
        if child == 0:
            os.read(read, 1)
            os._exit(0)
    with file_lock(path, timeout=0) as held:
        assert held
    os.write(write, b"x")
    os.waitpid(child, 0)


def test_a_file_system_without_flock_has_a_lock_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise OSError(errno.ENOSYS, "no locks here")

    monkeypatch.setattr(fcntl, "flock", missing)
    path = tmp_path / "one.lock"
    with file_lock(path, timeout=0) as held:
        assert held
        with file_lock(path, timeout=0) as other:
            assert not other
    with file_lock(path, timeout=0) as held:
        assert held


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "one.lock").symlink_to(tmp_path / "target")
    with (
        pytest.raises(OSError, match="Too many levels"),
        file_lock(tmp_path / "one.lock", timeout=0),
    ):
        pass
    assert not (tmp_path / "target").exists()
