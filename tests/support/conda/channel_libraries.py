"""Recipes of the libraries in the tests' conda channel: compiler run times, Python's own, BLAS.

The three BLAS builds switch ``libblas.so.3`` and ``liblapack.so.3`` as conda-forge's do:
https://conda-forge.org/docs/maintainer/knowledge_base/#blas
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.conda.channel_files import File, Link, Package, Tree
from tests.support.conda.channel_sources import Debs, copied, select

TRIPLETS = {"linux-64": "x86_64-linux-gnu", "linux-aarch64": "aarch64-linux-gnu"}
GLIBC = "__glibc >=2.36,<3.0.a0"
MKL = "mkl-2023.2.0-py2.py3-none-manylinux1_x86_64.whl"
OPENMP = "intel_openmp-2023.2.0-py2.py3-none-manylinux1_x86_64.whl"
_MKL_PARTS = (
    "rt|core|intel_thread|intel_lp64|gf_lp64|gnu_thread|sequential|avx2|avx512|def"
    "|vml_avx2|vml_avx512|vml_def|vml_cmpt"
)


@dataclass(frozen=True)
class Bench:
    """What recipes work with."""

    debs: Debs
    wheels: Mapping[str, Tree]
    subdir: str

    @property
    def triplet(self) -> str:
        """Debian's name of the architecture's folders: ``x86_64-linux-gnu``."""
        return TRIPLETS[self.subdir]

    def libraries(self, deb: str, pattern: str, folder: str = "") -> Tree:
        """Return shared libraries of a Debian package in ``lib``; ``pattern`` is of their names."""
        where = rf"(?:usr/)?lib/{self.triplet}/{folder}({pattern})\.so(\.[0-9.]+)?"
        return select(self.debs[deb].files, where, r"lib/\1.so\2")

    def package(self, name: str, version: str, files: Tree, *depends: str) -> Package:
        """Return a package of this architecture, with a build string as conda-build gives it."""
        return Package(name, version, build_string(name, version), self.subdir, files, 0, depends)


def build_string(*key: str) -> str:
    """Return ``h1a2b3c4_0``."""
    return f"h{hashlib.sha256(repr(key).encode()).hexdigest()[:7]}_0"


_PLAIN = {
    # conda package: Debian package, pattern of its libraries
    "openssl": ("libssl3", "libssl|libcrypto"),
    "libzlib": ("zlib1g", "libz"),
    "bzip2": ("libbz2-1.0", "libbz2"),
    "liblzma": ("liblzma5", "liblzma"),
    "libffi": ("libffi8", "libffi"),
    "libexpat": ("libexpat1", "libexpatw?"),
    "libsqlite": ("libsqlite3-0", "libsqlite3"),
    "libuuid": ("libuuid1", "libuuid"),
    "libxcrypt": ("libcrypt1", "libcrypt"),
}
_NEEDS = {"openssl": ("ca-certificates",), "libsqlite": ("libzlib >=1.2.13,<2.0a0",)}

DEBS = (
    *(deb for deb, _ in _PLAIN.values()),
    "libgcc-s1",
    "libstdc++6",
    "libgomp1",
    "libgfortran5",
    "libquadmath0",
    "libreadline8",
    "libncursesw6",
    "libtinfo6",
    "ca-certificates",
    "tzdata",
    "libblas3",
    "liblapack3",
    "libopenblas0-pthread",
    "liblbfgsb0",
)


def libraries(bench: Bench) -> Iterator[Package]:
    """Yield what Python and its packages link with."""
    yield from _run_times(bench)
    for name, (deb, pattern) in _PLAIN.items():
        files = bench.libraries(deb, pattern)
        yield bench.package(name, bench.debs[deb].version, files, *_NEEDS.get(name, ()), GLIBC)
    ncurses = bench.libraries("libncursesw6", "lib(?:ncurses|panel|menu|form)w")
    ncurses |= bench.libraries("libtinfo6", "libtinfo|libtic")
    yield bench.package("ncurses", bench.debs["libtinfo6"].version, ncurses, GLIBC)
    readline = bench.libraries("libreadline8", "libreadline|libhistory")
    version = bench.debs["libreadline8"].version
    yield bench.package("readline", version, readline, "ncurses >=6.4,<7.0a0", GLIBC)
    yield from _data(bench)


def _run_times(bench: Bench) -> Iterator[Package]:
    version = bench.debs["libgcc-s1"].version
    gcc = f"libgcc >={version}"
    yield bench.package("libgcc", version, bench.libraries("libgcc-s1", "libgcc_s"), GLIBC)
    cxx = bench.libraries("libstdc++6", r"libstdc\+\+")
    yield bench.package("libstdcxx", version, cxx, gcc, GLIBC)
    yield bench.package("libgomp", version, bench.libraries("libgomp1", "libgomp"), GLIBC)
    fortran = bench.libraries("libgfortran5", "libgfortran")
    if bench.subdir == "linux-64":  # elsewhere gfortran has no use for it
        fortran |= bench.libraries("libquadmath0", "libquadmath")
    yield bench.package("libgfortran5", version, fortran, gcc, GLIBC)


def _data(bench: Bench) -> Iterator[Package]:
    authorities = bench.debs["ca-certificates"]
    every = select(authorities.files, r"usr/share/ca-certificates/(.*\.crt)", r"\1")
    bundle = File(b"".join(copied(every, path).data for path in sorted(every)))
    files: Tree = {"ssl/cacert.pem": bundle, "ssl/cert.pem": Link("cacert.pem")}
    yield _noarch("ca-certificates", authorities.version, files)
    zones = bench.debs["tzdata"]
    files = select(zones.files, r"usr/share/zoneinfo/(.*)", r"share/zoneinfo/\1")
    inside = {k: v for k, v in files.items() if isinstance(v, File) or not _absolute(v)}
    yield _noarch("tzdata", zones.version, inside)


def _absolute(link: Link) -> bool:
    return link.target.startswith("/")


def _noarch(name: str, version: str, files: Tree) -> Package:
    return Package(name, version, "h0_0", "noarch", files, noarch="generic")


def blas(bench: Bench, flavours: tuple[str, ...]) -> Iterator[Package]:
    """Yield BLAS and LAPACK: what packages link with, and who does the work behind it."""
    version = bench.debs["libopenblas0-pthread"].version
    openblas = bench.libraries("libopenblas0-pthread", "libopenblas.*", "openblas-pthread/")
    needed = ("libgfortran5 >=12.2.0", "libgcc >=12.2.0", GLIBC)
    yield Package(
        "libopenblas",
        version,
        f"pthreads_{build_string(version)}",
        bench.subdir,
        openblas,
        0,
        needed,
    )
    for flavour in flavours:
        yield from _flavour(bench, flavour)
    if "mkl" in flavours:
        yield from _mkl(bench)


_WORKERS = {
    "openblas": ("libopenblas.so.0", "libopenblas >=0.3.21,<1.0a0"),
    "mkl": ("libmkl_rt.so.2", "mkl >=2023.2.0,<2024.0a0"),
    "netlib": ("", "libgfortran5 >=12.2.0"),
}
_PREFERENCE = {"openblas": 3, "mkl": 2, "netlib": 1}
"""Build numbers: the solver takes the highest where nobody chooses."""


def _flavour(bench: Bench, flavour: str) -> Iterator[Package]:
    version = bench.debs["libblas3"].version
    number = _PREFERENCE[flavour]
    build = f"{number}_{build_string('blas', version)[:-2]}_{flavour}"
    target, worker = _WORKERS[flavour]
    for name, other in (("libblas", "liblapack"), ("liblapack", "libblas")):
        files: Tree = {f"lib/{name}.so.3": Link(target)}
        depends = [f"libblas {version} {build}"] if name == "liblapack" else [worker]
        if flavour == "netlib":
            files = bench.libraries(f"{name}3", name, f"{name.removeprefix('lib')}/")
            depends = [*depends, worker][-2:]
        constrains = [f"{other} {version} {build}", f"blas * {flavour}"]
        yield Package(name, version, build, bench.subdir, files, number, depends, constrains)
    parts = [f"{name} {version} {build}" for name in ("libblas", "liblapack")]
    yield Package("blas", f"2.1{number}", flavour, bench.subdir, {}, number, parts)


def _mkl(bench: Bench) -> Iterator[Package]:
    pattern = rf"mkl-[^/]*\.data/data/lib/(libmkl_(?:{_MKL_PARTS})\.so\.2)"
    files = select(bench.wheels[MKL], pattern, r"lib/\1")
    yield bench.package("mkl", "2023.2.0", files, "intel-openmp 2023.*", GLIBC)
    files = select(bench.wheels[OPENMP], r".*\.data/data/lib/(libiomp5\.so)", r"lib/\1")
    yield bench.package("intel-openmp", "2023.2.0", files, GLIBC)
