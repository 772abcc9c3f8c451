"""Wheels built from source distributions, for packages that a spec allows by name.

Built once, in a container of the environment's base and Debian packages, without network and with
the locked build requirements only. Time, hash seed, paths and locale are fixed, so that the same
source gives the same files.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from freezer.engine.interface import RunOptions
from freezer.errors import BuildError, LockError
from freezer.image.clock import epoch
from freezer.image.dockerfile import render
from freezer.model.base import Model, Sha256
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.engine.interface import Engine
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import CondaPackage, Lock, PipPackage

_MEMO = "built-wheel"


class _Built(Model):
    """A memoised wheel."""

    file: str
    sha256: Sha256
    size: int


_ROOT = "/opt/freezer-build"
_TIMEOUT = 3600.0


def is_wheel(package: PipPackage) -> bool:
    """Return whether a locked package is a wheel."""
    return package.file.endswith(".whl")


def built_wheel(
    lock: Lock,
    package: PipPackage,
    system_image: str,
    *,
    engine: Engine,
    store: Store,
    report: Reporter,
) -> PipPackage:
    """Return the package as a wheel in the store, built in ``system_image`` if missing.

    ``system_image`` is the ID of the base with the Debian packages. Raises ``BuildError`` with the
    end of the build's output.
    """
    key = _key(lock, package, system_image)
    known = store.get_memo(_MEMO, key, _Built)
    if known is not None and store.has(known.sha256):
        return package.model_copy(update=dict(known))
    with store.scratch() as scratch, report.task(f"Building {package.name} from source"):
        upload, wheelhouse = scratch / "upload.tar", scratch / "wheelhouse.tar"
        _write_upload(lock, package, store, upload)
        result = engine.run(
            system_image,
            ["/bin/sh", f"{_ROOT}/build.sh"],
            RunOptions(read_only=False, user="0:0", timeout=_TIMEOUT),
            files=upload,
            fetch={f"{_ROOT}/wheelhouse": wheelhouse},
        )
        if result.exit_code != 0:
            raise _failed(package, result.stdout + result.stderr)
        built = _take_wheel(package, wheelhouse, store)
    store.put_memo(_MEMO, key, built)
    return package.model_copy(update=built)


def _key(lock: Lock, package: PipPackage, system_image: str) -> str:
    requirements = sorted(requirement.sha256 for requirement in package.build_requires)
    parts = [package.sha256, package.subdirectory, requirements, system_image, lock.as_of]
    return digest(json_bytes([lock.image_format, _pip(lock).sha256, *parts]))


def _pip(lock: Lock) -> PipPackage | CondaPackage:
    """Return the pip for building: the lock's wheel, or conda's in the image."""
    packages: list[PipPackage | CondaPackage] = [*lock.pip, *lock.conda]
    for package in packages:
        if package.name == "pip":
            return package
    raise LockError("the lock has no pip, but a package must be built from source")


def _write_upload(lock: Lock, package: PipPackage, store: Store, target: Path) -> None:
    pip = next((package for package in lock.pip if package.name == "pip"), None)
    script = render(
        "system/build-wheel.sh.j2",
        root=_ROOT,
        epoch=epoch(lock.as_of),
        python=lock.target.python.executable,
        pip=f"{_ROOT}/{pip.file}" if pip else "",
        wheels=[requirement.file for requirement in package.build_requires],
        sdist=package.file,
        subdirectory=f"/{package.subdirectory}" if package.subdirectory else "",
    ).encode()
    root = _ROOT.removeprefix("/")
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo(f"{root}/build.sh")
        info.size = len(script)
        archive.addfile(info, io.BytesIO(script))
        if pip is not None:
            _add(archive, f"{root}/{pip.file}", store.verified(pip.sha256))
        _add(archive, f"{root}/sdist/{package.file}", store.verified(package.sha256))
        for requirement in package.build_requires:
            path = store.verified(requirement.sha256)
            _add(archive, f"{root}/wheels/{requirement.file}", path)


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    info = tarfile.TarInfo(name)
    info.size = path.stat().st_size
    with path.open("rb") as stream:
        archive.addfile(info, stream)


def _take_wheel(package: PipPackage, wheelhouse: Path, store: Store) -> dict[str, object]:
    with tarfile.open(wheelhouse) as archive:
        wheels = [m for m in archive.getmembers() if m.isreg() and m.name.endswith(".whl")]
        stream = archive.extractfile(wheels[0]) if len(wheels) == 1 else None
        if stream is None:
            raise BuildError(
                f"building {package.name} left {len(wheels)} wheels",
                expected="exactly one",
                hint="lock a version of it that has a wheel",
            )
        with store.writer() as writer:
            while block := stream.read(1 << 20):
                writer.write(block)
    file = wheels[0].name.rsplit("/", 1)[-1]
    return {"file": file, "sha256": writer.sha256, "size": writer.size}


def _failed(package: PipPackage, output: bytes) -> BuildError:
    lines = output.decode("utf-8", "replace").strip().splitlines()[-15:]
    return BuildError(
        f"{package.name} {package.version} could not be built from its source distribution",
        details=lines,
        hint="add the compilers and headers that it needs to 'system', or lock a version "
        "that has a wheel",
    )
