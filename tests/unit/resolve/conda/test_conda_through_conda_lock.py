"""The real conda-lock, driven with a stand-in for the conda command that solves with rattler."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.errors import HostError, ResolveError
from freezer.fetch.config import Config
from freezer.model.events import SilentReporter
from freezer.resolve.conda import export
from freezer.resolve.conda.solver.choose import conda_solver
from freezer.resolve.conda.solver.conda_lock import find_tool, solve_with_conda_lock
from freezer.resolve.conda.solver.interface import CondaResolution
from freezer.resolve.conda.solver.rattler import solve
from tests.support.conda.condaindex import DAY, JANUARY, VIRTUAL, Room, asked, kept, pins, record
from tests.support.project.locks import make_lock

STAND_IN = """\
#!{python}
import asyncio, json, os, sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

def options(words):
    channels, specs, rest = [], [], list(words)
    while rest:
        word = rest.pop(0)
        if word in ("--channel", "-c"):
            channels.append(rest.pop(0))
        elif word in ("--prefix", "-p"):
            rest.pop(0)
        elif not word.startswith("-"):
            specs.append(word)
    return channels, specs

if sys.argv[1] == "--version":
    print("conda 26.1.0")
    sys.exit(0)
if sys.argv[1] == "info":
    print(json.dumps({{"pkgs_dirs": []}}))
    sys.exit(0)
import rattler
Path(os.environ["STAND_IN_LOG"]).write_text(json.dumps([sys.argv[1:], dict(os.environ)]))
channels, specs = options(sys.argv[2:])
indexes = []
for url in channels:
    for subdir in (os.environ["CONDA_SUBDIR"], "noarch"):
        path = Path(unquote(urlsplit(url).path)) / subdir / "repodata.json"
        if path.is_file():
            indexes.append(rattler.SparseRepoData(rattler.Channel(url), subdir, path))
try:
    records = asyncio.run(rattler.solve_with_sparse_repodata(specs, indexes))
except Exception as error:
    print(json.dumps({{"message": str(error), "success": False}}))
    sys.stdout.flush()
    os._exit(1)
fetch = [{{**json.loads(item.to_json())}} for item in records]
print(json.dumps({{"actions": {{"FETCH": fetch, "LINK": []}}, "success": True}}))
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a conda on the path; return where it writes what it was told."""
    tool = tmp_path / "bin" / "conda"
    tool.parent.mkdir()
    tool.write_text(STAND_IN.format(python=sys.executable))
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.setenv("STAND_IN_LOG", str(tmp_path / "log.json"))
    return tmp_path / "log.json"


def ask(room: Room, *texts: str, **more: object) -> CondaResolution:
    return solve_with_conda_lock(
        room.request(*texts, **more), config=Config(), store=room.store, report=SilentReporter()
    )


def test_without_a_tool_the_error_says_what_is_missing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    for variable in ("CONDA_EXE", "MAMBA_EXE"):
        monkeypatch.delenv(variable, raising=False)
    room.channel("forge", record("a"))
    with pytest.raises(HostError, match="needs conda, mamba or micromamba") as caught:
        ask(room, "a")
    assert "remove `resolver`" in str(caught.value.hint)


@pytest.mark.usefixtures("log")
def test_the_tool_is_found_on_the_path_or_where_conda_says(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = str(room.folder / "bin" / "conda")
    assert find_tool() == there
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("CONDA_EXE", there)
    assert find_tool() == there


@pytest.mark.process
def test_what_conda_lock_chooses_is_locked_whole_by_freezers_rules(room: Room, log: Path) -> None:
    """One run, since each takes a second: records, cut-off, priorities, constraints, secrets."""
    newer = JANUARY + 300 * DAY
    upper = room.channel(
        "upper",
        record("numpy", "2.0", "py311", depends=["libblas * *openblas", "__glibc >=2.17"]),
        record("libblas", "3.9", "1_openblas", constrains=["blas 1.0"], build_number=1),
        record("libblas", "3.9", "2_mkl", build_number=2),
        record("tqdm", "4.0", subdir="noarch", noarch="python"),
        *(record("held", version) for version in ("1.0", "2.0")),
        *(record("a", "1.0"), record("a", "1.5", timestamp=newer)),
        record("gpu", "2.0", "cpu_0"),
        record("gpu", "2.0", "cuda_1", build_number=1, depends=["__cuda >=12"]),
    )
    room.channel("lower", record("a", "2.0"), record("b", "1.0", depends=["a", "c"]), record("c"))
    secret = type(upper)("upper", (upper.urls[0], "https://me:pw-1@x.example/t/tk-1/upper"))
    asked_for = ("numpy", "tqdm", "held", "b", "gpu")
    found = ask(room, *asked_for, constraints=("held <2",), channels=(secret, *room.channels[1:]))
    assert pins(found) == {
        "numpy": "2.0 py311",
        "libblas": "3.9 1_openblas",
        "tqdm": "4.0 0",
        "held": "1.0 0",
        "a": "1.0 0",
        "b": "1.0 0",
        "c": "1.0 0",
        "gpu": "2.0 cpu_0",
    }
    assert found.packages == room.solve(*asked_for, constraints=("held <2",)).packages
    said = log.read_text()
    assert "--override-channels" in said
    assert '"CONDA_OVERRIDE_CUDA": ""' in said
    for secret_word in ("channels/upper", "tk-1", "pw-1"):
        assert secret_word not in said


@pytest.mark.process
@pytest.mark.usefixtures("log")
def test_a_channel_and_virtual_packages_that_are_named_count(room: Room) -> None:
    room.channel("upper", record("a", "1.0"))
    room.channel("lower", record("a", "2.0"), record("b", "1.0", depends=["a", "c"]), record("c"))
    room.channel("gpu", record("gpu", "2.0", "cuda_1", build_number=1, depends=["__cuda >=12"]))
    found = ask(
        room, "b", "lower::a", "gpu=*=cuda*", virtual_packages={**VIRTUAL, "__cuda": "12.4"}
    )
    assert {item.name: (item.version, item.channel) for item in found.packages} == {
        "a": ("2.0", "lower"),
        "b": ("1.0", "lower"),
        "c": ("1.0", "lower"),
        "gpu": ("2.0", "gpu"),
    }


@pytest.mark.process
@pytest.mark.usefixtures("log")
def test_what_still_answers_is_kept(room: Room) -> None:
    room.channel("forge", record("a", "1.0", depends=["b"]), record("b", "1.0"))
    before = room.solve("a")
    room.channel(
        "forge",
        *(record("a", version, depends=["b"]) for version in ("1.0", "2.0")),
        *(record("b", version) for version in ("1.0", "2.0")),
    )
    assert pins(ask(room, "a", keep=kept(before))) == {"a": "1.0 0", "b": "1.0 0"}
    assert pins(ask(room, "a >=2", keep=kept(before))) == {"a": "2.0 0", "b": "2.0 0"}


@pytest.mark.process
@pytest.mark.usefixtures("log")
def test_packages_of_unknown_age_come_last(room: Room) -> None:
    room.channel("forge", record("a", "1.0"), record("a", "2.0", timestamp=None))
    unknown = ask(room, "a >=2")
    assert pins(unknown) == {"a": "2.0 0"}
    assert "a: no build time is known" in unknown.warnings[0]


@pytest.mark.process
@pytest.mark.usefixtures("log")
def test_no_answer_gives_the_tools_words(room: Room) -> None:
    room.channel("forge", record("a", "1.0", depends=["b >=2"]), record("b", "1.0"))
    with pytest.raises(ResolveError, match="conda-lock found no solution") as caught:
        ask(room, "a")
    assert any("b >=2" in line for line in caught.value.details)
    assert not any("Command:" in line for line in caught.value.details)


def test_the_spec_chooses_the_solver(room: Room) -> None:
    assert conda_solver("rattler") is solve
    assert conda_solver("conda-lock") is solve_with_conda_lock


@pytest.mark.process
def test_the_conda_lock_command_sees_nothing_to_do(room: Room, log: Path) -> None:
    """An exported lock, checked by the command itself against the files that lie beside it."""
    room.channel("forge", record("python", "3.11.4"), record("numpy", "2.0", depends=["python"]))
    found = solve(
        room.request("python=3.11", "numpy"),
        config=Config(),
        store=room.store,
        report=SilentReporter(),
    )
    lock = make_lock(conda=found.packages, virtual_packages=VIRTUAL)
    source = export.environment_yaml(room.channels, [asked("python=3.11"), asked("numpy")])
    folder = room.folder / "lockfiles"
    folder.mkdir()
    (folder / "environment.yml").write_bytes(source)
    (folder / "virtual-packages.yml").write_bytes(export.virtual_packages_yaml(lock))
    exported = export.conda_lock_yaml(lock, room.channels, source)
    (folder / "conda-lock.yml").write_bytes(exported)

    done = check_input_hash(folder)
    assert "already locked for ['linux-64']" in done.stderr
    assert done.returncode == 0
    assert not log.exists()
    assert (folder / "conda-lock.yml").read_bytes() == exported

    (folder / "environment.yml").write_bytes(source.replace(b"numpy", b"numpy >=1"))
    assert "already locked" not in check_input_hash(folder).stderr
    assert log.exists()


def check_input_hash(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "names.json").write_text("{}")
    command = [
        *(sys.executable, "-m", "conda_lock", "lock", "--check-input-hash", "-p", "linux-64"),
        *("-f", "environment.yml", "--virtual-package-spec", "virtual-packages.yml"),
        *("--pypi_to_conda_lookup_file", (folder / "names.json").as_uri()),
        *("--conda", str(folder.parent / "bin" / "conda")),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
