"""The Python that conda packages bring: the one that the spec names, and CPython with its lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import ResolveError
from freezer.flows.lock.conda import conda_python
from freezer.flows.project.environment import Environment, load_environment
from tests.support.python.accelerators import conda

SPEC = "name: demo\nbase: {bootstrap: bookworm}\npython: '3.13'\nconda: environment.yml\n"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "freeze.yaml").write_text(SPEC)
    return load_environment(tmp_path, None)


def test_the_target_is_condas_python(environment: Environment) -> None:
    found = conda_python([conda("numpy"), conda("python", "3.13.2", "h1_cp313")], environment)
    assert (found.version, found.abi) == ("3.13.2", "cp313")
    assert found.executable == "/opt/env/bin/python3.13"


@pytest.mark.parametrize(
    ("packages", "found"),
    [
        ([conda("numpy")], "no python package"),
        ([conda("python", "3.12.1", "h1_0_cpython")], "python 3.12.1 h1_0_cpython"),
        ([conda("python", "3.1.3", "h1")], "python 3.1.3 h1"),
    ],
)
def test_another_minor_version_or_none_is_refused(
    environment: Environment, packages: list[object], found: str
) -> None:
    """As a lock that is taken over may bring."""
    with pytest.raises(ResolveError, match=r"contain no Python 3\.13") as caught:
        conda_python(packages, environment)  # type: ignore[arg-type]
    assert caught.value.found == found
    assert str(caught.value.where) == "freeze.yaml:3 (python)"


@pytest.mark.parametrize("build", ["h1_5_cp313t", "0_73_pypy", "1_graalpy312_native"])
def test_other_pythons_than_cpython_with_its_lock_are_refused(
    environment: Environment, build: str
) -> None:
    with pytest.raises(ResolveError, match="another Python than CPython") as caught:
        conda_python([conda("python", "3.13.2", build)], environment)
    assert "python-gil" in str(caught.value.hint)
