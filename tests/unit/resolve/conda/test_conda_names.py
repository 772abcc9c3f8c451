"""Names of conda packages among Python packages: what pip must leave alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from freezer.model.lock import CondaPackage
from freezer.resolve.conda import names
from freezer.resolve.conda.solver.result import package_of
from tests.support.conda.conda_forge import SECTIONS, conda_forge
from tests.support.conda.condaindex import record


def package(name: str, version: str = "1.0", **more: Any) -> CondaPackage:
    entry = {"depends": ["python >=3.11,<3.12.0a0"], **more}
    document = {**record(name, version, **entry), "fn": f"{name}.conda", "channel": "forge"}
    return package_of(document, {"reason": "asked for"})


@pytest.mark.parametrize(
    ("conda", "pypi"),
    [
        ("numpy", ("numpy",)),
        ("pytorch", ("torch",)),
        ("matplotlib-base", ("matplotlib",)),
        ("pytables", ("tables",)),
        ("typing_extensions", ("typing-extensions",)),
        ("ruamel.yaml", ("ruamel-yaml",)),
        ("python-graphviz", ("graphviz",)),
        ("py-xgboost-gpu", ("xgboost",)),
        ("faiss", ("faiss-cpu",)),
        ("python-dateutil", ("python-dateutil",)),
        ("opencv", ("opencv-python", "opencv-python-headless", "opencv-contrib-python")),
    ],
)
def test_names(conda: str, pypi: tuple[str, ...]) -> None:
    assert names.pypi_names(package(conda)) == pypi


@pytest.mark.parametrize("name", ["graphviz", "ninja", "blosc", "openssl", "cudnn"])
def test_libraries_and_programs_are_no_python_packages(name: str) -> None:
    assert names.pypi_names(package(name, depends=["libstdcxx >=13"])) == ()


@pytest.mark.parametrize("name", ["python", "boost"])
def test_what_needs_python_is_not_always_a_python_package(name: str) -> None:
    assert names.pypi_names(package(name, depends=["python_abi 3.11.* *_cp311"])) == ()


def test_what_is_made_for_every_python_is_one() -> None:
    assert names.pypi_names(package("tqdm", depends=["colorama"], noarch="python")) == ("tqdm",)
    assert names.pypi_names(package("tzdata", depends=[], noarch="generic")) == ()


def test_versions_are_held_where_they_compare() -> None:
    held = names.provided_by_conda(
        [package("numpy", "2.2.1"), package("opencv", "4.10.0"), package("certifi", "2026.01.02")]
    )
    assert {name: version for name, (_, version) in held.items()} == {
        "numpy": "2.2.1",
        "opencv-python": None,
        "opencv-python-headless": None,
        "opencv-contrib-python": None,
        "certifi": "2026.1.2",
    }


def test_the_package_of_that_very_name_goes_first() -> None:
    both = [package("matplotlib-base", "3.9"), package("matplotlib", "3.9")]
    for order in (both, both[::-1]):
        assert names.provided_by_conda(order)["matplotlib"][0].name == "matplotlib"


def test_a_version_that_pip_cannot_read_holds_the_name() -> None:
    assert names.provided_by_conda([package("odd", "2022a_b!")])["odd"][1] is None


def test_the_table_holds_differences_only() -> None:
    for conda, pypi in names._SAME_VERSION.items():
        assert names.canonicalize_name(conda) != pypi
        assert names.canonicalize_name(pypi) == pypi


MISTAKEN = {
    "flit-core": "it is flit's core, and not flit",
    "libopencv": "a library; py-opencv has the module",
    "mamba": "a metapackage",
    "nbconvert": "a metapackage of nbconvert-core",
    "nbconvert-core": "named after itself",
    "nbconvert-pandoc": "a metapackage",
    "pandoc": "the program; another package has its name on the index",
    "prompt_toolkit": "a metapackage of prompt-toolkit",
    "python": "CPython itself; another package has its name on the index",
    "rerun-sdk": "has a second module, rerun-notebook",
    "zeromq": "the library; another package has its name on the index",
}
"""Packages whose records in the channel name Python packages that they are not."""


def test_names_are_those_that_genuine_records_tell(tmp_path: Path) -> None:
    """conda-forge writes down in ``purls`` what Python packages a package is."""
    agreed, differing = set(), set()
    channel = conda_forge(tmp_path / "channel")
    for path in sorted(channel.glob("*/repodata.json")):
        index = json.loads(path.read_bytes())
        for file, item in (pair for key in SECTIONS for pair in index[key].items()):
            told = {canonicalize_name(name) for name in map(_python_name, item.get("purls") or ())}
            if not told or item.get("sha256") is None:
                continue
            document = {"size": 1, **item, "fn": file, "channel": "conda-forge"}
            mine = set(names.pypi_names(package_of(document, {"reason": "asked for"})))
            (agreed if mine == told else differing).add(item["name"])
    assert differing - MISTAKEN.keys() == set()
    assert len(agreed) > 100


def _python_name(purl: str) -> str:
    assert purl.startswith("pkg:pypi/")
    return purl.removeprefix("pkg:pypi/").partition("@")[0].partition("?")[0]
