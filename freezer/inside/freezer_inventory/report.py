"""The inventory of an image as one JSON document on stdout; reads, and writes nothing.

    python -c 'from freezer_inventory.report import main; main()' PREFIX ROOT...

``PREFIX`` is the environment; every ELF file below it, below the further roots and in the system's
library folders is read.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    TypeVar,
)

from . import roles
from .elf import Elf, read_elf
from .loading import Linker, closure, configured, read_cache
from .owners import Owner, label, owners

Answer = TypeVar("Answer")
SYSTEM = ("/usr/local/lib", "/usr/lib", "/usr/lib64", "/lib", "/lib64")
_LIBRARY = re.compile(r"\.so(\.|$)")
_MODULE = re.compile(r"/(?:site|dist)-packages/|/lib-dynload/")
_MAX_FILES = 200_000
_SHOWN = 20
"""Direct loaders that are listed of a library."""


def main() -> None:
    """Print the inventory of this image."""
    prefix, *roots = sys.argv[1:]
    json.dump(inventory(prefix, [*roots, *SYSTEM]), sys.stdout, sort_keys=True)


def inventory(prefix: str, roots: Sequence[str]) -> Dict[str, object]:
    """Return the document; the same image gives the same document."""
    found = elf_files([prefix, *roots])
    linker = Linker(
        found,
        cache=read_cache(),
        folders=configured(),
        library_path=os.environ.get("LD_LIBRARY_PATH", ""),
    )
    graph = linker.graph()
    listed = {path: kind for path in found for kind in [roles.kind_of(path)] if kind is not None}
    asked = ((path, roles.holds(path, elf.constants)) for path, elf in found.items())
    holders = {path: held for path, held in asked if held}
    modules = [path for path in found if _MODULE.search(path)]
    owned = owners({*listed, *holders, *modules}, os.path.realpath(prefix), sites(prefix))
    users = _users(graph, modules, set(listed), owned)
    loaders = _reversed(graph, set(listed))
    kinds = _each(listed, lambda path: roles.true_kind(path, listed[path]))
    told = _each(listed, lambda path: roles.version(path, kinds[path].pattern))
    versions = {
        path: told[path] or _from_name(path) or label(owned.get(path))[1] for path in listed
    }
    for path, target in _handed_on(graph, kinds, listed).items():
        kinds[path] = roles.Kind(kinds[target].name, kinds[path].roles, None)
        versions[path] = versions[target]
    digests = _each(listed, hash_file)
    libraries = [
        {
            "name": kinds[path].name,
            "roles": list(kinds[path].roles),
            "version": versions[path],
            "file": path,
            "soname": found[path].soname,
            "needed": list(found[path].needed),
            "sha256": digests[path],
            "owner": label(owned.get(path))[0],
            "owner_version": label(owned.get(path))[1],
            "loaders": sorted(loaders.get(path, ()))[:_SHOWN],
            "loaded_by": sorted(users.get(path, ())),
        }
        for path in sorted(listed)
    ]
    return {
        "files": len(found),
        "libraries": libraries,
        "linked_in": list(_linked_in(holders, owned)),
        "compilers": list(_compilers(found, owned)),
    }


def _handed_on(
    graph: Mapping[str, Set[str]],
    kinds: Mapping[str, roles.Kind],
    names: Mapping[str, roles.Kind],
) -> Dict[str, str]:
    """Return what computes for each library that has netlib's name and hands its calls on.

    Debian's OpenBLAS comes as a ``libblas.so.3`` that needs ``libopenblas.so.0``. A LAPACK that
    needs whatever ``libblas.so.3`` there is stays netlib's. ``names`` are the kinds by file name.
    """
    found = {}
    for path, kind in kinds.items():
        if kind.name == "netlib":
            targets = graph.get(path, set()) & names.keys()
            others = sorted(t for t in targets if names[t].name in roles.IMPLEMENTATIONS)
            if others:
                found[path] = others[0]
    return found


def _each(paths: Iterable[str], answer: Callable[[str], Answer]) -> Dict[str, Answer]:
    """Ask something of every file; reading and hashing release the interpreter's lock."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return dict(pool.map(lambda path: (path, answer(path)), sorted(paths)))


def elf_files(roots: Iterable[str]) -> Dict[str, Elf]:
    """Return every shared library and module below the roots by its real path."""
    paths: Dict[str, None] = {}
    for root in dict.fromkeys(os.path.realpath(root) for root in roots):
        for path in _candidates(root):
            paths.setdefault(path)
            if len(paths) > _MAX_FILES:
                raise SystemExit("more than {} shared libraries".format(_MAX_FILES))
    found = {}
    for path in sorted(paths):
        elf = read_elf(path)
        if elf is not None:
            found[path] = elf
    return found


def _candidates(root: str) -> Iterator[str]:
    """Yield libraries and the programs of ``bin``; links are not followed, nor left as they are."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        programs = os.path.basename(folder) == "bin"
        for name in files:
            if not programs and not _LIBRARY.search(name):
                continue
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def sites(prefix: str) -> List[str]:
    """Return the folders of Python packages: the environment's, and Debian's own."""
    patterns = (
        os.path.join(glob.escape(prefix), "lib", "python3*", "site-packages"),
        "/usr/lib/python3*/dist-packages",
        "/usr/local/lib/python3*/dist-packages",
    )
    found = (os.path.realpath(path) for pattern in patterns for path in glob.glob(pattern))
    return sorted(dict.fromkeys(found))


def hash_file(path: str) -> str:
    """Return the SHA-256 of a file; empty when it cannot be read."""
    hasher = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                hasher.update(block)
    except OSError:
        return ""
    return hasher.hexdigest()


def _users(
    graph: Mapping[str, Set[str]],
    modules: Iterable[str],
    listed: Set[str],
    owned: Mapping[str, Owner],
) -> Dict[str, Set[str]]:
    """Return, for each listed library, the packages whose Python modules load it."""
    found: Dict[str, Set[str]] = {}
    for module in modules:
        who = label(owned.get(module))[0] or os.path.basename(module)
        for path in closure(graph, module) & listed:
            found.setdefault(path, set()).add(who)
    return found


def _reversed(graph: Mapping[str, Set[str]], listed: Set[str]) -> Dict[str, Set[str]]:
    found: Dict[str, Set[str]] = {}
    for path, loads in graph.items():
        for target in loads & listed:
            found.setdefault(target, set()).add(path)
    return found


def _from_name(path: str) -> Optional[str]:
    """Return ``12.4.127`` of ``libcudart.so.12.4.127``; a bare major number says too little."""
    match = re.search(r"\.so\.(\d+(?:\.\d+)+)$", path)
    return match[1] if match else None


def _linked_in(
    holders: Mapping[str, List[roles.Kind]], owned: Mapping[str, Owner]
) -> Iterator[Dict[str, object]]:
    for path in sorted(holders):
        for kind in holders[path]:
            yield {
                "name": kind.name,
                "roles": list(kind.roles),
                "file": path,
                "owner": label(owned.get(path))[0],
                "owner_version": label(owned.get(path))[1],
            }


def _compilers(found: Mapping[str, Elf], owned: Mapping[str, Owner]) -> Iterator[Dict[str, object]]:
    """Yield each compiler, how many files it made, and packages of the environment among them."""
    files: Dict[str, int] = {}
    packages: Dict[str, Set[str]] = {}
    for path, elf in found.items():
        for compiler in elf.compilers:
            files[compiler] = files.get(compiler, 0) + 1
            if path in owned and owned[path].world != "debian":
                packages.setdefault(compiler, set()).add(label(owned[path])[0])
    for compiler in sorted(files):
        yield {
            "compiler": compiler,
            "files": files[compiler],
            "packages": sorted(packages.get(compiler, ())),
        }
