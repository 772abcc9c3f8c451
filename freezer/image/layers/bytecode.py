"""Bytecode: compiled by the image's own Python, once for each package, stored as a chunk.

Without it every program start in a read-only image compiles all modules that it imports (27 s
instead of 10 for PyTorch). The compiler runs in a container; its output is untrusted and must be
bytecode of the input files.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freezer.engine.interface import RunOptions
from freezer.errors import BuildError, EngineError, IntegrityError
from freezer.image.layout import in_test_suite
from freezer.image.runtime import runtime_files
from freezer.image.tar.canonical import END, Entry, clean_path, header, padding, write_entry
from freezer.image.tar.scan import Member, scan
from freezer.image.wheel.chunks import Chunk, recall, remember
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from freezer.engine.interface import Engine, RunResult
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock

_MEMO = "bytecode"
_SAME = "compiled-modules"
_FORMAT = 2
"""Format number; increment when the same chunk would give other bytecode."""
_ROOT = "opt/freezer-compile"
_SCRIPT = "freezer_inside/bytecode.py"
BATCH = 64
"""Files that one child compiles: enough to amortise the fork, few enough to distribute."""
_OPTIONS = RunOptions(
    read_only=False,
    user="0:0",
    timeout=3600,
    environment={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
)


@dataclass(frozen=True)
class Batch:
    """Files of one package that one process compiles, in order."""

    chunk: Chunk
    members: list[Member]


def bytecode_chunks(
    lock: Lock,
    chunks: Sequence[Chunk],
    image: Callable[[], str],
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
) -> list[Chunk]:
    """Return a bytecode chunk for each chunk, in order; missing ones are compiled.

    ``image`` returns, when something has to be compiled, the ID of an image with the lock's Python:
    the base with its Debian packages, and for conda at least Python's own packages. Raises
    ``BuildError`` when the compiler fails, ``IntegrityError`` when its output is not bytecode.
    """
    keys = [_key(lock, chunk, store) for chunk in chunks]
    known = [
        _apart(recall(store, _MEMO, k), one, store) for k, one in zip(keys, chunks, strict=True)
    ]
    missing = [chunk for chunk, found in zip(chunks, known, strict=True) if found is None]
    minor = lock.target.python.minor
    sources = [chunk for chunk in missing if _has_modules(chunk, minor, store)]
    made = [
        _chunk(chunk, _key(lock, chunk, store), {}, store)
        for chunk in missing
        if chunk not in sources
    ]
    known_modules = {chunk.key: _of_same_modules(lock, chunk, store) for chunk in sources}
    made += [chunk for chunk in known_modules.values() if chunk is not None]
    sources = [chunk for chunk in sources if known_modules[chunk.key] is None]
    if sources:
        with report.task(f"Compiling {len(sources)} packages to byte code"):
            compiled = list(_compile(lock, sources, image, engine, store))
        for source, chunk in zip(sources, compiled, strict=True):
            store.put_memo(_SAME, _modules_key(lock, source, store), vars(chunk))
        made += compiled
    for chunk in made:
        remember(store, _MEMO, chunk)
    return [_require_stored(recall(store, _MEMO, key)) for key in keys]


def _key(lock: Lock, chunk: Chunk, store: Store) -> str:
    return digest(json_bytes([_FORMAT, chunk.key, *_compiler(lock, store)]))


def _modules_key(lock: Lock, chunk: Chunk, store: Store) -> str:
    """Return a digest of a package's modules, and of the byte code that it has itself.

    A wheel that somebody requires, or that is newer than the lock's cut-off, is another chunk than
    the same wheel elsewhere, but its modules compile to the same.
    """
    minor, facts = lock.target.python.minor, chunk.expected(store)
    modules = [
        [path, fact.content]
        for path, fact in sorted(facts.items())
        if fact.kind == "file" and _is_module(path, minor)
    ]
    own = sorted(path for path in facts if path.endswith(".pyc"))
    return digest(json_bytes([_FORMAT, modules, own, *_compiler(lock, store)]))


def _of_same_modules(lock: Lock, chunk: Chunk, store: Store) -> Chunk | None:
    """Return the byte code of a package whose modules were compiled before, or None."""
    key = _modules_key(lock, chunk, store)
    known = _apart(recall(store, _SAME, key), chunk, store)
    if known is None:
        return None
    with store.verified(known.sha256).open("rb") as stream:
        files = {}
        for member in list(scan(stream)):
            stream.seek(member.offset)
            files[member.path] = stream.read(member.size)
    return _chunk(chunk, _key(lock, chunk, store), files, store)


def _compiler(lock: Lock, store: Store) -> list[str]:
    """Return what else decides what modules compile to: the Python and the script."""
    script = hashlib.sha256(runtime_files(lock, store)[_SCRIPT]).hexdigest()
    # A conda environment is compiled by its own Python, others by the base's.
    builds = [package.sha256 for package in lock.conda if package.name == "python"]
    return [lock.target.python.version, script, *builds]


def _compile(
    lock: Lock,
    chunks: Sequence[Chunk],
    image: Callable[[], str],
    engine: Engine,
    store: Store,
) -> list[Chunk]:
    plan = [batch for chunk in chunks for batch in _batches(chunk, lock.target.python.minor, store)]
    with store.scratch() as scratch:
        upload, result = scratch / "source.tar", scratch / "bytecode.tar"
        _write_upload(plan, runtime_files(lock, store)[_SCRIPT], upload, store)
        command = [lock.target.python.executable, "-I", "-S", "-B", f"/{_ROOT}/bytecode.py"]

        def attempt(used: str) -> RunResult:
            fetch = {f"/{_ROOT}/out": result}
            return engine.run(used, [*command, f"/{_ROOT}"], _OPTIONS, files=upload, fetch=fetch)

        used = image()
        try:
            done = attempt(used)
        except EngineError:
            if engine.image(used) is not None:
                raise
            done = attempt(image())  # that image was removed in between
        if done.exit_code != 0:
            raise BuildError(
                "the image's Python could not compile the packages",
                details=done.stderr.decode("utf-8", "replace").strip().splitlines()[-10:],
                hint="check that 'python' in freeze.yaml and the base belong together",
            )
        return list(_adopt(lock, chunks, plan, result, store))


def _batches(chunk: Chunk, minor: str, store: Store) -> Iterator[Batch]:
    """Yield the files of a chunk in batches, each folder before its subfolders."""
    with store.verified(chunk.sha256).open("rb") as stream:
        members = [member for member in scan(stream) if _is_source(member, minor)]
    members.sort(key=_walked)
    for first in range(0, len(members), BATCH):
        yield Batch(chunk, members[first : first + BATCH])


def _is_source(member: Member, minor: str) -> bool:
    return member.kind == "file" and _is_module(member.path, minor)


def _walked(member: Member) -> list[tuple[bool, str]]:
    *folders, name = member.path.split("/")
    return [*((True, folder) for folder in folders), (False, name)]


def _write_upload(plan: Sequence[Batch], script: bytes, target: Path, store: Store) -> None:
    """Write the compiler, its plan, and all sources one after another."""
    listed = json.dumps([[[f"/{m.path}", m.size] for m in batch.members] for batch in plan])
    with target.open("wb") as out:
        write_entry(out, Entry(_ROOT, "dir", 0o755), None, 0)
        for name, data in (
            ("bytecode.py", script),
            ("plan.json", listed.encode()),
        ):
            write_entry(
                out, Entry(f"{_ROOT}/{name}", "file", 0o644, len(data)), io.BytesIO(data), 0
            )
        total = sum(member.size for batch in plan for member in batch.members)
        out.write(header(Entry(f"{_ROOT}/sources", "file", 0o644, total), 0))
        for batch in plan:
            with store.path(batch.chunk.sha256).open("rb") as stream:
                for member in batch.members:
                    stream.seek(member.offset)
                    out.write(stream.read(member.size))
        out.write(padding(total) + END)


def _has_modules(chunk: Chunk, minor: str, store: Store) -> bool:
    """Return whether there is anything to compile; most conda packages are libraries."""
    facts = chunk.expected(store).items()
    return any(fact.kind == "file" and _is_module(path, minor) for path, fact in facts)


def _is_module(path: str, minor: str) -> bool:
    """Return whether a path is a module to compile.

    Python itself, when it is a package, has its library outside of ``site-packages``.
    """
    folders = ("/site-packages/", f"/lib/python{minor}/")
    is_module = path.endswith(".py") and any(part in path for part in folders)
    return is_module and not in_test_suite(path)


def _adopt(
    lock: Lock, chunks: Sequence[Chunk], plan: Sequence[Batch], result: Path, store: Store
) -> Iterator[Chunk]:
    """Make chunks of the compiler's output, after checking that it is complete."""
    tag = f"cpython-{lock.target.python.abi.removeprefix('cp')}"
    with tarfile.open(result, mode="r:") as archive:
        results = {clean_path(member.name): member for member in archive if member.isreg()}
        if results.keys() != {f"out/{number:05}" for number in range(len(plan))}:
            raise IntegrityError("the compiler returned another result than requested")
        for chunk in chunks:
            files: dict[str, bytes] = {}
            for number, batch in enumerate(plan):
                if batch.chunk is chunk:
                    output = archive.extractfile(results[f"out/{number:05}"])
                    files |= _compiled(batch, tag, output.read() if output is not None else b"")
            yield _chunk(chunk, _key(lock, chunk, store), files, store)


def _compiled(batch: Batch, tag: str, result: bytes) -> dict[str, bytes]:
    """Return the bytecode of a batch by path; a file that does not compile has none."""
    found, at = {}, 0
    for member in batch.members:
        length = int.from_bytes(result[at : at + 8], "little", signed=True)
        data = result[at + 8 : at + 8 + max(length, 0)]
        at += 8 + max(length, 0)
        if at > len(result) or (length >= 0 and (length < 16 or data[4:8] != b"\x01\0\0\0")):
            raise IntegrityError(
                f"{member.path}: the compiler returned something other than bytecode"
            )
        if length >= 0:
            found[_target(member.path, tag)] = data
    if at != len(result):
        raise IntegrityError("the compiler returned more than requested")
    return found


def _target(path: str, tag: str) -> str:
    """Return ``a/__pycache__/b.cpython-311.pyc`` of ``a/b.py``."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.{tag}.pyc"


def _chunk(source: Chunk, key: str, files: Mapping[str, bytes], store: Store) -> Chunk:
    index: dict[str, list[Any]] = {}
    own = source.expected(store).keys()  # some wheels contain bytecode of their own, which is kept
    with store.writer() as writer:
        for path in sorted((one for one in files if f"/{one}" not in own), key=str.encode):
            data = files[path]
            entry = Entry(path, "file", 0o644, len(data))
            write_entry(writer, entry, io.BytesIO(data), source.moment)
            index[f"/{path}"] = ["file", hashlib.sha256(data).hexdigest(), 0o644, len(data)]
    listed = store.put_bytes(json.dumps(index, sort_keys=True).encode())
    name = f"{source.name}, byte code"
    return Chunk(name, key, writer.sha256, writer.size, listed, source.moment)


def _apart(compiled: Chunk | None, source: Chunk, store: Store) -> Chunk | None:
    """Return the chunk unless a file of it is in its source too: paths are unique in a layer."""
    if compiled is None or compiled.expected(store).keys() & source.expected(store).keys():
        return None
    return compiled


def _require_stored(chunk: Chunk | None) -> Chunk:
    if chunk is None:
        raise BuildError("bytecode vanished from the store while it was used", hint="try again")
    return chunk
