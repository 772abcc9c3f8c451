"""Each description is whole, has its sources, and cannot be changed."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from itertools import combinations
from typing import get_args

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from freezer.frameworks import (
    by_package,
    described,
    frameworks,
    mistaken_names,
    python_names,
    trainings,
)
from freezer.frameworks.description import Framework, Likelihood

EVERY = described()
BY_TITLE = pytest.mark.parametrize("item", EVERY, ids=lambda item: item.title)


@BY_TITLE
def test_names_are_normalised(item: Framework) -> None:
    for name in (*item.distributions, *item.mistaken, *item.conda.values()):
        assert canonicalize_name(name) == name
    assert item.packages


def test_no_two_descriptions_claim_a_name() -> None:
    for one, other in combinations(EVERY, 2):
        assert not {*one.distributions, *one.conda} & {*other.distributions, *other.conda}
        assert one.title != other.title


def test_a_name_that_is_mistaken_for_one_is_none_itself() -> None:
    right = {name for item in EVERY for name in item.distributions}
    assert not right & mistaken_names().keys()
    assert set(mistaken_names().values()) <= right


@BY_TITLE
def test_documented_rows_have_their_source(item: Framework) -> None:
    for row in item.documented:
        assert row.source.startswith("https://")
        assert row.says
        assert row.mitigation


@BY_TITLE
def test_influences_are_patterns_with_a_reason(item: Framework) -> None:
    for row in (*item.changes, *item.variables):
        re.compile(row.pattern)
        assert row.likelihood in get_args(Likelihood)
        assert row.why


@pytest.mark.parametrize("name", trainings())
def test_a_change_of_a_framework_is_a_change_of_results(name: str) -> None:
    item = frameworks()[name]
    for package in (*item.distributions, *item.conda):
        assert any(re.fullmatch(row.pattern, package) for row in item.changes), package


@pytest.mark.parametrize("name", trainings())
def test_a_training_has_a_tolerance_and_its_source(name: str) -> None:
    tolerance = frameworks()[name].tolerance
    assert tolerance is not None
    assert 0 < tolerance.loss <= tolerance.tensor or name in ("jax", "numpy"), name
    assert tolerance.tensor < 1e-3
    assert tolerance.source


@BY_TITLE
def test_gpu_facts_are_of_its_own_packages(item: Framework) -> None:
    if item.gpu is None:
        return
    gpu, own = item.gpu, {*item.distributions, *item.conda}
    assert gpu.source
    assert {*gpu.cpu_wheels, *gpu.wheels_on_cpu} <= {*item.distributions}
    assert {row.package for row in gpu.companions} <= own
    assert gpu.conda_cpu.keys() <= own
    assert {part for parts in gpu.conda_parts.values() for part in parts} <= {*gpu.conda}
    series = [Version(row.series) for row in gpu.wheels]
    assert series == sorted(set(series))
    for row in gpu.wheels:
        assert SpecifierSet(f"=={row.cuda}.*").contains(f"{row.cuda}.1")


@BY_TITLE
def test_a_description_cannot_be_changed(item: Framework) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.title = "x"  # type: ignore[misc]
    for value in (item.conda, item.oldest_kernels, *((item.gpu.cpu_wheels,) if item.gpu else ())):
        with pytest.raises(TypeError):
            value["x"] = "y"  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("torch", "PyTorch"),
        ("pytorch", "PyTorch"),
        ("jaxlib", "JAX"),
        ("tensorflow-base", "TensorFlow"),
        ("xgboost-cpu", "XGBoost"),
        ("py-xgboost-gpu", "XGBoost"),
        ("flash-attn", "FlashAttention"),
        ("six", None),
    ],
)
def test_a_package_is_found_by_any_of_its_names(name: str, title: str | None) -> None:
    found = by_package(name)
    assert (found.title if found else None) == title


def test_conda_names_are_those_that_differ() -> None:
    assert python_names()["pytorch"] == "torch"
    assert all(conda != name for conda, name in python_names().items())


LOADED = "print(sorted(name for name in sys.modules if name.startswith('freezer.frameworks.')))"


@pytest.mark.process
@pytest.mark.parametrize(
    "program",
    [
        "from freezer.cli.main import run\ntry: run(['--help'])\nexcept SystemExit: pass",
        "from freezer.frameworks import trainings; assert 'torch' in trainings()",
    ],
    ids=["help", "names"],
)
def test_descriptions_are_loaded_where_a_fact_is_asked_for(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\n{LOADED}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
