"""Which file the dynamic linker takes for a name, as ld.so(8) has it, without running anything."""

from __future__ import annotations

import glob
import os
import re
import struct
from typing import TYPE_CHECKING, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

if TYPE_CHECKING:
    from .elf import Elf

DEFAULT = ("/lib", "/usr/lib", "/lib64", "/usr/lib64")
_CACHE = b"glibc-ld.so.cache1.1"
_OPENED = (
    (
        re.compile(r"libmkl_rt(?P<tail>\.so[.\d]*)"),
        (
            "libmkl_core{tail}",
            "libmkl_intel_lp64{tail}",
            "libmkl_intel_thread{tail}",
            "libiomp5.so",
        ),
    ),
    (
        re.compile(r"libcudnn(?P<tail>\.so\.[\d.]+)"),
        ("libcudnn_graph{tail}", "libcudnn_ops{tail}", "libcudnn_cnn{tail}"),
    ),
)
"""Libraries that open others when they run, and say so in no header; those lie beside them.

Intel, "oneMKL Developer Guide for Linux", chapter on the Single Dynamic Library: the threading
layer is Intel's unless ``MKL_THREADING_LAYER`` names another. NVIDIA, cuDNN's API reference:
``cudnn`` is a shim that opens its sub-libraries.
"""
_HEADER, _ENTRY = 48, 24
_MAX_NAMES = 1 << 20


def read_cache(path: str = "/etc/ld.so.cache") -> Dict[str, List[str]]:
    """Return name to paths of the linker's cache, first choice first; empty when unreadable."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(64 << 20)
    except OSError:
        return {}
    start = data.find(_CACHE)
    if start < 0 or len(data) < start + _HEADER:
        return {}
    (count,) = struct.unpack_from("<I", data, start + len(_CACHE))
    found: Dict[str, List[str]] = {}
    for number in range(min(count, _MAX_NAMES)):
        at = start + _HEADER + number * _ENTRY
        if at + _ENTRY > len(data):
            break
        _, name, value = struct.unpack_from("<iII", data, at)
        key, target = _string(data, start + name), _string(data, start + value)
        if key and target:
            found.setdefault(key, []).append(target)
    return found


def _string(data: bytes, at: int) -> str:
    end = data.find(b"\0", at, at + 4096)
    return data[at:end].decode("utf-8", "replace") if 0 <= at < end else ""


def configured(path: str = "/etc/ld.so.conf", depth: int = 0) -> List[str]:
    """Return the folders that ld.so.conf names, ``include`` lines followed."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.read(1 << 20).splitlines()
    except OSError:
        return []
    found: List[str] = []
    for line in lines:
        text = line.partition("#")[0].strip()
        if text.startswith("include ") and depth < 8:
            pattern = os.path.join(os.path.dirname(path), text[8:].strip())
            for name in sorted(glob.glob(pattern)):
                found += configured(name, depth + 1)
        elif text.startswith("/"):
            found.append(text)
    return found


class Linker:
    """Finds libraries for the files of one image."""

    def __init__(
        self,
        files: Mapping[str, Elf],
        *,
        cache: Mapping[str, Sequence[str]],
        folders: Sequence[str],
        library_path: str = "",
    ) -> None:
        self._files = files
        self._cache = cache
        self._folders = [*folders, *DEFAULT]
        self._library_path = [path for path in library_path.split(":") if path]
        self._real: Dict[str, Optional[str]] = {}
        self._by_soname: Dict[str, Set[str]] = {}
        for path, elf in files.items():
            for name in {elf.soname, os.path.basename(path)} - {""}:
                self._by_soname.setdefault(name, set()).add(path)

    def needs(self, path: str) -> Iterator[Tuple[str, Optional[str]]]:
        """Yield each name that a file needs, and the real path of what it gets, if any."""
        elf = self._files[path]
        for name in elf.needed:
            yield name, self._find(name, path, elf)

    def graph(self) -> Dict[str, Set[str]]:
        """Return, for each file, the files that it loads directly."""
        found: Dict[str, Set[str]] = {}
        open_ends: List[Tuple[str, str]] = []
        for path in self._files:
            found[path] = set()
            for name, target in self.needs(path):
                if target is None:
                    open_ends.append((path, name))
                elif target != path:
                    found[path].add(target)
            found[path].update(self._opened(path))
        for path, name in open_ends:
            target = self._inherited(name, path, found) or self._only(name)
            if target is not None and target != path:
                found[path].add(target)
        return found

    def _opened(self, path: str) -> Iterator[str]:
        """Yield what a library is known to open when it runs."""
        folder, base = os.path.split(path)
        for pattern, names in _OPENED:
            match = pattern.fullmatch(base)
            tail = match.group("tail") if match else ""
            for name in names if match else ():
                target = self._known(os.path.join(folder, name.format(tail=tail)))
                if target is not None and target != path:
                    yield target

    def _find(self, name: str, path: str, elf: Elf) -> Optional[str]:
        origin = os.path.dirname(path)
        if "/" in name:
            return self._known(_expand(name, origin))
        own = elf.runpath or ()
        before = () if own else elf.rpath
        for folder in (*before, *self._library_path, *own):
            target = self._known(os.path.join(_expand(folder, origin), name), elf.machine)
            if target is not None:
                return target
        for candidate in (
            *self._cache.get(name, ()),
            *(os.path.join(folder, name) for folder in self._folders),
        ):
            target = self._known(candidate, elf.machine)
            if target is not None:
                return target
        return None

    def _known(self, path: str, machine: Optional[int] = None) -> Optional[str]:
        """Return the real path of a file that was read, and is for the right machine."""
        if path not in self._real:
            real = os.path.realpath(path)
            self._real[path] = real if real in self._files else None
        target = self._real[path]
        if target is not None and machine is not None and self._files[target].machine != machine:
            return None
        return target

    def _inherited(self, name: str, path: str, graph: Mapping[str, Set[str]]) -> Optional[str]:
        """Look where the RPATHs of those lead that load a file: they hold for it as well."""
        for loader in sorted(other for other, loads in graph.items() if path in loads):
            elf = self._files[loader]
            for folder in () if elf.runpath else elf.rpath:
                target = self._known(
                    os.path.join(_expand(folder, os.path.dirname(loader)), name), elf.machine
                )
                if target is not None:
                    return target
        return None

    def _only(self, name: str) -> Optional[str]:
        """Return the one file of that name: packages load some libraries before they are needed."""
        found = self._by_soname.get(name, set())
        return next(iter(found)) if len(found) == 1 else None


def _expand(path: str, origin: str) -> str:
    for token in ("$ORIGIN", "${ORIGIN}"):
        path = path.replace(token, origin)
    for token in ("$LIB", "${LIB}"):
        path = path.replace(token, "lib")
    return os.path.normpath(path)


def closure(graph: Mapping[str, Set[str]], start: str) -> Set[str]:
    """Return all that a file loads, through others too; loops do no harm."""
    seen: Set[str] = set()
    todo = [start]
    while todo:
        for target in graph.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen
