"""Shared libraries that wheels need and no locked package provides.

Wheels for Linux may depend on a few system libraries (manylinux), and some depend on more: the
OpenMP runtime, X11, OpenGL. Without them the import fails in the image. What wheels need is read
from the dynamic sections of their libraries; what the system provides follows from its package
names, which by Debian policy are derived from sonames.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from freezer.errors import FreezerError, IntegrityError
from freezer.fetch.http.zip_errors import zip_errors
from freezer.inside.freezer_inventory.elf import read_elf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from freezer.fetch.store.store import Store
    from freezer.model.lock import Lock, PipPackage

_MEMO: Final = "wheel-needs-1"
_LIBRARY: Final = re.compile(r"\.so(\.[\d.]+)?$")
_SONAME: Final = re.compile(
    r"(?P<base>lib.+?)(-(?P<inner>\d[\d.]*))?\.so(\.(?P<version>\d[\d.]*))?$"
)
_LIBC: Final = re.compile(
    r"ld-linux[\w-]*|lib(c|m|dl|rt|pthread|util|resolv|anl|mvec|nss_\w+|BrokenLocale|thread_db)"
)
_FROM_HOST: Final = re.compile(r"lib(cuda|nvidia-[\w-]+|nvcuvid|nvoptix)|libpython[\d.]+\w*")
"""Libraries of the GPU driver, which the host mounts into the container, and of Python."""
_PACKAGES: Final = {
    "libOpenCL.so.1": "ocl-icd-libopencl1",
    "libbz2.so.1.0": "libbz2-1.0",
    "libgcc_s.so.1": "libgcc-s1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libgio-2.0.so.0": "libglib2.0-0",
    "libz.so.1": "zlib1g",
}
"""Libraries whose Debian package is not named after their soname."""
_LARGEST: Final = 8 << 30
"""Maximum bytes of a library; the largest of PyTorch has two gigabytes."""
_THREADS: Final = 4
_DISPLAYED: Final = 3


def missing_libraries(lock: Lock, store: Store) -> Iterator[str]:
    """Yield a warning for each library that a lock's wheels need and nothing provides.

    Wheels that are not in the store are skipped. Environments with conda yield none, as conda
    packages contain their own libraries. Libraries that are opened at run time (``dlopen``) are in
    no dynamic section and are not found.
    """
    if lock.conda:
        return
    installed = {item.name for item in (*lock.base.packages, *lock.debian)}
    for soname, names in needed_libraries(lock.pip, store).items():
        if not is_installed(soname, installed):
            package = debian_packages(soname)[0]
            yield (
                f"{shortened(names)}: {soname} is needed, and nothing in this environment provides "
                f"it; its Debian package is {package}: add `system: [{package}]`"
            )


def needed_libraries(packages: Iterable[PipPackage], store: Store) -> dict[str, tuple[str, ...]]:
    """Return the system libraries that wheels need, sorted, each with these wheels' names.

    Without those of glibc, the GPU driver and Python. Wheels that are not in the store are skipped.
    """
    wheels = [one for one in packages if one.file.endswith(".whl") and store.has(one.sha256)]
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        found = list(pool.map(lambda one: _of_wheel(one, store), wheels))
    provided = {name for each in found for name in each["provides"]}
    needed: dict[str, tuple[str, ...]] = {}
    for wheel, each in zip(wheels, found, strict=True):
        for soname in each["needs"]:
            if soname not in provided and not _is_preinstalled(soname):
                needed[soname] = (*needed.get(soname, ()), wheel.name)
    return dict(sorted(needed.items()))


def shortened(names: Sequence[str]) -> str:
    """Return ``a, b, c and 2 more``."""
    more = f" and {len(names) - _DISPLAYED} more" if len(names) > _DISPLAYED else ""
    return f"{', '.join(names[:_DISPLAYED])}{more}"


def debian_packages(soname: str) -> tuple[str, ...]:
    """Return the possible names of a library's Debian package, the likeliest first.

    By Debian policy (section 8.1) it is the soname in lower case: ``libgomp.so.1`` is in
    ``libgomp1``, ``libX11.so.6`` in ``libx11-6``, ``libusb-1.0.so.0`` in ``libusb-1.0-0``; some
    omit the first hyphen, as ``libdb5.3``. Since 2024 some have the suffix ``t64``.
    """
    if (known := _PACKAGES.get(soname)) is not None:
        return known, f"{known}t64"
    match = _SONAME.fullmatch(soname)
    if match is None:
        return (soname.lower(),)
    base, inner = match["base"].lower().replace("_", "-"), match["inner"] or ""
    version = match["version"] or ""
    stems = [f"{base}-{inner}", f"{base}{inner}"] if inner else [base]
    names = [f"{one}{'-' if version and one[-1].isdigit() else ''}{version}" for one in stems]
    return (*names, *(f"{name}t64" for name in names))


def is_installed(soname: str, installed: Iterable[str]) -> bool:
    """Return whether one of the installed Debian packages is a library's, by its name."""
    return not set(debian_packages(soname)).isdisjoint(installed)


def _is_preinstalled(soname: str) -> bool:
    stem = soname.partition(".so")[0]
    return bool(_LIBC.fullmatch(stem) or _FROM_HOST.fullmatch(stem) or "/" in soname)


def _of_wheel(package: PipPackage, store: Store) -> Mapping[str, list[str]]:
    """Return the libraries that a wheel needs and provides; memoised by its hash."""
    known = store.get_memo(_MEMO, package.sha256)
    if _is_entry(known):
        return known
    try:
        found = _read(store.verified(package.sha256), store)
    except FreezerError:  # the build reports what is wrong with it
        return {"needs": [], "provides": []}
    store.put_memo(_MEMO, package.sha256, found)
    return found


def _is_entry(known: Any) -> TypeGuard[dict[str, list[str]]]:
    if not isinstance(known, dict) or known.keys() != {"needs", "provides"}:
        return False
    lists = [each for each in known.values() if isinstance(each, list)]
    return len(lists) == len(known) and all(isinstance(one, str) for each in lists for one in each)


def _read(path: Path, store: Store) -> dict[str, list[str]]:
    needs: set[str] = set()
    provides: set[str] = set()
    with store.scratch() as folder, zip_errors(IntegrityError), zipfile.ZipFile(path) as wheel:
        file = folder / "library"  # one at a time, as a file: the parser uses mmap
        for member in wheel.infolist():
            base = member.filename.rpartition("/")[2]
            if not _LIBRARY.search(base) or member.file_size > _LARGEST:
                continue
            with wheel.open(member) as stream, file.open("wb") as target:
                shutil.copyfileobj(stream, target)
            if (elf := read_elf(str(file))) is not None:
                needs.update(elf.needed)
                provides.update({base, elf.soname} - {""})
    return {"needs": sorted(needs - provides), "provides": sorted(provides)}
