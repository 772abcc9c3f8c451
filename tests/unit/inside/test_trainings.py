"""Every built-in training is known wherever it must be."""

from pathlib import Path

import pytest

from freezer.check.compare.measure import _TOLERANCES
from freezer.flows.lock.image_settings import TRAINING_PACKAGES
from freezer.model.spec.spec import BUILT_IN_TRAININGS
from freezer.model.spec.validate import _EXPECTED

INSIDE = Path(__file__).parents[3] / "freezer" / "inside" / "freezer_inside"


def test_each_has_its_program_its_package_and_its_tolerance():
    programs = {path.name.removesuffix("_training.py") for path in INSIDE.glob("*_training.py")}
    assert programs == set(BUILT_IN_TRAININGS) == set(TRAINING_PACKAGES) == set(_TOLERANCES)


@pytest.mark.parametrize("name", BUILT_IN_TRAININGS)
def test_each_is_offered_where_a_spec_is_wrong(name):
    assert name in _EXPECTED["smoke.training"]


@pytest.mark.parametrize("name", BUILT_IN_TRAININGS)
def test_each_keeps_to_its_own_framework(name):
    text = (INSIDE / f"{name}_training.py").read_text()
    others = {"torch", "jax", "xgboost", "lightgbm", "sklearn", "tensorflow"} - {name}
    assert not [other for other in others if f"\nimport {other}" in text]


@pytest.mark.parametrize("name", BUILT_IN_TRAININGS)
def test_each_leaves_when_it_is_done(name):
    text = (INSIDE / f"{name}_training.py").read_text()
    assert text.endswith('\nif __name__ == "__main__":\n    main()\n    leave()\n')
