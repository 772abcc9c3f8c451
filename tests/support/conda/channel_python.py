"""Recipes of Python and its packages in the tests' conda channel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.support.conda.channel_files import PLACEHOLDER, File, Link, Package, Tree
from tests.support.conda.channel_libraries import GLIBC, Bench, build_string
from tests.support.conda.channel_sources import copied

DEBS = (
    "python3.11",
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "python3-numpy",
    "python3-scipy",
    "python3-decorator",
    "python3-joblib",
    "python3-sklearn",
    "python3-sklearn-lib",
)
WHEELS = (
    "pip-25.0.1-py3-none-any.whl",
    "setuptools-75.8.0-py3-none-any.whl",
    "wheel-0.45.1-py3-none-any.whl",
    "packaging-24.2-py3-none-any.whl",
    "threadpoolctl-3.5.0-py3-none-any.whl",
)
_SITE = "lib/python3.11/site-packages"
_NEEDS = (
    "bzip2 >=1.0.8,<2.0a0",
    "libexpat >=2.5.0,<3.0a0",
    "libffi >=3.4,<4.0a0",
    "liblzma >=5.4,<6.0a0",
    "libsqlite >=3.40,<4.0a0",
    "libuuid >=2.38,<3.0a0",
    "libxcrypt >=4.4.33",
    "libzlib >=1.2.13,<2.0a0",
    "ncurses >=6.4,<7.0a0",
    "openssl >=3.0,<4.0a0",
    "readline >=8.2,<9.0a0",
    "tzdata",
    GLIBC,
)
_LEFT_OUT = re.compile(
    r"usr/lib/python3\.11/(?:EXTERNALLY-MANAGED|sitecustomize\.py|lib-dynload/(?:nis|_dbm)\..*)"
)
"""Marks of Debian's, and modules that need libraries which the channel lacks."""
_ABI = ("python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311")
_BLAS = ("libblas >=3.9.0,<4.0a0", "liblapack >=3.9.0,<4.0a0")


def python(bench: Bench) -> Iterator[Package]:
    """Yield Debian's Python as a conda package, and what tells its ABI."""
    version = bench.debs["python3.11"].version
    build = f"{build_string('python', version)}_cpython"
    abi = ("python_abi 3.11.* *_cp311",)
    yield Package("python", version, build, bench.subdir, _python(bench), 0, _NEEDS, abi)
    yield Package(
        "python_abi", "3.11", "5_cp311", "noarch", {}, 5, (), ("python 3.11.*",), "generic"
    )


def _python(bench: Bench) -> Tree:
    found: Tree = {}
    for deb in DEBS[:4]:
        own = {k: v for k, v in bench.debs[deb].files.items() if not _LEFT_OUT.fullmatch(k)}
        for path, item in own.items():
            if match := re.fullmatch(r"usr/((?:bin|lib/python3\.11)/.*)", path):
                found[match[1]] = item
    for path in (key for key in found if key.startswith("lib/python3.11/_sysconfigdata")):
        found[path] = _at_prefix(copied(found, path))
    found["lib/python3.11/sysconfig.py"] = _posix(copied(found, "lib/python3.11/sysconfig.py"))
    for name in ("python", "python3"):
        found[f"bin/{name}"] = Link("python3.11")
    # Debian's site module is patched, and frozen into the program: it looks in dist-packages.
    found["lib/python3.11/dist-packages"] = Link("site-packages")
    found[f"{_SITE}/README.txt"] = File(b"Packages of this environment.\n")
    return found


def _at_prefix(file: File) -> File:
    text = file.data.decode().replace("'/usr", f"'{PLACEHOLDER}")
    return File(text.replace(" /usr/", f" {PLACEHOLDER}/").encode())


def _posix(file: File) -> File:
    text = file.data.decode()
    for before in ("prefix_scheme = 'posix_local'", "'DEB_PYTHON_INSTALL_LAYOUT', 'posix_local'"):
        assert before in text, before
        text = text.replace(before, before.replace("posix_local", "posix_prefix"))
    return File(text.encode())


def packages(bench: Bench) -> Iterator[Package]:
    """Yield numerical packages of Debian's, and tools from wheels."""
    yield _native(bench, "numpy", ("python3-numpy",), *_BLAS)
    lbfgsb = bench.libraries("liblbfgsb0", "liblbfgsb")
    yield bench.package("liblbfgsb", "3.0", lbfgsb, *_BLAS, "libgfortran5 >=12.2.0", GLIBC)
    run_times = ("libgcc >=12.2.0", "libstdcxx >=12.2.0")
    scipy = ("numpy >=1.23,<2", "liblbfgsb >=3.0", "decorator", "libgfortran5 >=12.2.0")
    yield _native(bench, "scipy", ("python3-scipy",), *_BLAS, *scipy, *run_times)
    sklearn = ("numpy >=1.23,<2", "scipy >=1.10", "joblib >=1.1.1", "threadpoolctl >=2.0.0")
    debs = ("python3-sklearn", "python3-sklearn-lib")
    yield _native(bench, "scikit-learn", debs, *sklearn, "libgomp >=12.2.0", *run_times)
    yield _pure(bench, "decorator", "python3-decorator")
    yield _pure(bench, "joblib", "python3-joblib")
    yield _wheel(bench, WHEELS[0], "setuptools", "wheel")
    for name in WHEELS[1:]:
        yield _wheel(bench, name)


def _native(bench: Bench, name: str, debs: tuple[str, ...], *depends: str) -> Package:
    files: Tree = {}
    for deb in debs:
        files |= _modules(bench, deb, _SITE)
    version = bench.debs[debs[0]].version
    build = f"py311{build_string(name, version)}"
    return Package(name, version, build, bench.subdir, files, 0, (*_ABI, *depends, GLIBC))


def _pure(bench: Bench, name: str, deb: str) -> Package:
    files = _modules(bench, deb, "site-packages")
    version = bench.debs[deb].version
    return Package(
        name, version, "pyhd8ed1ab_0", "noarch", files, 0, ("python >=3.7",), (), "python"
    )


def _modules(bench: Bench, deb: str, place: str) -> Tree:
    """Return a Debian package's modules but its tests; links among them become files."""
    where = r"usr/lib/python3(?:\.11)?/dist-packages/((?!(?:.*/)?tests/).*)"
    every = bench.debs[deb].files
    matches = (re.fullmatch(where, path) for path in sorted(every))
    return {f"{place}/{match[1]}": copied(every, match[0]) for match in matches if match}


def _wheel(bench: Bench, name: str, *depends: str) -> Package:
    files = bench.wheels[name]
    project, version = name.split("-")[:2]
    points = [path for path in files if path.endswith(".dist-info/entry_points.txt")]
    listed = copied(files, points[0]).data.decode() if points else ""
    return Package(
        project,
        version,
        "pyhd8ed1ab_0",
        "noarch",
        {f"site-packages/{path}": item for path, item in files.items()},
        0,
        ("python >=3.9", *depends),
        (),
        "python",
        _console_scripts(listed),
    )


def _console_scripts(text: str) -> tuple[str, ...]:
    section = text.partition("[console_scripts]")[2].partition("[")[0]
    return tuple(line.strip() for line in section.splitlines() if "=" in line)
