"""Errors of rooms that know no spec get the place in the spec that they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import FetchError, HostError, ResolveError, SpecError, Where
from freezer.flows.project.environment import Environment, load_environment
from freezer.flows.project.spec_errors import errors_at

SPEC = """\
name: demo
base: {bootstrap: bookworm}
python: '3.11'
pip:
  - numpy
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "freeze.yaml").write_text(SPEC)
    return load_environment(tmp_path, None)


@pytest.mark.parametrize("kind", [SpecError, ResolveError, FetchError])
def test_an_error_without_a_place_gets_the_key_s(
    environment: Environment, kind: type[SpecError]
) -> None:
    with pytest.raises(kind) as caught, errors_at(environment, "pip"):
        raise kind("no")
    assert str(caught.value.where) == "freeze.yaml:4 (pip)"
    assert caught.value.hint is None


@pytest.mark.parametrize(("hint", "expected"), [(None, "and so"), ("do", "do; and so")])
def test_the_hint_is_extended(environment: Environment, hint: str | None, expected: str) -> None:
    with pytest.raises(SpecError) as caught, errors_at(environment, "pip", also="and so"):
        raise SpecError("no", hint=hint)
    assert caught.value.hint == expected


def test_a_key_gets_its_line(environment: Environment) -> None:
    with pytest.raises(SpecError) as caught, errors_at(environment, "pip", also="never"):
        raise SpecError("no", where=Where("freeze.yaml", key="python"))
    assert str(caught.value.where) == "freeze.yaml:3 (python)"
    assert caught.value.hint is None


@pytest.mark.parametrize(
    "where", [Where("requirements.txt", 7), Where("freeze.yaml", 2, "base"), Where("other.yaml")]
)
def test_a_place_stays(environment: Environment, where: Where) -> None:
    with pytest.raises(SpecError) as caught, errors_at(environment, "pip"):
        raise SpecError("no", where=where)
    assert caught.value.where == where


def test_other_errors_pass(environment: Environment) -> None:
    with pytest.raises(HostError) as caught, errors_at(environment, "pip"):
        raise HostError("no")
    assert caught.value.where is None
