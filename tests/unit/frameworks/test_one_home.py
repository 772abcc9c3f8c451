"""A framework has one home: outside of it, code names none."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.frameworks import described
from freezer.resolve.python import well_known
from tests.support.architecture import source

ROOT = Path(__file__).parents[3]
HOMES = ("freezer/frameworks/", "freezer/inside/")
TORCH = {
    f"freezer/resolve/accelerator/{name}.py"
    for name in ("available", "check", "pip", "torch_wheels")
}
"""torch alone has indexes by CUDA and says in a local version which one a wheel is for."""
NAMES = {
    name
    for item in described()
    for name in (*item.distributions, *item.conda, *item.debian, item.training)
    if name is not None
}


def named(path: Path) -> set[str]:
    """Return the names of frameworks among the texts of a module, also in patterns of several."""
    return NAMES.intersection(name for text in source(path).texts for name in text.split("|"))


def test_no_other_module_names_a_framework() -> None:
    found = {}
    for path in sorted((ROOT / "freezer").rglob("*.py")):
        shown = path.relative_to(ROOT).as_posix()
        names = named(path)
        if names and not shown.startswith(HOMES) and (shown not in TORCH or names != {"torch"}):
            found[shown] = names
    assert found == {}, "describe it in freezer/frameworks, and read it from there"


@pytest.mark.parametrize("code", ['X = ("torch",)', 'X = {"py-xgboost": 1}', 'X = r"a|jaxlib"'])
def test_a_name_would_be_found(code: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(code)
    assert named(tmp_path / "module.py")


def test_well_known_names_of_frameworks_come_from_descriptions() -> None:
    assert not NAMES.intersection(well_known._NAMES.split())
