"""Parts of an earlier Freezer, as its locks name them: this one asks and reads them as its own.

``tests/data/insides`` has one for each interface, the earliest. None is ever taken away or changed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from freezer.check.compare.compare import compare
from freezer.check.smoke import run_smoke
from freezer.engine.interface import Engine, RunOptions, RunResult
from freezer.fetch.store.store import Store
from freezer.flows.project.image_runtime import installed_runtime
from freezer.image.layers.bytecode import bytecode_chunks
from freezer.image.layout import ENVIRONMENT, FREEZER
from freezer.image.runtime import runtime_files
from freezer.image.tar.canonical import Entry
from freezer.image.tar.scan import scan
from freezer.image.verify import Expected, take_account
from freezer.image.wheel.chunks import data_chunk
from freezer.model.canonical import digest
from freezer.model.events import SilentReporter
from freezer.model.image_runtime import UNDERSTOOD
from freezer.model.lock import ImageRuntime, Lock, SmokePlan
from tests.support.project.locks import make_lock

PARTS = sorted(Path(__file__).parents[2].joinpath("data", "insides").iterdir())
MODULE = "opt/env/lib/python3.11/site-packages/one.py"
TRAINING = """
from freezer_inside import seed_everything
from freezer_inside.record import Recorder

seed_everything()
recorder = Recorder()
recorder.version("own", "1")
recorder.setting("seed", 1)
recorder.data("train", b"data")
for step in range(3):
    recorder.loss(step, 1 / (step + 1))
recorder.tensor("weights", [0.25 * n for n in range(300)], step=2)
recorder.timing("all", 0.1)
recorder.end()
"""


class Container:
    """An engine that runs an image's programs right here, from a folder that is its root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(
        self,
        image: str,
        command: Sequence[str],
        options: RunOptions,
        *,
        on_stdout: Callable[[bytes], None] = lambda _: None,
        files: Path | None = None,
        fetch: Mapping[str, Path] | None = None,
    ) -> RunResult:
        if files is not None:
            with tarfile.open(files) as archive:
                archive.extractall(self.root, filter="data")
        here = [word.replace("/opt/", f"{self.root}/opt/") for word in command[1:]]
        path = {"PYTHONPATH": f"{self.root}{FREEZER}"} if "-m" in here else {}
        done = subprocess.run(
            [sys.executable, *here], capture_output=True, check=False, cwd=self.root,
            env={**os.environ, **options.environment, **path},
        )  # fmt: skip
        for line in done.stdout.splitlines():
            on_stdout(line)
        for inner, target in (fetch or {}).items():
            with tarfile.open(target, "w") as archive:
                archive.add(f"{self.root}{inner}", Path(inner).name)
        return RunResult(done.returncode, done.stdout, done.stderr, False, False, 0.0)


@pytest.fixture(params=[*PARTS, None], ids=lambda path: path.name[:12] if path else "this")
def lock(request: pytest.FixtureRequest, tmp_path: Path, store: Store) -> Lock:
    """Return a lock that names a part, which the store has."""
    part = installed_runtime()
    if request.param is not None:
        part = ImageRuntime(version="1", sha256=store.put_bytes(request.param.read_bytes()))
        assert part.sha256 == request.param.name
    train = tmp_path / "train.py"
    train.write_text(TRAINING)
    command = (sys.executable, str(train))
    plan = SmokePlan(command=command, seed=1, cpus=1, memory="1g", timeout=60)
    return make_lock(inside=part, smoke=plan)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def engine(lock: Lock, store: Store, tmp_path: Path) -> Engine:
    root = tmp_path / "root"
    for path, data in runtime_files(lock, store).items():
        target = root / FREEZER.strip("/") / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return cast("Engine", Container(root))


@pytest.mark.process
def test_its_compiler_is_given_modules_and_gives_byte_code(
    lock: Lock, store: Store, engine: Engine
) -> None:
    text = b"one = 1\n"
    source = data_chunk("one", {MODULE: (Entry(MODULE, "file", 0o644, len(text)), text)}, 1, store)
    (made,) = bytecode_chunks(
        lock, [source], lambda: "image", engine=engine, store=store, report=SilentReporter()
    )
    with store.verified(made.sha256).open("rb") as stream:
        (member,) = scan(stream)
    assert Path(member.path).name == "one.cpython-311.pyc"


@pytest.mark.process
def test_it_accounts_for_what_is_there(engine: Engine, tmp_path: Path) -> None:
    found = tmp_path / "root" / ENVIRONMENT.strip("/") / "found.txt"
    found.parent.mkdir(parents=True)
    found.write_text("found")
    other = found.with_name("other.txt")
    other.write_text("other")
    size, mode = other.stat().st_size, other.stat().st_mode & 0o7777
    expected = {str(other): Expected("file", "", mode, size)}
    part = {str(path) for path in (tmp_path / "root" / FREEZER.strip("/")).rglob("*.py")}
    account = take_account(
        engine, "image", hashed={str(found), *part}, expected=expected, dpkg=False
    )
    assert account.rest
    assert account.files[str(found)][:2] == ("file", digest(b"found"))
    assert account.dpkg_verify is None
    assert "other.txt" not in "".join(account.files)


@pytest.mark.process
def test_its_record_is_read_to_the_bit(lock: Lock, engine: Engine) -> None:
    first, second = (
        run_smoke(
            lock, "1" * 64, f"sha256:{'2' * 64}",
            engine=engine, report=SilentReporter(), title="Training",
        )
        for _ in range(2)
    )  # fmt: skip
    (own,) = first.trainings
    assert own.failure is None
    assert [one.kind for one in own.observations[-4:]] == ["loss", "loss", "loss", "tensor"]
    assert first.inside == lock.inside.sha256
    assert compare(first, second).good


def test_there_is_one_of_each_interface() -> None:
    assert len(PARTS) == len(UNDERSTOOD)
