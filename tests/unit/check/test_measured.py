"""Measured effects of a lock: which concern it, whether its settings stop them, which fit."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from benchmarks.atlas.trial import Trial, trials
from freezer.check.cause.measured import MOST, fitting_causes, fitting_effects
from freezer.check.measured import covered, locked_rows
from freezer.frameworks.atlas.table import Row, module_name, packages, sheet
from freezer.model.lock import Lock
from tests.support.project.locks import make_lock

FIXED = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "0"}
ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def locked(*versions: tuple[str, str], cpus: int = 2, **environment: str) -> Lock:
    made = make_lock()
    [example] = made.pip
    found = [example.model_copy(update={"name": name, "version": one}) for name, one in versions]
    smoke = made.smoke.model_copy(update={"cpus": cpus})
    return make_lock(
        pip=tuple(sorted(found, key=lambda item: item.name)),
        smoke=smoke,
        environment={**FIXED, **environment},
    )


def row(factor: str, effect: str, **more: Any) -> Row:
    digests = {"1.0": {"1": ("0" * 16,)}}
    return Row.model_validate(
        {
            "operation": "f", "versions": ("1.0",), "factor": factor, "effect": effect,
            "finding": "x", "how": "x", "date": "2026-11-30", "digests": digests, **more,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "environment", "wanted"),
    [
        (row("threads", "differs", by="environment"), FIXED, True),
        (row("threads", "differs", by="environment"), {}, False),
        (row("threads", "varies", by="environment"), FIXED, False),
        (row("threads", "varies", by="environment"), ONE, True),
        (row("threads", "differs", by="argument"), ONE, None),
        (row("blas threads", "differs"), FIXED, True),
        (row("blas threads", "varies"), FIXED, False),
        (row("blas threads", "differs"), {}, False),
        (row("hash seed", "differs"), FIXED, True),
        (row("hash seed", "differs"), {"PYTHONHASHSEED": "random"}, False),
        (row("hash seed", "differs"), {}, False),
        (row("process", "varies"), FIXED, None),
        (row("call", "varies"), FIXED, None),
        (row("process", "varies", variables={"A": "1"}), {"A": "1"}, True),
        (row("process", "varies", variables={"A": "1"}), {"A": "2"}, False),
    ],
)
def test_settings_of_an_image_stop_what_they_are_measured_to_stop(
    found: Row, environment: dict[str, str], wanted: bool | None
) -> None:
    assert covered(found, environment) is wanted


def test_only_locked_versions_and_only_effects() -> None:
    lock = locked(("polars", "2.1.0"), ("six", "1.0"))
    found = list(locked_rows(lock))
    assert found
    assert {item.package for item in found} == {"polars"}
    assert all(item.row.effect != "same" for item in found)
    assert list(locked_rows(locked(("polars", "0.1")))) == []


def _is_marked(node: ast.FunctionDef) -> bool:
    return any("operation(" in ast.unparse(mark) for mark in node.decorator_list)


def program(text: str, name: str) -> str:
    """Return a trial with one of its operations alone: a small training."""
    tree = ast.parse(text)
    tree.body = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef) or node.name == name or not _is_marked(node)
    ]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            # The mark of the trial has the title itself; others belong to the library.
            marks = node.decorator_list
            node.decorator_list = [mark for mark in marks if "operation(" not in ast.unparse(mark)]
    return ast.unparse(tree)


def faults(effect: str = "varies") -> list[tuple[str, str, str, str]]:
    """Return package, version, operation and source of each operation that has an effect."""
    sources = {trial.package: trial for trial in trials()}
    found = {}
    for name in packages():
        known = sheet(name)
        assert known is not None
        text = sources[name].path.read_text()
        functions = {one.title: one.name for one in sources[name].operations}
        for item in known.rows:
            if item.factor in ("process", "call", "threads") and item.effect == effect:
                source = program(text, functions[item.operation])
                found[name, item.operation] = (name, item.versions[-1], item.operation, source)
    return list(found.values())


FAULTS = faults()


def test_there_are_twenty_faults_to_be_named() -> None:
    assert len(FAULTS) >= 20


@pytest.mark.parametrize("fault", FAULTS, ids=lambda item: f"{item[0]}: {item[2]}")
def test_a_training_with_a_measured_fault_has_it_named(fault: tuple[str, str, str, str]) -> None:
    """Each operation of a trial is a small training that has the fault."""
    name, version, operation, source = fault
    lock = locked((name, version), ("numpy", "2.4.6"), ("scipy", "1.17.1"), ("polars", "2.1.0"))
    named = [text for text in fitting_causes(lock, [source]) if f", {operation}: " in text]
    assert named, (operation, source)
    assert named[0].startswith(f"measured of {name} {version}, ")


def test_the_best_fit_goes_first_and_no_more_than_a_few_are_named() -> None:
    lock = locked(("polars", "2.1.0"), ("scikit-learn", "1.9.1"))
    source = 'import polars as pl\nf.lazy().group_by("k").agg(pl.col("v").sum()).collect()\n'
    found = fitting_causes(lock, [source])
    assert "LazyFrame.group_by(...).agg(sum).collect()" in found[0]
    assert "what stops it: collect(engine='in-memory')" in found[0]
    assert len(found) <= MOST


def test_without_a_source_or_a_fit_nothing_is_claimed() -> None:
    lock = locked(("polars", "2.1.0"))
    assert fitting_causes(lock, []) == ()
    assert fitting_causes(lock, ["print('hello')"]) == ()
    assert fitting_causes(locked(), ["group_by agg sum collect"]) == ()


def test_races_of_threads_are_none_where_a_training_has_one_cpu() -> None:
    source = "duckdb.sql('select sum(x)')"
    assert fitting_causes(locked(("duckdb", "2.0.1")), [source])
    assert fitting_causes(locked(("duckdb", "2.0.1"), cpus=1), [source]) == ()


def test_a_library_that_is_not_imported_is_not_named() -> None:
    lock = locked(("polars", "2.1.0"), ("pyarrow", "26.0.1"))
    source = "import pyarrow\ntable.group_by('key').aggregate([('value', 'sum')])\n"
    found = fitting_causes(lock, [source])
    assert found
    assert all(text.startswith("measured of pyarrow") for text in found)


@pytest.mark.parametrize("trial", trials(), ids=lambda item: item.package)
def test_the_name_by_which_a_library_is_imported_is_that_of_its_trial(trial: Trial) -> None:
    imported = set()
    for node in ast.walk(ast.parse(trial.path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {item.name.split(".")[0] for item in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert all(module_name(name) in imported for name in (trial.package, *trial.also))


def test_what_an_audit_varies_has_the_measured_effects_that_fit() -> None:
    lock = locked(("lightgbm", "4.7.0"), ("pandas", "3.1.1"))
    source = "import lightgbm, pandas\nlightgbm.train(given, rows)\nSeries(list(set(words)))\n"
    for varied in ("threads-1", "threads-4", "race"):
        first, *_ = fitting_effects(lock, [source], varied)
        assert "lightgbm.train with a heavy-tailed target" in first
        assert "deterministic=True, force_row_wise=True" in first
    [hashed] = fitting_effects(lock, [source], "hash-seed")
    assert "Series(list(set(...)))" in hashed
    assert fitting_effects(lock, [source], "cpu-v2") == ()
    assert fitting_effects(lock, [], "threads-4") == ()


@pytest.mark.parametrize("fault", faults("differs"), ids=lambda item: f"{item[0]}: {item[2]}")
def test_an_audit_names_what_differs_with_threads(fault: tuple[str, str, str, str]) -> None:
    name, version, operation, source = fault
    named = fitting_effects(locked((name, version)), [source], "threads-4")
    assert any(f", {operation}: " in text for text in named), (operation, named)
