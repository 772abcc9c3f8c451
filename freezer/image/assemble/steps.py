"""The user's own steps: a layer above all packages, made by a builder, in canonical form.

Files that a step adds to the environment become part of the image's expected contents. A step may
not change or remove locked files: what is installed is what is locked.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from freezer.engine.interface import LayerFile
from freezer.errors import BuildError, HostError, IntegrityError, LockError
from freezer.image.build_container import working_image
from freezer.image.clock import EARLIEST
from freezer.image.debian.system import folders_of
from freezer.image.dockerfile import render_steps_dockerfile, render_steps_script
from freezer.image.layers.order import Layer, write_layer
from freezer.image.layers.skeleton import venv_chunk
from freezer.image.layout import BASE_REPOSITORY, ENVIRONMENT, FREEZER, STEPS_FOLDER
from freezer.image.tar.canonical import DEBIAN_NOISE, OPAQUE, Entry, canonicalise, parents
from freezer.image.wheel.chunks import Chunk, fact, recall, remember
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from freezer.engine.interface import Engine
    from freezer.fetch.store.store import Store
    from freezer.image.verify import Expected
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock, Steps

TITLE = "The spec's own steps"
_MEMO = "steps-layer"
_FORMAT = 1
"""Format number; increment when the same steps on the same layers would give another layer."""
_WHITEOUT = ".wh."
_DISPLAYED = 20
_COPY = 1 << 20
_DISTRIBUTION = re.compile(
    rf"{ENVIRONMENT}/.*/site-packages/([^/-]+)(-[^/]+)?\.(dist|egg)-info(/METADATA|/PKG-INFO)?"
)


def steps_layer(
    lock: Lock,
    below: Sequence[Layer],
    expected: Mapping[str, Expected],
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
    use_cache: bool = True,
) -> tuple[Layer, Chunk] | None:
    """Return the layer of a lock's own steps with its chunk; None when it has no steps.

    ``below`` are the layers between the base and it; ``expected`` is what they and the
    environment's own files contain. Raises ``BuildError`` when a step fails or changes what is
    locked.
    """
    if lock.steps is None:
        return None
    layers = [*below, *environment_layer(lock, store)]
    key = _key(lock, lock.steps, layers)
    chunk = recall(store, _MEMO, key)
    if chunk is None:
        count = len(lock.steps.run)
        with report.task(f"Running {count} step{'s' if count > 1 else ''} of the spec"):
            sha256, size = _build(lock, lock.steps, layers, engine, store, report, use_cache)
            index = _index(store.path(sha256), expected)
            listed = store.put_bytes(json_bytes(index))
            chunk = remember(store, _MEMO, Chunk(TITLE, key, sha256, size, listed))
    file = LayerFile(f"sha256:{chunk.sha256}", store.verified(chunk.sha256))
    return Layer(file, TITLE, chunk.size, (chunk.index,)), chunk


def environment_layer(lock: Lock, store: Store) -> list[Layer]:
    """Return the layer of a venv's own files, on which steps run; no image contains it.

    The image has these files in the layer above the steps, with all that changes with every lock.
    """
    if lock.conda:
        return []
    chunk = venv_chunk(lock, store)
    return [write_layer(chunk.name, [chunk], store)]


def write_steps_folder(steps: Steps, folder: Path, store: Store) -> None:
    """Write the steps' files and their script into a context's ``steps`` folder.

    Raises ``LockError`` when a file is not the locked one any more.
    """
    (folder / "files").mkdir(parents=True)
    for file in steps.files:
        target = folder / "files" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_locked_file(file.path, file.sha256, store), target)
        target.chmod(0o755 if file.executable else 0o644)
    (folder / "run.sh").write_text(render_steps_script(steps))


def distributions(chunk: Chunk, store: Store) -> frozenset[str]:
    """Return the normalised names of the Python distributions that steps installed."""
    found = (_DISTRIBUTION.fullmatch(path) for path in chunk.expected(store))
    return frozenset(canonicalize_name(match[1]) for match in found if match)


def _locked_file(path: str, sha256: str, store: Store) -> Path:
    try:
        return store.verified(sha256)
    except (HostError, IntegrityError):
        raise LockError(
            f"{path}, a file of the spec's own steps, has changed since it was locked",
            expected=f"sha256 {sha256}",
            hint="restore it next to the spec, or run `freeze lock`",
        ) from None


def _key(lock: Lock, steps: Steps, layers: Sequence[Layer]) -> str:
    files = [[file.path, file.sha256, file.executable] for file in steps.files]
    below = [*lock.base.diff_ids, *(layer.file.diff_id for layer in layers)]
    made_of = [render_steps_script(steps), files, below, dict(lock.environment)]
    return digest(json_bytes([_FORMAT, lock.image_format, *made_of]))


def _build(
    lock: Lock,
    steps: Steps,
    layers: Sequence[Layer],
    engine: Engine,
    store: Store,
    report: Reporter,
    use_cache: bool,
) -> tuple[str, int]:
    """Run the steps; return SHA-256 and size of their layer."""
    below = [*(LayerFile(item, None) for item in lock.base.diff_ids), *(x.file for x in layers)]
    titles = [(layer.file.diff_id, layer.title) for layer in layers]
    with (
        working_image(
            lock, below, titles, engine=engine, store=store, report=report, named=BASE_REPOSITORY
        ) as name,
        store.scratch() as scratch,
    ):
        context = scratch / "context"
        write_steps_folder(steps, context / "steps", store)
        (context / "Dockerfile").write_text(render_steps_dockerfile(lock, name))
        folders = folders_of(engine, name)
        image = engine.build(context, use_cache=use_cache, report=report)
        try:
            built = engine.image(image)
            count = len(built.diff_ids) if built is not None else 0
            if count <= len(below):
                raise BuildError("the builder returned an image without the steps' layer")
            with store.writer() as writer:
                for _, tar in engine.layer_tars(image, count - 1, scratch=scratch):
                    canonicalise(tar, writer, epoch=EARLIEST, drop=_drop, below=folders)
            return writer.sha256, writer.size
        finally:
            engine.remove_image(image)


def _drop(path: str) -> bool:
    name = path.removeprefix(_WHITEOUT)
    return name.split("/", 1)[0] == STEPS_FOLDER or DEBIAN_NOISE(path)


def _index(layer: Path, expected: Mapping[str, Expected]) -> dict[str, list[Any]]:
    """Return the files of a layer in the environment. Raises ``BuildError`` for others."""
    faults: list[str] = []
    index: dict[str, list[Any]] = {}
    folders = frozenset(f"/{path}" for path in parents(path[1:] for path in expected))
    with tarfile.open(layer, mode="r:") as archive:
        for member in archive:
            path = f"/{member.name}"
            facts = {} if member.isdir() else _facts(archive, member)
            if member.isdir():
                faults += [f"replaced by a folder: {path}"] if path in expected else []
            elif _hides(path):
                faults += _removed(path, expected)
            else:
                faults += _faults(path, facts[path], expected, folders)
            index |= facts if path.startswith(f"{ENVIRONMENT}/") and not _hides(path) else {}
    if faults:
        more = len(faults) - _DISPLAYED
        raise BuildError(
            "a step of the spec changes locked files",
            details=[*faults[:_DISPLAYED], *([f"and {more} more"] if more > 0 else [])],
            expected="steps that only add files",
            hint="put the changed file elsewhere, or request another package in freeze.yaml",
        )
    return index


def _hides(path: str) -> bool:
    return path.rpartition("/")[2].startswith(_WHITEOUT)


def _facts(archive: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, list[Any]]:
    """Return an index line; a hard link counts as a file."""
    if member.issym():
        return fact(Entry(member.name, "symlink", 0o777, target=member.linkname), "")
    holder = archive.getmember(member.linkname) if member.islnk() else member
    hasher, stream = hashlib.sha256(), archive.extractfile(holder)
    while stream is not None and (block := stream.read(_COPY)):
        hasher.update(block)
    return fact(Entry(member.name, "file", holder.mode, holder.size), hasher.hexdigest())


def _removed(path: str, expected: Mapping[str, Expected]) -> Iterator[str]:
    """Yield the locked files that a whiteout removes, or a folder with their number."""
    folder, _, name = path.rpartition("/")
    hidden = folder if name == OPAQUE else f"{folder}/{name.removeprefix(_WHITEOUT)}"
    count = sum(1 for one in expected if one.startswith(f"{hidden}/"))
    if hidden in expected or count:
        yield f"removed: {hidden}" + (f" and {count} files in it" if count else "")


def _faults(
    path: str, facts: list[Any], expected: Mapping[str, Expected], folders: Collection[str]
) -> Iterator[str]:
    """Yield the effects of a layer's file or link on locked files."""
    if f"{path}/".startswith(f"{FREEZER}/"):
        yield f"in Freezer's own folder: {path}"
    elif path in folders:
        yield f"replaced by something other than a folder: {path}"
    elif path in expected and facts != _line(expected[path]):
        yield f"changed: {path}"


def _line(locked: Expected) -> list[Any]:
    return [locked.kind, locked.content, locked.mode, locked.size]
