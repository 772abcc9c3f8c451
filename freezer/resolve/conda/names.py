"""Python names of conda packages, so that pip never replaces one.

Most packages have the same name in both ecosystems. The table has the exceptions among well-known
packages, as recorded by grayskull (`grayskull/strategy/config.yaml`,
https://github.com/conda/grayskull) and by parselmouth, which extracts them from the packages of
conda-forge (https://github.com/prefix-dev/parselmouth), and of the channels ``pytorch`` and
``nvidia``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from freezer.frameworks import python_names
from freezer.resolve.conda.specname import spec_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.model.lock import CondaPackage

_SAME_VERSION = {
    "boruta_py": "boruta",
    "brotli-python": "brotli",
    "cupy-core": "cupy",
    "dask-core": "dask",
    "docker-py": "docker",
    "evalml-core": "evalml",
    "geopandas-base": "geopandas",
    "gnupg-py": "gnupg",
    "googlesearch": "google",
    "h2o-py": "h2o",
    "ignite": "pytorch-ignite",
    "keras-base": "keras",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "nbconvert-core": "nbconvert",
    "neo4j-python-driver": "neo4j",
    "nvidia-ml": "nvidia-ml-py3",
    "ortools-python": "ortools",
    "prince-factor-analysis": "prince",
    "pyarrow-core": "pyarrow",
    "pyg": "torch-geometric",
    "pysoundfile": "soundfile",
    "pytables": "tables",
    "python-annoy": "annoy",
    "python-build": "build",
    "python-clang": "clang",
    "python-confluent-kafka": "confluent-kafka",
    "python-duckdb": "duckdb",
    "python-fastjsonschema": "fastjsonschema",
    "python-flair": "flair",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-hdfs": "hdfs",
    "python-htcondor": "htcondor",
    "python-installer": "installer",
    "python-kaleido": "kaleido",
    "python-kubernetes": "kubernetes",
    "python-libaio": "libaio",
    "python-librt": "librt",
    "python-lmdb": "lmdb",
    "python-lsp-server-base": "python-lsp-server",
    "python-mss": "mss",
    "python-neo": "neo",
    "python-sounddevice": "sounddevice",
    "python-symengine": "symengine",
    "python-tzdata": "tzdata",
    "python-xxhash": "xxhash",
    "pytorch_geometric": "torch-geometric",
    "qtconsole-base": "qtconsole",
    "ray-core": "ray",
    "ray-default": "ray",
    "redis-py": "redis",
    "seaborn-base": "seaborn",
    "trino-python-client": "trino",
    "uvicorn-standard": "uvicorn",
}
"""conda name to Python name, where the versions are the same in both ecosystems; those of
frameworks are in their descriptions (`freezer.frameworks`)."""
_VERSION_DIFFERS = {
    "gdal": ("gdal",),
    "opencv": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "py-opencv": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "pyqt": ("pyqt5",),
    "pyside6": ("pyside6", "shiboken6"),
    "vtk": ("vtk",),
    "vtk-base": ("vtk",),
}
"""conda name to the Python names of its contents, where versions differ."""
_NOT_PYTHON = frozenset(
    {"boost", "cpython", "glib", "libboost-python", "python", "python-gil", "python_abi"}
)
"""Packages that depend on Python but are no Python package, even if one has the same name."""


def pypi_names(package: CondaPackage) -> tuple[str, ...]:
    """Return the normalised Python names of a conda package's contents; empty for none.

    A package that neither depends on Python nor is built for all of them is a library or a program,
    even if a Python package has its name (``graphviz``, ``ninja``, ``blosc``).
    """
    if not _is_python(package):
        return ()
    if package.name in _VERSION_DIFFERS:
        return tuple(canonicalize_name(name) for name in _VERSION_DIFFERS[package.name])
    return (canonicalize_name(_python_name(package.name)),)


def provided_by_conda(
    packages: Iterable[CondaPackage],
) -> dict[str, tuple[CondaPackage, str | None]]:
    """Map Python names to the conda package and the version that pip must keep.

    The version is None where it differs between the ecosystems: only the name is reserved then.
    """
    found: dict[str, tuple[CondaPackage, str | None]] = {}
    for package in packages:
        version = None if package.name in _VERSION_DIFFERS else _version(package.version)
        for name in pypi_names(package):
            if name not in found or package.name == name:
                found[name] = (package, version)
    return found


def _python_name(name: str) -> str:
    return python_names().get(name) or _SAME_VERSION.get(name, name)


def _is_python(package: CondaPackage) -> bool:
    if package.name in _NOT_PYTHON:
        return False
    needs = {spec_name(text) for text in package.depends}
    return package.noarch == "python" or bool(needs & {"python", "python_abi"})


def _version(text: str) -> str | None:
    try:
        return str(Version(text))
    except InvalidVersion:
        return None
