"""What lies inside images as one package: functions for one's own trainings, brought when asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from freezer.inside import freezer_inside
from freezer.inside.freezer_inside import keyed, seeding

INSIDE = Path(__file__).parents[3] / "freezer" / "inside"


def test_every_function_is_that_of_its_module():
    for name in freezer_inside.__all__:
        place = keyed if hasattr(keyed, name) else seeding
        assert getattr(freezer_inside, name) is getattr(place, name)


def test_what_is_not_there_is_said():
    with pytest.raises(AttributeError, match="no attribute 'sede_everything'"):
        _ = freezer_inside.sede_everything
    with pytest.raises(ImportError, match="cannot import name 'sede_everything'"):
        exec("from freezer.inside.freezer_inside import sede_everything")


@pytest.mark.process
def test_the_programs_that_start_trainings_bring_no_more_than_they_need():
    # Coverage, where it measures, has loaded modules of its own before.
    script = (
        "import sys; own = set(sys.modules); import freezer_inside.smoke; "
        "print(*set(sys.modules) - own)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=INSIDE, capture_output=True, check=True, text=True
    )
    brought = set(done.stdout.split())
    assert "freezer_inside.determinism" in brought
    assert not brought & {"ctypes", "random", "multiprocessing", "freezer_inside.record"}
