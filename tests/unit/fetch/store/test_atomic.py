"""Files that are written whole or not at all, and what a killed process leaves of them."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.errors import HostError
from freezer.fetch.store.atomic import disk_errors, replacing, store_errors, sweep, write_atomically

_WRITER = """
import os, signal, sys
from pathlib import Path
from freezer.fetch.store.atomic import replacing

with replacing(Path(sys.argv[1])) as stream:
    stream.write(b"half")
    stream.flush()
    print("writing", flush=True)
    sys.stdin.readline()
"""


def writer(path: Path) -> subprocess.Popen[str]:
    """Start a process that is in the middle of writing a file."""
    made = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert made.stdout is not None
    assert made.stdout.readline() == "writing\n"
    return made


def killed(path: Path) -> None:
    made = writer(path)
    made.kill()
    made.communicate()
    assert made.returncode == -signal.SIGKILL
    assert any(one.name.startswith(f".{path.name}.") for one in path.parent.iterdir())


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_atomically(path, b"old")
    with replacing(path) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path) as stream:
        stream.write("half")  # type: ignore[arg-type]
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"image.tar": b"old"}


def test_the_umask_decides_on_the_mode(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "x", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@pytest.mark.process
def test_the_next_run_sweeps_what_a_killed_one_left(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    killed(path)
    write_atomically(path, b"whole")
    assert [one.name for one in tmp_path.iterdir()] == ["image.tar"]


@pytest.mark.process
def test_a_file_that_is_being_written_is_not_swept(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    other = writer(path)
    write_atomically(path, b"mine")
    other.communicate("go on\n")
    assert other.returncode == 0
    assert path.read_bytes() == b"half"
    assert [one.name for one in tmp_path.iterdir()] == ["image.tar"]


@pytest.mark.process
def test_only_abandoned_files_of_the_name_are_swept(tmp_path: Path) -> None:
    killed(tmp_path / "a.tar")
    killed(tmp_path / "b[1].tar")
    kept = [".a.tar.20261101", ".a.tar.backup.part", "a.tar.01234567.part", ".a.tar.part"]
    for name in kept:
        (tmp_path / name).write_bytes(b"a user's own")
    (tmp_path / ".a.tar.01234567.part").symlink_to("elsewhere")
    (tmp_path / ".a.tar.89abcdef.part").mkdir()
    sweep(tmp_path, "a.tar")
    left = {one.name for one in tmp_path.iterdir()}
    assert set(kept) <= left
    assert len(left) == len(kept) + 3  # the link, the folder, and what b[1].tar left
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(kept) + 2
    sweep(tmp_path / "missing")


def test_the_form_of_earlier_versions_is_swept_too(tmp_path: Path) -> None:
    (tmp_path / ".image.tar.12345.part").write_bytes(b"half")
    write_atomically(tmp_path / "image.tar", b"whole")
    assert [one.name for one in tmp_path.iterdir()] == ["image.tar"]


CAUSES = [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS]


@pytest.mark.parametrize("number", CAUSES)
@pytest.mark.parametrize("in_store", [True, False])
def test_what_a_disk_refuses_is_named(tmp_path: Path, number: int, in_store: bool) -> None:
    guard = store_errors if in_store else disk_errors
    with pytest.raises(HostError) as caught, guard(tmp_path):
        raise OSError(number, os.strerror(number), str(tmp_path / ".lock.0a0b0c0d.part"))
    full = number in (errno.ENOSPC, errno.EDQUOT)
    said = f"no space left on the disk of {tmp_path}" if full else f"{tmp_path} is not writable"
    assert caught.value.what == said, "the folder, not a temporary name in it"
    assert ("FREEZER_STORE" in (caught.value.hint or "")) is in_store, "only the store can be moved"


def test_a_file_that_may_not_be_replaced_is_named_itself(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.touch()
    with pytest.raises(HostError, match=r"page\.html is not writable"), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", str(file))


def test_another_owner_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    with pytest.raises(HostError) as caught, disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))
    assert f"belongs to user {tmp_path.stat().st_uid}, and you are 4242" in str(caught.value)


@pytest.mark.process
def test_a_device_and_an_open_file_are_written_to_never_replaced(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write_atomically(link, b"data")
    assert link.is_symlink()
    assert stat.S_ISCHR(link.stat().st_mode)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        write_atomically(Path(f"/dev/fd/{writing}"), b"data")
        os.close(writing)
        assert stream.read() == b"data"
    command = "import pathlib, freezer.fetch.store.atomic as a; "
    command += "a.write_atomically(pathlib.Path('/dev/stdout'), b'data')"
    with (tmp_path / "out").open("wb") as out:
        for target in (subprocess.PIPE, out):
            done = subprocess.run([sys.executable, "-c", command], stdout=target, check=True)
            assert done.stdout in (b"data", None)
    assert (tmp_path / "out").read_bytes() == b"data"
    assert Path("/dev/stdout").is_symlink()


def test_a_full_device_is_an_error() -> None:
    with pytest.raises(HostError, match="no space left"), disk_errors(Path("/dev")):
        write_atomically(Path("/dev/full"), b"data")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_pipe_of_that_name_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(HostError, match="no regular file"):
        write_atomically(tmp_path / "pipe", b"data")
