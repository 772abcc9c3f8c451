"""Byte code as pieces of layers: what the compiler is given, and what is believed of its answer."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from freezer.engine.interface import Engine, RunOptions, RunResult
from freezer.errors import BuildError, IntegrityError
from freezer.fetch.store.store import Store
from freezer.flows.project.image_runtime import installed_runtime
from freezer.image.layers.bytecode import BATCH, bytecode_chunks
from freezer.image.tar.canonical import Entry
from freezer.image.tar.scan import scan
from freezer.image.wheel.chunks import Chunk, data_chunk
from freezer.model.events import SilentReporter
from tests.support.project.locks import make_lock

SITE = "opt/env/lib/python3.11/site-packages"
LOCK = make_lock(inside=installed_runtime())
Change = Callable[[Path], object]


class Compiler:
    """An engine that runs the compiler right here, and may change what it wrote."""

    def __init__(self, folder: Path, change: Change = lambda _: None) -> None:
        self.folder, self.change = folder, change
        self.runs = 0
        self.given: list[str] = []

    def run(
        self,
        image: str,
        command: Sequence[str],
        options: RunOptions,
        *,
        files: Path,
        fetch: Mapping[str, Path],
    ) -> RunResult:
        self.runs += 1
        shutil.rmtree(self.folder, ignore_errors=True)  # each container is a new one
        with tarfile.open(files) as archive:
            self.given = archive.getnames()
            archive.extractall(self.folder, filter="data")
        root = self.folder / "opt/freezer-compile"
        script = [sys.executable, *command[1:-2], str(root / "bytecode.py"), str(root)]
        done = subprocess.run(script, capture_output=True, check=False)
        if done.returncode == 0:
            self.change(root / "out")
            for path, target in fetch.items():
                with tarfile.open(target, "w") as archive:
                    archive.add(self.folder / path.strip("/"), Path(path).name)
        return RunResult(done.returncode, done.stdout, done.stderr, False, False, 0.0)


def chunk(store: Store, name: str, files: Mapping[str, str]) -> Chunk:
    members = {
        path: (Entry(path, "file", 0o644, len(text)), text.encode()) for path, text in files.items()
    }
    return data_chunk(name, members, 1_700_000_000, store)


def compiled(store: Store, compiler: Compiler, *chunks: Chunk) -> list[Chunk]:
    engine = cast("Engine", compiler)
    return bytecode_chunks(
        LOCK, chunks, lambda: "image", engine=engine, store=store, report=SilentReporter()
    )


def names(store: Store, made: Chunk) -> list[str]:
    with store.verified(made.sha256).open("rb") as stream:
        return [member.path for member in scan(stream)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.mark.process
def test_each_package_gets_its_own_byte_code_once(store: Store, tmp_path: Path) -> None:
    compiler = Compiler(tmp_path / "engine")
    first = chunk(store, "a", {f"{SITE}/a/{n:03}.py": f"x = {n}" for n in range(BATCH + 1)})
    second = chunk(store, "b", {f"{SITE}/b.py": "y = 1", f"{SITE}/bad.py": "print 1"})
    other = chunk(store, "c", {"opt/env/bin/tool.py": "z = 1", f"{SITE}/c.txt": "c"})
    made = compiled(store, compiler, first, second, other)
    assert len(names(store, made[0])) == BATCH + 1
    tag = f"cpython-{LOCK.target.python.abi.removeprefix('cp')}"
    assert names(store, made[1]) == [f"{SITE}/__pycache__/b.{tag}.pyc"]
    assert names(store, made[2]) == []
    assert set(made[1].expected(store)) == {f"/{SITE}/__pycache__/b.{tag}.pyc"}
    assert len(compiler.given) == 4  # few large files
    assert compiled(store, compiler, first, second, other) == made
    assert compiler.runs == 1


@pytest.mark.process
def test_the_same_modules_in_another_chunk_are_not_compiled_again(
    store: Store, tmp_path: Path
) -> None:
    modules = {f"{SITE}/a/__init__.py": "x = 1", f"{SITE}/a/b.py": "y = 'x'"}
    compiler = Compiler(tmp_path / "engine")
    (first,) = compiled(store, compiler, chunk(store, "a", modules))
    marked = chunk(store, "a", {**modules, f"{SITE}/a-1.dist-info/REQUESTED": ""})
    later = replace(marked, moment=1_800_000_000)
    (second,) = compiled(store, compiler, later)
    assert compiler.runs == 1
    assert second.key != first.key
    assert second.expected(store) == first.expected(store)
    elsewhere = Store.open(tmp_path / "elsewhere")
    for sha256 in (marked.sha256, marked.index):
        elsewhere.put_file(store.path(sha256))
    (afresh,) = compiled(elsewhere, Compiler(tmp_path / "other"), later)
    assert (afresh.sha256, afresh.index) == (second.sha256, second.index)


@pytest.mark.process
@pytest.mark.parametrize(
    "changes",
    [
        {f"{SITE}/a/b.py": "y = 'z'"},
        {f"{SITE}/a/c.py": "y = 'x'"},
        {f"{SITE}/a/__pycache__/b.cpython-311.pyc": "compiled elsewhere"},
    ],
)
def test_other_modules_or_byte_code_of_its_own_are_compiled(
    store: Store, tmp_path: Path, changes: dict[str, str]
) -> None:
    modules = {f"{SITE}/a/__init__.py": "x = 1", f"{SITE}/a/b.py": "y = 'x'"}
    compiler = Compiler(tmp_path / "engine")
    compiled(store, compiler, chunk(store, "a", modules))
    compiled(store, compiler, chunk(store, "a", {**modules, **changes}))
    assert compiler.runs == 2


@pytest.mark.process
def test_byte_code_that_was_changed_in_the_store_is_compiled_again(
    store: Store, tmp_path: Path
) -> None:
    compiler = Compiler(tmp_path / "engine")
    (first,) = compiled(store, compiler, chunk(store, "a", {f"{SITE}/a.py": "x = 1"}))
    path = store.path(first.sha256)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"x", b"y", 1))
    marked = chunk(store, "a", {f"{SITE}/a.py": "x = 1", f"{SITE}/REQUESTED": ""})
    (second,) = compiled(store, compiler, marked)
    assert compiler.runs == 2
    assert second.expected(store) == first.expected(store)


@pytest.mark.process
def test_test_suites_are_left_as_they_are(store: Store, tmp_path: Path) -> None:
    suite = {f"{SITE}/a/tests/test_a.py": "x = 1", f"{SITE}/a/test/conftest.py": "x = 1"}
    used = {f"{SITE}/a/testing.py": "x = 1", f"{SITE}/tests.py": "x = 1"}
    (made,) = compiled(store, Compiler(tmp_path / "engine"), chunk(store, "a", suite | used))
    assert [Path(path).name.split(".")[0] for path in names(store, made)] == ["tests", "testing"]


@pytest.mark.process
def test_what_else_is_compiled_changes_nothing(store: Store, tmp_path: Path) -> None:
    one = chunk(
        store, "one", {f"{SITE}/one.py": "def one(left, right):\n    return left + right\n"}
    )
    two = chunk(store, "two", {f"{SITE}/two.py": "import one\n\nleft = one.one(1, 2)\n"})
    alone = compiled(store, Compiler(tmp_path / "alone"), one)
    elsewhere = Store.open(tmp_path / "elsewhere")
    for piece in (one, two):
        elsewhere.put_file(store.path(piece.sha256))
        elsewhere.put_file(store.path(piece.index))
    beside = compiled(elsewhere, Compiler(tmp_path / "beside"), two, one)
    assert beside[1].sha256 == alone[0].sha256


def cut(out: Path) -> None:
    file = out / "00000"
    file.write_bytes(file.read_bytes()[:-1])


def lengthen(out: Path) -> None:
    with (out / "00000").open("ab") as stream:
        stream.write(b"more")


def make_timestamped(out: Path) -> None:
    data = (out / "00000").read_bytes()
    (out / "00000").write_bytes(data[:12] + bytes(4) + data[16:])


def shorten(out: Path) -> None:
    (out / "00000").write_bytes((3).to_bytes(8, "little") + b"pyc")


@pytest.mark.process
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (cut, "something other than bytecode"),
        (shorten, "something other than bytecode"),
        (make_timestamped, "something other than bytecode"),
        (lengthen, "more than requested"),
        (lambda out: (out / "00000").unlink(), "another result"),
        (lambda out: (out / "99999").write_bytes(b""), "another result"),
        (lambda out: (out / "00000").rename(out / "x"), "another result"),
    ],
    ids=["cut", "short", "by time", "longer", "missing", "another", "renamed"],
)
def test_an_answer_that_is_not_what_was_asked_for_is_refused(
    store: Store, tmp_path: Path, change: Any, said: str
) -> None:
    piece = chunk(store, "a", {f"{SITE}/a.py": "x = 1"})
    with pytest.raises(IntegrityError, match=said):
        compiled(store, Compiler(tmp_path / "engine", change), piece)
    assert len(compiled(store, Compiler(tmp_path / "again"), piece)) == 1


@pytest.mark.process
def test_a_link_is_no_answer(store: Store, tmp_path: Path) -> None:
    def link(out: Path) -> None:
        (out / "00000").unlink()
        (out / "00000").symlink_to("/etc/passwd")

    piece = chunk(store, "a", {f"{SITE}/a.py": "x = 1"})
    with pytest.raises(IntegrityError, match="compiler returned"):
        compiled(store, Compiler(tmp_path / "engine", link), piece)


def test_a_compiler_that_fails_says_why(store: Store, tmp_path: Path) -> None:
    class Broken(Compiler):
        def run(self, *arguments: Any, **options: Any) -> RunResult:
            return RunResult(1, b"", b"Traceback\nMemoryError\n", False, False, 0.0)

    piece = chunk(store, "a", {f"{SITE}/a.py": "x = 1"})
    with pytest.raises(BuildError, match="could not compile") as raised:
        compiled(store, Broken(tmp_path / "engine"), piece)
    assert "MemoryError" in str(raised.value.details)


def test_no_piece_is_read_whole(store: Store) -> None:
    """A member's place is told without its data: 1 GB of libraries lies between few modules."""

    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

    piece = chunk(store, "a", {f"{SITE}/a.so": "x" * 100_000, f"{SITE}/a.py": "x = 1"})
    stream = Counting(store.path(piece.sha256).read_bytes())
    assert len(list(scan(stream))) == 2
    assert stream.taken < 2000
