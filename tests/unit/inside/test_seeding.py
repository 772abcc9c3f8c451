"""One line seeds everything, and says so when a check listens."""

import importlib.machinery
import random
import subprocess
import sys
import types
from pathlib import Path

import pytest

from freezer.inside.freezer_inside import seed_everything, seeding, worker_init
from freezer.inside.freezer_inside.determinism import SEED
from freezer.inside.freezer_inside.record import NAME
from freezer.model.record.protocol import PREFIX, parse_lines

INSIDE = Path(__file__).parents[3] / "freezer" / "inside"


class Seeded:
    def __init__(self):
        self.seeds = []

    def seed(self, seed):
        self.seeds.append(seed)


@pytest.fixture
def numpy(monkeypatch):
    """Put a NumPy in place that only remembers its seeds."""
    module = types.ModuleType("numpy")
    module.__spec__ = importlib.machinery.ModuleSpec("numpy", None)
    module.random = Seeded()
    monkeypatch.setitem(sys.modules, "numpy", module)
    return module


@pytest.mark.parametrize("given", [(), (99,), (0,)])
def test_the_seed_is_the_images_unless_one_is_given(monkeypatch, given):
    monkeypatch.setenv(SEED, "42")
    seed = seed_everything(*given)
    drawn = random.random()
    assert seed == (given[0] if given else 42)
    assert drawn == random.Random(seed).random()


def test_a_seed_below_zero_is_refused():
    with pytest.raises(ValueError, match="must not be below zero"):
        seed_everything(-1)


def test_numpy_is_seeded_where_it_is_within_what_it_takes(numpy):
    seed_everything(2**32 + 5)
    assert numpy.random.seeds == [5]


def test_nothing_is_printed_outside_of_a_check(monkeypatch, capsys):
    monkeypatch.delenv(NAME, raising=False)
    seed_everything(1)
    assert capsys.readouterr().out == ""


def test_what_it_sets_is_in_the_record_of_a_check(monkeypatch, capsys):
    monkeypatch.setenv(NAME, "own")
    monkeypatch.setitem(seeding._SEEDERS, "random", lambda seed: {"a switch": "on"})
    seed_everything(7)
    told = [line for line in capsys.readouterr().out.encode().splitlines() if line]
    [training] = parse_lines(told)[1]
    assert [(one.kind, one.name, one.value) for one in training.observations] == [
        ("setting", "seed", "7"),
        ("setting", "a switch", "on"),
    ]


@pytest.mark.process
def test_a_worker_process_tells_nothing():
    code = (
        "import multiprocessing, freezer_inside\n"
        "context = multiprocessing.get_context('fork')\n"
        "process = context.Process(target=freezer_inside.seed_everything)\n"
        "process.start(); process.join(); print('end', process.exitcode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(INSIDE), NAME: "own"},
        capture_output=True,
        check=True,
    )
    assert PREFIX not in done.stdout
    assert done.stdout == b"end 0\n"


def test_a_worker_takes_the_seed_that_pytorch_gave_it(monkeypatch, numpy):
    torch = types.SimpleNamespace(initial_seed=lambda: 2**40 + 3)
    monkeypatch.setitem(sys.modules, "torch", torch)
    worker_init(1)
    assert random.random() == random.Random(2**40 + 3).random()
    assert numpy.random.seeds == [3]
