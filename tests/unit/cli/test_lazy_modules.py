"""A module that is loaded late behaves as if it had been there, also for threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

IMPORTED = "from importlib.metadata import entry_points\nimport importlib.metadata as metadata\n"
USES = {
    "a function imported by name": "found = entry_points(group='console_scripts')",
    "a function of the module": "found = metadata.version('pydantic')",
    "a class of the module": "found = metadata.PackageNotFoundError.__name__",
    "a submodule": "from importlib.metadata import _adapters; found = _adapters.Message.__name__",
    "a missing name": "found = getattr(metadata, 'nothing', 'none')",
}


def run(text: str) -> str:
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


LATE = "import sys\nfrom freezer.cli.lazy_modules import load_late\nload_late()\n"


@pytest.mark.process
@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_what_is_used_is_the_same(use: str) -> None:
    told = f"{IMPORTED}{use}\nprint(found)\n"
    assert run(LATE + told) == run(told)
    assert run(f"{LATE}{IMPORTED}print('email' in sys.modules)") == "False\n"
    assert run(f"{LATE}{told}print(sys.modules['importlib.metadata'].__class__.__name__)").endswith(
        "module\n"
    )


THREADS = """
from threading import Barrier, Thread
found, barrier = [], Barrier(8)

def use():
    barrier.wait()
    found.append(metadata.version("pydantic"))

threads = [Thread(target=use) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == 8 and len(set(found)) == 1, found
"""


@pytest.mark.process
def test_threads_that_use_it_first_at_once() -> None:
    for _ in range(3):
        run(LATE + IMPORTED + THREADS)


@pytest.mark.process
def test_a_loaded_module_stays() -> None:
    assert run(f"import importlib.metadata as real\n{LATE}import importlib.metadata as now\n"
               "print(real is now)") == "True\n"  # fmt: skip
