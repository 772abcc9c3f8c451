"""Libraries that wheels bundle: found by file name, versions read from their contents."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Role = Literal["libstdc++", "compiler", "blas", "lapack", "openmp"]

_MATHS: tuple[Role, ...] = ("blas", "lapack")
_NAMES = {
    "openblas": "OpenBLAS",
    "openblas64": "OpenBLAS",
    "scipy-openblas": "OpenBLAS",
    "mkl": "MKL",
    "mkl-sdl": "MKL",
    "accelerate": "Accelerate",
    "blis": "BLIS",
}
"""Names that build tools use, mapped to the name in locks."""


@dataclass(frozen=True)
class Library:
    """A shared library in a wheel that computes, or that runs threads or compiled code."""

    member: str
    """Path in the wheel."""
    name: str
    roles: tuple[Role, ...]
    version: str | None
    """The version in the file name, if any."""
    pattern: bytes
    """Pattern of the version in the library's bytes, its first group; the greatest match counts."""

    @property
    def file(self) -> str:
        """The file's name."""
        return self.member.rpartition("/")[2]


@dataclass(frozen=True)
class Found:
    """A numeric component of a wheel, without the wheel's name."""

    role: Role
    name: str
    version: str
    file: str | None = None


_LIBRARIES: tuple[tuple[str, str, tuple[Role, ...], bytes], ...] = (
    (
        r"lib(?:scipy_)?openblas[^/]*?(?:-r(?P<major>\d)-[0-9a-f]+\.(?P<rest>[\d.]+\d))?\.so[\d.]*",
        "OpenBLAS",
        ("blas", "lapack"),
        rb"OpenBLAS (\d[\w.]*)",
    ),
    (r"libmkl_core[^/]*\.so[\d.]*", "MKL", ("blas", "lapack"), rb"Product Build (\d{8})"),
    (r"libblis[^/]*\.so[\d.]*", "BLIS", ("blas",), rb"BLIS (\d[\w.]*)"),
    (r"libgomp[^/]*\.so[\d.]*", "libgomp", ("openmp",), rb"(?<=\0)(GOMP_\d[\d.]*)(?=\0)"),
    (
        r"libiomp5[^/]*\.so[\d.]*",
        "libiomp5",
        ("openmp",),
        rb"(?:OMP version|Runtime).{0,3}: ?(\d[\d.]*)",
    ),
    (
        r"libomp[-.][^/]*\.so[\d.]*|libomp\.so[\d.]*",
        "libomp",
        ("openmp",),
        rb"(?<=\0)(OMP_\d[\d.]*)(?=\0)",
    ),
    (
        r"libgfortran[^/]*\.so[\d.]*",
        "libgfortran",
        ("compiler",),
        rb"(?<=\0)(GFORTRAN_\d[\d.]*)(?=\0)",
    ),
    (
        r"libstdc\+\+[^/]*\.so[\d.]*",
        "libstdc++",
        ("libstdc++",),
        rb"(?<=\0)(GLIBCXX_\d[\d.]*)(?=\0)",
    ),
)
"""File name, name, roles, and the pattern of the version. Compiler runtimes have no version string;
the greatest symbol version that they export is used."""

_PACKAGES: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    (r"mkl", "MKL", ("blas", "lapack")),
    (r"scipy-openblas(32|64)", "OpenBLAS", ("blas", "lapack")),
    (r"nvidia-cublas(-cu\d+)?", "cuBLAS", ("blas",)),
    (r"nvidia-cusolver(-cu\d+)?", "cuSOLVER", ("lapack",)),
    (r"intel-openmp", "libiomp5", ("openmp",)),
)
"""Packages that contain just such a library: the package's version is the library's."""


def by_package(name: str, version: str) -> list[Found] | None:
    """Return a package's components by its name; None when its wheel must be inspected."""
    for pattern, title, roles in _PACKAGES:
        if re.fullmatch(pattern, name):
            return [Found(role, title, version) for role in roles]
    return None


def libraries(members: Iterable[str]) -> Iterator[Library]:
    """Yield the known numeric libraries among a wheel's members."""
    for member in members:
        file = member.rpartition("/")[2]
        for pattern, name, roles, version in _LIBRARIES:
            if match := re.fullmatch(pattern, file):
                parts = match.groupdict()
                named = f"{parts['major']}.{parts['rest']}" if parts.get("rest") else None
                yield Library(member, name, roles, named, version)
                break


def version_in(data: bytes, pattern: bytes) -> str | None:
    """Return the greatest version that matches a pattern in a library's bytes."""
    found = {match[1].decode("ascii", "replace") for match in re.finditer(pattern, data)}
    return max(found, key=_ordered) if found else None


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


_NAMELESS = re.compile(r"dep\d+")
"""Meson's placeholder for a dependency without a name; its version is the project's own."""


def by_config(source: str) -> list[Found]:
    """Return the components in a ``__config__.py`` that Meson wrote (numpy, scipy).

    The file is parsed, never executed. Empty for any other file of that name.
    """
    config = _config(source)
    found = []
    for key, gnu in (("c", "gcc"), ("c++", "g++"), ("fortran", "gfortran")):
        name, version = _entry(config, "Compilers", key)
        if version:
            found.append(Found("compiler", gnu if name == "gcc" else name, version))
    for role in _MATHS:
        name, version = _entry(config, "Build Dependencies", role)
        if version and not _NAMELESS.fullmatch(name):
            found.append(Found(role, _NAMES.get(name.lower(), name), version))
    return found


def _entry(config: dict[str, Any], table: str, key: str) -> tuple[str, str]:
    """Return name and version of an entry, both empty when it is missing or incomplete."""
    entries = config.get(table)
    entry = entries.get(key) if isinstance(entries, dict) else None
    name, version = (entry.get("name"), entry.get("version")) if isinstance(entry, dict) else (0, 0)
    return (str(name), str(version)) if name and version else ("", "")


def _config(source: str) -> dict[str, Any]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # the last two: deep nesting
        return {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CONFIG":
            value = node.value
            plain = _plain(value.args[0] if isinstance(value, ast.Call) and value.args else value)
            return plain if isinstance(plain, dict) else {}
    return {}


def _plain(node: ast.expr) -> Any:
    """Return the constant dictionaries and strings of an expression, None for anything else."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {key.value: _plain(value) for key, value in pairs if isinstance(key, ast.Constant)}
    return node.value if isinstance(node, ast.Constant) else None
