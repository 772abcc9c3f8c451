"""Conda packages as chunks: linked on the host into canonical tars, stored by hash.

A chunk has a package's files as they are at the environment's prefix, and its record in
``conda-meta``. It depends only on the package's bytes, its entry in the lock, the prefix and (for a
noarch Python package) the Python version: never on other packages or the host.

Scripts of packages are never run, neither here nor in the image: pre-link, post-link and activation
scripts are installed like any file, with a warning.
"""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from freezer.errors import IntegrityError
from freezer.image.clock import EARLIEST
from freezer.image.conda.archive import open_conda
from freezer.image.conda.link import content, link, require_hash
from freezer.image.conda.metadata import HISTORY, history_bytes, record_bytes, record_path
from freezer.image.conda.paths import read_about
from freezer.image.hashing import HashingReader
from freezer.image.tar.canonical import Entry, write_entry
from freezer.image.wheel.chunks import Chunk, data_chunk, fact, recall, remember
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.fetch.store.store import Store, StoreWriter
    from freezer.image.conda.archive import CondaArchive
    from freezer.image.conda.link import Linked
    from freezer.image.wheel.install import Layout
    from freezer.model.events import Reporter
    from freezer.model.lock import CondaPackage

_MEMO = "conda-chunk"
FORMAT = 3
"""Format number; increment when the same package would give other bytes."""
_LINK_SCRIPT = re.compile(r"/bin/\.(?P<name>.+)-(?:pre|post)-link\.sh\Z")
_ACTIVATION = re.compile(r"/etc/conda/(?:activate\.d/.+\.sh|env_vars\.d/.+\.json)\Z")


def conda_chunks(
    packages: Sequence[CondaPackage],
    *,
    layout: Layout,
    epoch: int,
    store: Store,
    report: Reporter,
) -> list[Chunk]:
    """Return the chunks of verified packages, in order; missing ones are made.

    ``packages`` are a whole environment: its Python decides where noarch packages go. Files have
    the build time of their package, at most ``epoch``. Raises ``IntegrityError`` for a package that
    cannot be installed safely.
    """
    site_packages = _site_packages(packages, layout)
    keys = [_key(package, layout, site_packages, epoch) for package in packages]
    known = [recall(store, _MEMO, key) for key in keys]
    missing = [
        (package, key)
        for package, key, chunk in zip(packages, keys, known, strict=True)
        if chunk is None
    ]
    if missing:
        size = sum(package.size for package, _ in missing)
        with (
            report.task(f"Linking {len(missing)} conda packages", total=size, unit="bytes") as task,
            ThreadPoolExecutor(max_workers=2) as pool,
        ):

            def make(item: tuple[CondaPackage, str]) -> None:
                package, key = item
                task.describe(package.name)
                chunk = _make(package, key, layout, site_packages, _moment(package, epoch), store)
                remember(store, _MEMO, chunk)
                task.advance(package.size)

            list(pool.map(make, sorted(missing, key=lambda item: -item[0].size)))
    chunks = [_require_stored(recall(store, _MEMO, key)) for key in keys]
    _report_scripts(packages, chunks, store, report)
    return chunks


def history_chunk(
    packages: Sequence[CondaPackage], *, layout: Layout, epoch: int, store: Store
) -> Chunk:
    """Return the chunk of conda's history, which makes a prefix an environment."""
    data = history_bytes(packages, epoch)
    entry = Entry(f"{layout.root}/{HISTORY}", "file", 0o644, len(data))
    return data_chunk("conda's history", {entry.path: (entry, data)}, epoch, store)


def python_closure(packages: Sequence[CondaPackage]) -> tuple[CondaPackage, ...]:
    """Return Python and its dependencies, in the given order: enough for compiling."""
    by_name = {package.name: package for package in packages}
    queue, found = ["python"], set[str]()
    while queue:
        name = queue.pop()
        if name in found or name not in by_name:
            continue
        found.add(name)
        queue.extend(spec.split(maxsplit=1)[0].lower() for spec in by_name[name].depends)
    return tuple(package for package in packages if package.name in found)


def _site_packages(packages: Iterable[CondaPackage], layout: Layout) -> str:
    """Return the folder of modules, from Python's own package where unusual (CEP 17)."""
    for package in packages:
        if package.name == "python" and package.python_site_packages_path:
            return package.python_site_packages_path
    return layout.site_packages


def _moment(package: CondaPackage, latest: int) -> int:
    built = (package.timestamp or 0) // 1000
    return min(max(built, EARLIEST), latest)


def _key(package: CondaPackage, layout: Layout, site_packages: str, epoch: int) -> str:
    about = package.model_dump(mode="json", exclude={"reason"})
    where = [layout.prefix]
    if package.noarch == "python":
        where += [layout.python, site_packages]
    return digest(json_bytes([FORMAT, about, where, _moment(package, epoch)]))


def _make(
    package: CondaPackage, key: str, layout: Layout, site_packages: str, moment: int, store: Store
) -> Chunk:
    index: dict[str, list[Any]] = {}
    hashes: dict[str, tuple[str, int]] = {}
    path = store.verified(package.sha256)
    with (
        store.scratch() as scratch,
        open_conda(path, package, scratch) as archive,
        store.writer() as writer,
    ):
        linked = link(archive, read_about(archive), layout, site_packages)
        for item in linked:
            if item.kind != "pyc_file":
                entry, sha256 = _write(archive, item, layout, moment, writer)
                index |= fact(entry, sha256)
                if entry.kind == "file":
                    hashes[item.path] = (sha256, entry.size)
        record = record_bytes(package, linked, hashes)
        place = f"{layout.root}/{record_path(package)}"
        entry = Entry(place, "file", 0o644, len(record))
        write_entry(writer, entry, io.BytesIO(record), moment)
        index |= fact(entry, digest(record))
    listed = store.put_bytes(json_bytes(index))
    return Chunk(
        f"{package.name} {package.version}", key, writer.sha256, writer.size, listed, moment
    )


def _write(
    archive: CondaArchive, item: Linked, layout: Layout, moment: int, writer: StoreWriter
) -> tuple[Entry, str]:
    """Write one path; return it as a member, with the SHA-256 of its content."""
    with content(archive, item, layout) as (entry, stream):
        source = HashingReader(stream)
        write_entry(writer, entry, source, moment)
    sha256 = source.hexdigest()
    if item.kind == "hardlink" and item.listed is not None and not item.listed.placeholder:
        require_hash(archive, item.listed, sha256)
    return entry, sha256


def _report_scripts(
    packages: Sequence[CondaPackage], chunks: Sequence[Chunk], store: Store, report: Reporter
) -> None:
    activated = []
    for package, chunk in zip(packages, chunks, strict=True):
        paths = chunk.expected(store)
        if any(_LINK_SCRIPT.search(path) for path in paths):
            report.warn(
                f"{package.name} {package.version} from {package.channel} has a script "
                "to run at installation; it is not run, so part of the package may not work"
            )
        if any(_ACTIVATION.search(path) for path in paths):
            activated.append(package.name)
    if activated:
        report.note(
            f"{', '.join(activated)} would set variables when the environment is activated; an "
            "image is not: where your code needs them, set them under `environment` in the spec"
        )


def _require_stored(chunk: Chunk | None) -> Chunk:
    if chunk is None:
        raise IntegrityError("a chunk vanished from the store while it was used", hint="try again")
    return chunk
