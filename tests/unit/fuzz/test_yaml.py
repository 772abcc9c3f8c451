"""YAML that a person wrote: specs, configurations, locks; and what they all are read by."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freezer.errors import ConfigError, FreezerError, SpecError
from freezer.fetch.config import load_config
from freezer.model.lockfile import parse_lock
from freezer.model.spec.validate import parse_spec
from freezer.model.yaml_document import read_yaml
from freezer.resolve.python.requirements.file import decode, read_text
from tests.support.examples import examples
from tests.support.fuzz import Target, hold

TRAININGS = frozenset({"numpy"})
ROOT = Path(__file__).parents[3]
SPECS = tuple(path.read_bytes() for path in sorted(ROOT.glob("images/*/freeze.yaml")))
CONFIG = b"""\
sources:
  pypi: https://pypi.example.org/simple
  conda:
    conda-forge: [https://conda.example.org/conda-forge]
"""
SMALL_LOCK = min(ROOT.glob("lockfiles/*/freeze.lock.yaml"), key=lambda one: one.stat().st_size)


def config(data: bytes) -> object:
    """Read a configuration as `.freezer.yaml` of a project."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        (Path(folder) / ".freezer.yaml").write_bytes(data)
        return load_config(Path(folder))


def requirements(data: bytes) -> object:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "requirements.txt"
        path.write_bytes(data)
        return read_text(path, "requirements.txt")


TARGETS = [
    Target("a YAML document", lambda data: read_yaml(data, "x.yaml"), (*SPECS[:3], CONFIG), "text"),
    Target("a spec", lambda data: parse_spec(data, "freeze.yaml", TRAININGS), SPECS, "text"),
    Target("a configuration", config, (CONFIG,), "text"),
    Target("a lock", lambda data: parse_lock(data, "x"), (SMALL_LOCK.read_bytes(),), "text"),
    Target("a requirements file's text", requirements, (b"# coding: latin-1\nnumpy\n",), "text"),
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.name)
def test_only_named_errors_come_out(target: Target) -> None:
    hold(target)


SCALARS = [
    "0b_", "0x_", "0o_", "-0b_", "1_:9_", "!!bool x", "!!int ''", "!!int x", "!!float x", "!!null x",
    "!!timestamp 2001-13-45", "!!timestamp x", "2001-99-99", "!!binary x", "!!python/object:os.system x",
    "9" * 5000, "!!int " + "9" * 5000, "!!seq x", "!!map x", "!!set x", "!!omap x", "!x y", "=", "<<",
    "!!merge <<", "!!value =", "0b" + "1" * 20_000, "1:60:60:60", "190:20:30", "._", "+_", "-_", "0_",
]  # fmt: skip


@pytest.mark.parametrize("scalar", SCALARS)
@pytest.mark.parametrize("key", ["name", "python", "labels"])
def test_scalars_that_are_not_what_yaml_takes_them_for(
    tmp_path: Path, scalar: str, key: str
) -> None:
    data = (
        f"name: demo\n{key}_x: {scalar}\n".encode()
        if key == "name"
        else f"{key}: {scalar}\n".encode()
    )
    for work in (
        lambda: read_yaml(data, "freeze.yaml"),
        lambda: parse_spec(data, "freeze.yaml", TRAININGS),
    ):
        assert_placed(work, SpecError)
    assert_placed(lambda: config(data), ConfigError)


def assert_placed(work: Callable[[], object], kind: type[FreezerError]) -> None:
    """See that nothing but an error with its place comes out."""
    caught: FreezerError | None = None
    try:
        work()
    except kind as error:
        caught = error
    assert caught is None or caught.where is not None


def test_the_message_names_line_and_way_out() -> None:
    with pytest.raises(SpecError) as caught:
        read_yaml(b"name: x\npip:\n  - 0b_\n", "freeze.yaml")
    assert str(caught.value).splitlines() == [
        "freeze.yaml:3 (pip[0]): the value is not of the type 'int' that YAML takes it for",
        "  found:    0b_",
        "  next:     quote it if it is meant as text",
    ]


@settings(max_examples=examples(300), deadline=None)
@given(st.text(st.sampled_from("0123456789_xob:.-+eE!~<>=&*'\"[]{}# \nyntrufalsYNbi"), max_size=12))
def test_any_scalar(text: str) -> None:
    with suppress(SpecError):
        read_yaml(f"a: {text}\n".encode(), "x.yaml")


@pytest.mark.parametrize(
    "coding", ["undefined", "rot13", "hex", "idna", "punycode", "nope", "utf-16", "utf-7"]
)
def test_a_declared_coding_that_is_none(tmp_path: Path, coding: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes(f"# coding: {coding}\n\xff\xfe numpy\n".encode("latin-1"))
    with suppress(SpecError):
        read_text(path, "requirements.txt")
    assert decode(b"# coding: latin-1\n\xe9") == "# coding: latin-1\n\xe9"


@pytest.mark.parametrize("data", [b"", b"# only a comment\n", b"---\n", b"{}\n"])
def test_a_configuration_may_be_empty(data: bytes) -> None:
    config(data)
