"""Byte code: compiled by the image's own Python, once for each package, and kept as a chunk.

Without it every start of a program in a read-only image compiles all that it imports (PyTorch took
27 s instead of 10). The compiler runs in a container; what comes out of it is not trusted further
than to be the byte code of files that went in.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from freezer.engine.interface import RunOptions
from freezer.errors import BuildError, EngineError, IntegrityError
from freezer.image.chunks import Chunk, recall, remember
from freezer.image.tar import Entry, clean_path, write_entry
from freezer.inside import inside_files
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from freezer.engine.interface import Engine, RunResult
    from freezer.fetch.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock

_MEMO = "bytecode"
_ROOT = "opt/freezer-compile"
_SCRIPT = "freezer_inside/bytecode.py"
_OPTIONS = RunOptions(
    read_only=False,
    user="0:0",
    timeout=3600,
    environment={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
)


def bytecode_chunks(
    lock: Lock,
    chunks: Sequence[Chunk],
    image: Callable[[], str],
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
) -> list[Chunk]:
    """Return a byte-code chunk for each chunk, in their order; compile those that are missing.

    ``image`` gives, where something is to be compiled, the ID of an image that holds the lock's
    Python: the base with its Debian packages, and of a conda environment at least Python's own
    part. Raises ``BuildError`` when the compiler fails, ``IntegrityError`` when it returns anything
    but byte code.
    """
    keys = [_key(lock, chunk) for chunk in chunks]
    known = [
        _apart(recall(store, _MEMO, k), one, store) for k, one in zip(keys, chunks, strict=True)
    ]
    missing = [chunk for chunk, found in zip(chunks, known, strict=True) if found is None]
    minor = lock.target.python.minor
    sources = [chunk for chunk in missing if _has_modules(chunk, minor, store)]
    made = [
        _chunk(chunk, _key(lock, chunk), {}, store) for chunk in missing if chunk not in sources
    ]
    if sources:
        with report.task(f"Compiling {len(sources)} packages to byte code"):
            made += _compile(lock, sources, image, engine, store)
    for chunk in made:
        remember(store, _MEMO, chunk)
    return [_demand(recall(store, _MEMO, key)) for key in keys]


def _key(lock: Lock, chunk: Chunk) -> str:
    script = hashlib.sha256(inside_files()[_SCRIPT]).hexdigest()
    # The compiler of a conda environment is one build of Python; of others, the base's.
    builds = [package.sha256 for package in lock.conda if package.name == "python"]
    return digest(json_bytes([chunk.key, lock.target.python.version, script, *builds]))


def _compile(
    lock: Lock,
    chunks: Sequence[Chunk],
    image: Callable[[], str],
    engine: Engine,
    store: Store,
) -> list[Chunk]:
    with store.scratch() as scratch:
        upload, result = scratch / "source.tar", scratch / "bytecode.tar"
        sources = _write_upload(chunks, upload, lock.target.python.minor, store)
        root = f"/{_ROOT}"
        python = [lock.target.python.executable, "-I", "-S", "-B"]
        command = [*python, f"{root}/bytecode.py", f"{root}/source", f"{root}/out"]

        def attempt(used: str) -> RunResult:
            return engine.run(used, command, _OPTIONS, files=upload, fetch={f"{root}/out": result})

        used = image()
        try:
            done = attempt(used)
        except EngineError:
            if engine.image(used) is not None:
                raise
            done = attempt(image())  # somebody removed that one meanwhile
        if done.exit_code != 0:
            raise BuildError(
                "the image's Python could not compile the packages",
                details=done.stderr.decode("utf-8", "replace").strip().splitlines()[-10:],
                hint="check that 'python' in freeze.yaml and the base belong together",
            )
        return _adopt(lock, chunks, result, sources, store)


def _write_upload(
    chunks: Sequence[Chunk], target: Path, minor: str, store: Store
) -> list[frozenset[str]]:
    """Write the compiler and every Python file; return the paths that each chunk gave."""
    script = inside_files()[_SCRIPT]
    given = []
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, f"{_ROOT}/bytecode.py", script)
        folder = tarfile.TarInfo(f"{_ROOT}/out")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)
        for number, chunk in enumerate(chunks):
            paths = set()
            for path, data in _python_files(chunk, minor, store):
                _add(archive, f"{_ROOT}/source/{number:05}/{path}", data)
                paths.add(path)
            if not paths:
                continue
            given.append((number, frozenset(paths)))
    found = dict(given)
    return [found.get(number, frozenset()) for number in range(len(chunks))]


def _has_modules(chunk: Chunk, minor: str, store: Store) -> bool:
    """Say whether there is anything to compile: of conda, most packages are libraries."""
    facts = chunk.expected(store).items()
    return any(fact.kind == "file" and _is_module(path, minor) for path, fact in facts)


def _is_module(path: str, minor: str) -> bool:
    """Say whether a path is a module's; Python, where it comes as a package, has its library."""
    folders = ("/site-packages/", f"/lib/python{minor}/")
    return path.endswith(".py") and any(part in path for part in folders)


def _python_files(chunk: Chunk, minor: str, store: Store) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(store.verified(chunk.sha256), mode="r:") as archive:
        for member in archive:
            name = member.name
            if member.isreg() and _is_module(name, minor):
                stream = archive.extractfile(member)
                yield name, stream.read() if stream is not None else b""


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def _adopt(
    lock: Lock,
    chunks: Sequence[Chunk],
    result: Path,
    sources: Sequence[frozenset[str]],
    store: Store,
) -> list[Chunk]:
    """Make chunks of what the compiler returned, after checking that it is what was asked for."""
    tag = f"cpython-{lock.target.python.abi.removeprefix('cp')}"
    found: list[dict[str, bytes]] = [{} for _ in chunks]
    with tarfile.open(result, mode="r:") as archive:
        for member in archive:
            if member.isdir():
                continue
            number, path = _owner(member.name)
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None or number >= len(chunks) or _source(path, tag) not in sources[number]:
                raise IntegrityError(f"the compiler returned something else: {member.name}")
            data = stream.read()
            if len(data) < 16 or data[4:8] != b"\x01\0\0\0":
                raise IntegrityError(f"{path} is not byte code that is valid by hash")
            found[number][path] = data
    return [
        _chunk(chunk, _key(lock, chunk), files, store)
        for chunk, files in zip(chunks, found, strict=True)
    ]


def _owner(name: str) -> tuple[int, str]:
    _, _, rest = clean_path(name).partition("/")
    number, _, path = rest.partition("/")
    if not number.isdigit() or not path:
        raise IntegrityError(f"the compiler returned something else: {name}")
    return int(number), path


def _source(path: str, tag: str) -> str:
    """Return ``a/b.py`` of ``a/__pycache__/b.cpython-311.pyc``; empty when it is no such path."""
    folder, _, name = path.rpartition("/")
    suffix = f".{tag}.pyc"
    if not folder.endswith("/__pycache__") or not name.endswith(suffix):
        return ""
    return f"{folder.removesuffix('__pycache__')}{name.removesuffix(suffix)}.py"


def _chunk(source: Chunk, key: str, files: Mapping[str, bytes], store: Store) -> Chunk:
    index: dict[str, list[Any]] = {}
    own = source.expected(store).keys()  # some wheels bring byte code, and answer for it
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
    """Return a chunk if no file of it is in its source as well: a layer holds each path once."""
    if compiled is None or compiled.expected(store).keys() & source.expected(store).keys():
        return None
    return compiled


def _demand(chunk: Chunk | None) -> Chunk:
    if chunk is None:
        raise BuildError("byte code vanished from the store while it was used", hint="try again")
    return chunk
