"""Takes the inventory of an image, and compares it with the lock.

The inventory code runs in a container of the image, without network and without changes; it is
passed in and is no part of the image. Its output is untrusted and parsed strictly.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from freezer.engine.interface import RunOptions
from freezer.errors import CheckError, VerificationError
from freezer.frameworks import described
from freezer.inside import inventory_files
from freezer.model.record.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.engine.interface import Engine
    from freezer.model.lock import Lock
    from freezer.model.record.inventory import SharedLibrary

_PREFIX: Final = "/opt/env"
_ARCHIVE: Final = "/tmp/freezer-inventory.zip"  # noqa: S108 - inside the container, in memory
_LARGEST: Final = 64 << 20
"""Maximum bytes of an inventory; one of a thousand libraries has about a million."""
_BLAS: Final = {"openblas": "OpenBLAS", "mkl": "MKL", "netlib": "netlib", "blis": "BLIS"}


@cache
def _callers() -> frozenset[str]:
    """Return the packages whose BLAS is selected by their ecosystem.

    Wheels bundle theirs, which `freeze lock` reports.
    """
    chosen = [item for item in described() if item.bundled_blas]
    conda = (f"conda:{name}" for item in chosen for name in item.packages)
    debian = (f"debian:{name}" for item in chosen for name in item.debian)
    return frozenset((*conda, *debian))


def take_inventory(engine: Engine, image: str) -> Inventory:
    """List the numeric libraries of an image, deterministically.

    Raises ``CheckError`` when the image cannot be inspected.
    """
    options = RunOptions(user="0:0", timeout=900)
    command = [f"{_PREFIX}/bin/python", "-I", "-B", "-c", _program(), _PREFIX]
    result = engine.run(image, command, options)
    if result.exit_code != 0:
        raise CheckError(
            "the numeric libraries of the image could not be listed",
            found=f"exit status {result.exit_code}",
            details=result.stderr.decode("utf-8", "replace").strip().splitlines()[-6:],
            hint="see `freeze doctor`, and whether the image is for this machine",
        )
    return parse_inventory(result.stdout, image)


def parse_inventory(data: bytes, image: str) -> Inventory:
    """Parse an image's output. Raises ``CheckError`` when it is no inventory."""
    try:
        if len(data) > _LARGEST:
            msg = f"more than {_LARGEST} bytes"
            raise ValueError(msg)
        document = json.loads(data)
        if not isinstance(document, dict):
            msg = "it is not a JSON object"
            raise TypeError(msg)
        return Inventory.model_validate({**document, "image": image})
    except (ValueError, TypeError, RecursionError, ValidationError) as error:
        raise CheckError(
            "the image's inventory is unreadable",
            found=_first_line(error),
            hint="its Python may print other output at startup; run it to see",
        ) from None


def require_inventory(lock: Lock, inventory: Inventory) -> None:
    """Check that an inventory has the locked libraries: BLAS, CUDA, cuDNN.

    Raises ``VerificationError`` when the image uses others.
    """
    wrong = [*_other_blas(lock, inventory), *_other_cuda(lock, inventory)]
    if wrong:
        raise VerificationError(
            "the image's numeric libraries are not those of the lock",
            details=wrong,
            hint="lock again with `freeze lock --upgrade`; if that does not help, report it",
        )


def _other_blas(lock: Lock, inventory: Inventory) -> Iterator[str]:
    wanted = _BLAS.get(lock.blas or "")
    for item in inventory.libraries if wanted else ():
        callers = [who for who in item.loaded_by if who in _callers()]
        if "blas" in item.roles and item.name != wanted and callers:
            yield f"{' and '.join(callers)} loads {item.name} ({item.file}), locked: {lock.blas}"


def _other_cuda(lock: Lock, inventory: Inventory) -> Iterator[str]:
    if lock.accelerator is None:
        return
    for item in inventory.libraries:
        if item.name == "CUDA runtime" and not _within(item, lock.accelerator.cuda):
            yield f"{item.file} is CUDA {item.version}, locked: {lock.accelerator.cuda}"
        wanted = lock.accelerator.cudnn
        if item.name == "cuDNN" and wanted is not None and not _within(item, wanted):
            yield f"{item.file} is cuDNN {item.version}, locked: {wanted}"


def _within(item: SharedLibrary, wanted: str) -> bool:
    """Return whether a library has a version, as far as its own version is known.

    A file name has two or three of the numbers, its package four; the shorter one decides.
    """
    parts = (item.version or wanted).split(".")
    requested = wanted.split(".")
    if not parts[0].isdigit():
        return True
    return parts[: len(requested)] == requested[: len(parts)]


def _program() -> str:
    """Return a self-contained program: nothing in the image has to be writable.

    It has some 40,000 bytes; Linux allows 128 KiB for one argument (``MAX_ARG_STRLEN``).
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in inventory_files().items():
            archive.writestr(zipfile.ZipInfo(path), data)
    packed = base64.b64encode(target.getvalue()).decode()
    return (
        f"import base64, sys; open({_ARCHIVE!r}, 'wb').write(base64.b64decode({packed!r})); "
        f"sys.path.insert(0, {_ARCHIVE!r}); "
        "from freezer_inventory.report import main; main()"
    )


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return (str(error) or type(error).__name__).splitlines()[0]
