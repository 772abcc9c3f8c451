"""Descriptions of frameworks and the files in images agree, whichever is changed."""

import ast
from pathlib import Path

import pytest

from freezer.frameworks import frameworks, trainings
from freezer.inside.freezer_inside import seeding
from freezer.inside.freezer_inside.switches import SWITCHES

INSIDE = Path(__file__).parents[3] / "freezer" / "inside" / "freezer_inside"


def source(name):
    return (INSIDE / f"{name}_training.py").read_text()


def parameters(name):
    """Return ``SWITCHES`` of a training: its framework is not installed here, so it is read."""
    for node in ast.parse(source(name)).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "SWITCHES":
            return set(ast.literal_eval(node.value))
    return set()


def test_each_training_has_a_description_and_the_other_way_round():
    programs = {path.name.removesuffix("_training.py") for path in INSIDE.glob("*_training.py")}
    assert programs == set(trainings())
    assert {name: item.training for name, item in frameworks().items()} == {
        name: name for name in programs
    }


@pytest.mark.parametrize("name", trainings())
def test_each_switch_is_described_and_the_other_way_round(name):
    inside = {(row.name, row.gpu) for row in SWITCHES if row.framework == name}
    inside |= {(switch, False) for switch in parameters(name)}
    assert {(switch.name, switch.gpu) for switch in frameworks()[name].switches} == inside


def test_switches_of_nothing_else_are_set():
    assert {row.framework for row in SWITCHES} <= set(trainings())


def test_what_is_seeded_for_ones_own_code_is_described():
    described = {name for name, item in frameworks().items() if item.seeded}
    assert described == set(seeding._SEEDERS)


@pytest.mark.parametrize("name", trainings())
def test_loader_workers_are_those_that_the_training_asks_for(name):
    text = source(name)
    assert frameworks()[name].loader_workers == ("workers()" in text), name


@pytest.mark.parametrize("name", trainings())
def test_each_keeps_to_its_own_framework(name):
    others = set(trainings()) - {name, "numpy"}
    assert not [other for other in others if f"\nimport {other}" in source(name)]


@pytest.mark.parametrize("name", trainings())
def test_each_leaves_when_it_is_done(name):
    assert source(name).endswith('\nif __name__ == "__main__":\n    main()\n    leave()\n')
