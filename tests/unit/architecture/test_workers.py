"""The workers that run the unit tests: they report what one process reports, and what went wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.process

CONFTEST = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.workers import Workers

def pytest_addoption(parser):
    parser.addoption("--workers", type=int, default=0)

def pytest_configure(config):
    if config.option.workers:
        config.pluginmanager.register(Workers(config, config.option.workers, ["test_last.py"]))
"""
FILES = {
    "tests/a/conftest.py": "import pytest\n@pytest.fixture(scope='session')\ndef word(): return 'a'\n",
    "tests/a/test_first.py": "def test_own(word, tmp_path): assert word == 'a'; print(tmp_path)\n",
    "tests/a/test_second.py": "def test_own(word): assert word == 'b', 'another word'\n",
    "tests/b/test_third.py": "import pytest\n@pytest.mark.parametrize('n', range(50))\ndef test_n(n): pass\n",
    "tests/b/test_other.py": "import pytest\ndef test_skipped(): pytest.skip('not here')\n",
    "tests/b/test_empty.py": "",
    "tests/test_last.py": "import pytest\n@pytest.fixture\ndef broken(): raise OSError('no')\n"
    "def test_error(broken): pass\n@pytest.mark.xfail\ndef test_x(): assert False\n",
}


def suite(folder: Path, **more: str) -> Path:
    for name, text in {"conftest.py": CONFTEST, **FILES, **more}.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    return folder


def run(folder: Path, *options: str) -> tuple[int, str, set[str]]:
    """Return the exit code, the line of counts, and the lines about single tests."""
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:randomly", "tests", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    counts = next((line for line in reversed(lines) if " in " in line), done.stdout + done.stderr)
    single = {line for line in lines if line.startswith(("PASSED", "FAILED", "ERROR", "SKIPPED"))}
    return done.returncode, counts.partition(" in ")[0], single


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-k", "own or skipped"),
        ("-m", "no"),
        ("tests/b/test_third.py::test_n",),
        ("-x", "-k", "x"),
    ],
)
def test_they_report_what_one_process_reports(tmp_path: Path, options: tuple[str, ...]) -> None:
    alone = run(suite(tmp_path), *options)
    assert run(tmp_path, *options, "--workers", "2") == alone
    assert run(tmp_path, *options, "--workers", "9") == alone


def test_a_file_that_cannot_be_imported_is_an_error(tmp_path: Path) -> None:
    suite(tmp_path, **{"tests__test_bad.py": "import nosuch"})
    code, counts, single = run(tmp_path, "--workers", "2")
    assert (code, counts) == (1, "1 failed, 51 passed, 1 skipped, 1 xfailed, 2 errors")
    assert any(line.startswith("ERROR tests/test_bad.py") for line in single)


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os._exit(7)"])
def test_a_worker_that_dies_is_a_failure(tmp_path: Path, end: str) -> None:
    suite(tmp_path, **{"tests__test_bad.py": f"import os\ndef test_dies(): {end}\n"})
    command = [sys.executable, "-m", "pytest", "-q", "tests", "--workers", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "test_bad.py ended with " in done.stdout


def test_what_is_left_unclosed_is_found_at_the_end(tmp_path: Path) -> None:
    leak = "class Leak:\n    def __del__(self): raise OSError('left')\n"
    leak += "def test_leak():\n    one = Leak(); one.self = one\n"
    suite(tmp_path, **{"tests__test_leak.py": leak})
    code, _, _ = run(tmp_path, "-W", "error", "-k", "leak", "--workers", "1")
    assert code == 1


def test_they_stop_at_the_first_failure(tmp_path: Path) -> None:
    suite(tmp_path, **{f"tests__test_{n}.py": "def test_no(): assert 0" for n in range(40)})
    code, counts, _ = run(tmp_path, "-x", "-k", "no", "--workers", "2")
    assert code == 1
    assert counts.startswith(("1 failed", "2 failed"))  # another worker may have begun one
