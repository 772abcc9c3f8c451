"""A project of one environment for tests, and the command run on it: here, or as its own process."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from freezer.cli.main import run
from freezer.engine.connect.connect import connect
from freezer.engine.interface import Engine, ImageInfo
from freezer.errors import EngineError
from freezer.model.lock import Lock
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock

LINKED = ("bytecode", "chunk", "compiled-modules", "conda-chunk", "layer", "verified-image")
"""Kinds of memos of what a build made of wheels and conda packages, and of the image."""
MADE = ("system-layer", "steps-layer", *LINKED)
"""The same, and that of what it made in containers."""


@dataclass(frozen=True)
class Outcome:
    """How the command ended, and what it said."""

    code: int
    out: str
    err: str

    def good(self) -> Outcome:
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self

    def failed(self, code: int, *said: str) -> Outcome:
        """Demand an exit code, words in what was said, and that nothing went wild."""
        both = f"{self.out}\n{self.err}"
        assert self.code == code, f"exit code {self.code}, not {code}\n{both}"
        for words in said:
            assert words in both, f"it was not said: {words}\n{both}"
        assert "Traceback" not in self.err
        return self

    @property
    def document(self) -> Any:
        """The one document that ``--json`` leaves on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A folder with a ``freeze.yaml``, and the store that its commands use."""

    folder: Path
    store: Path
    name: str

    @property
    def lock_file(self) -> Path:
        return self.folder / "lockfiles" / self.name / LOCK_FILE

    @property
    def lock(self) -> Lock:
        return parse_lock(self.lock_file.read_bytes(), LOCK_FILE)

    @property
    def lock_id(self) -> str:
        return lock_id(self.lock_file.read_bytes())

    @property
    def references(self) -> list[Path]:
        return sorted(self.lock_file.parent.glob("references/*"))

    def spec(self, **changes: Any) -> None:
        """Write ``freeze.yaml``, or change keys of the one that is there."""
        path = self.folder / "freeze.yaml"
        values = yaml.safe_load(path.read_text()) if path.exists() else {"name": self.name}
        path.write_text(yaml.safe_dump({**values, **changes}, sort_keys=False))

    def copy(self, folder: Path, store: Path | None = None) -> Project:
        shutil.copytree(self.folder, folder)
        return Project(folder, store or self.store, self.name)

    def with_store(self, root: Path, *, without: Sequence[str] = ()) -> Project:
        """Return the same project with a copy of its store, to be changed at will.

        ``without`` names kinds of memos that the copy is to lack.
        """
        # Links keep what the store knows of each file; it replaces files, it never writes to them.
        ignored = shutil.ignore_patterns(*without) if without else None
        shutil.copytree(self.store, root, copy_function=_link, ignore=ignored)
        return Project(self.folder, root, self.name)

    def freeze(self, *arguments: str, **environment: str) -> Outcome:
        """Run the command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {"FREEZER_STORE": str(self.store), **environment}),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run(["-C", str(self.folder), *arguments])
        return Outcome(code, out.getvalue(), err.getvalue())

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command as a process of its own; options as ``spawn`` takes them."""
        command = [sys.executable, "-m", "freezer", "-C", str(self.folder), *arguments]
        return self.spawn(command, **options)

    def spawn(
        self, command: Sequence[str], *, cwd: Path | None = None, umask: int = -1, **more: str
    ) -> subprocess.Popen[str]:
        """Start a program with the project's store, and more environment variables."""
        return subprocess.Popen(
            command,
            env={**os.environ, "FREEZER_STORE": str(self.store), **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            umask=umask,
        )


def other_clock(offset: str) -> dict[str, str]:
    """Return variables that put a process's clock off, such as ``+5y``; none without libfaketime."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    # With a shifted monotonic clock, Python's timed waits would last until then.
    more = {"FAKETIME": offset, "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return {"LD_PRELOAD": str(found[0]), **more} if found else {}


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def outcome(process: subprocess.Popen[str], timeout: float = 200) -> Outcome:
    """Wait for a process that ``start`` returned."""
    with process:
        out, err = process.communicate(timeout=timeout)
    return Outcome(process.returncode, out, err)


def tree(folder: Path) -> Mapping[str, bytes]:
    """Return the files below a folder by their paths in it."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def forget(engine: Engine, image: ImageInfo) -> None:
    """Remove an image and all of its tags, once no container of a command that ended uses it."""
    for left in range(30, -1, -1):
        try:
            _remove_tags(engine, image)
            engine.remove_image(image.id)
            break
        except EngineError as error:
            if "is using" not in str(error) or not left:
                raise
            time.sleep(1)
            sweeper = connect()
            sweeper.remove_dead()
            sweeper.close()
    assert engine.image(image.id) is None


def untag(engine: Engine, image: ImageInfo) -> None:
    """Remove the tags of an image, which the engine keeps: loading it again is quick then."""
    kept = f"freezer-test-kept:{os.getpid()}"
    engine.tag(image.id, *kept.split(":"))
    _remove_tags(engine, image, kept)


def _remove_tags(engine: Engine, image: ImageInfo, *but: str) -> None:
    found = engine.image(image.id)
    for tag in found.tags if found is not None else ():
        if tag not in but:
            engine.remove_image(tag)


_DEADLY = """
import os, sys
from freezer.cli.main import main

place, left, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
del sys.argv[1:4]

def hook(event, arguments):
    global left
    if event == "os.rename" and place in os.fsdecode(arguments[1]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), number)

sys.addaudithook(hook)
main()
"""


def die(
    project: Project, place: str, *arguments: str, nth: int = 1, by: int = signal.SIGKILL
) -> subprocess.Popen[str]:
    """Run the command until the n-th file below a place is about to get its name."""
    own = ["-c", _DEADLY, place, str(nth), str(int(by)), "-C", str(project.folder)]
    return project.spawn([sys.executable, *own, *arguments])
