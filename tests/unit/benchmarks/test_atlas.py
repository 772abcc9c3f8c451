"""The atlas's runner: the form of trials, what is derived from digests, and bisection."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.atlas import streams
from benchmarks.atlas.again import again
from benchmarks.atlas.campaign import BASE, LEVELS, Measured, TrialFailedError, effect_of, measure
from benchmarks.atlas.environments import Level, RunError, run_with
from benchmarks.atlas.inside import digest, sample
from benchmarks.atlas.streams import Streams, between, bisect, minors
from benchmarks.atlas.trial import Trial, TrialError, read_trial, trials
from benchmarks.atlas.write import document, finding, rows_of, streams_of
from freezer.frameworks.atlas.table import packages, parse_sheet, seal_of, sheet
from tests.support.waiting import ends_soon, wait_until

TRIALS = trials()
EVERY = pytest.mark.parametrize("trial", TRIALS, ids=lambda item: item.package)
HEAD = '"""A library: x."""\nfrom benchmarks.atlas.inside import operation\nPACKAGE = "lib"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "lib.py"
    path.write_text(text)
    return path


@EVERY
def test_every_trial_has_the_form(trial: Trial) -> None:
    assert trial.path.stem == trial.package.replace("-", "_")
    titles = [one.title for one in trial.operations]
    assert len(titles) == len(set(titles))


@EVERY
def test_a_seed_in_a_title_is_one_that_is_tried(trial: Trial) -> None:
    """Where an operation has ``seed=...``, the runner compares two seeds before it measures."""
    for one in trial.operations:
        if any(f"{name}=..." in one.title for name in ("seed", "random_state", "rstate")):
            assert "seed" in one.parameters, one


def test_every_sheet_has_its_trial_and_its_operations() -> None:
    known = {trial.package: trial for trial in TRIALS}
    for name in packages():
        found, titles = sheet(name), {one.title for one in known[name].operations}
        assert found is not None
        assert {row.operation for row in found.rows} <= titles
        assert {item.operation for item in found.streams} <= titles


def test_effects_follow_from_the_digests_that_are_kept() -> None:
    for name in packages():
        found = sheet(name)
        assert found is not None
        for row in found.rows:
            for levels in row.digests.values():
                assert effect_of(dict(levels)) == row.effect, (name, row.operation)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('PACKAGE = "lib"\n', "docstring is missing"),
        ('"""X: x."""\n', "expected PACKAGE"),
        (HEAD + 'VERSIONS = ("1",)\n', "no function is marked"),
        (HEAD + "VERSIONS = tuple(x)\n", "expected a literal"),
        (HEAD + 'VERSIONS = "1"\n', "VERSIONS is no tuple"),
        (
            HEAD + 'VERSIONS = ("1",)\n@operation("a", factors=("moon",), data="d")\n'
            "def one(): ...\n",
            "no such factor: moon",
        ),
        (
            HEAD + 'VERSIONS = ("1",)\n@operation("a", factors=("call",), data="d")\n'
            "def one(sed): ...\n",
            "expected the parameters",
        ),
        (
            HEAD + 'VERSIONS = ("1",)\n@operation("a", factors=("call",), data="d", setting="s")\n'
            "def one(): ...\n",
            "a setting has a name",
        ),
        (
            HEAD + 'VERSIONS = ("1",)\n@operation("a", factors=("version",), data="d")\n'
            "def one(): ...\n",
            "OLDEST belongs",
        ),
    ],
)
def test_another_form_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TrialError, match=message):
        read_trial(written(tmp_path, text))


def test_layout_and_comments_are_no_other_trial(tmp_path: Path) -> None:
    text = HEAD + 'VERSIONS = ("1",)\n@operation("a", factors=("call",), data="d")\n'
    one = read_trial(written(tmp_path, text + "def one(): return 1\n")).sha256
    assert read_trial(written(tmp_path, text + "# x\ndef one():\n    return 1\n")).sha256 == one
    assert read_trial(written(tmp_path, text + "def one(): return 2\n")).sha256 != one


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_digests_are_equal_for_equal_results_alone(one: Any, other: Any) -> None:
    assert digest(one) == digest(one)
    if repr(one) != repr(other):
        assert digest(one) != digest(other)


def test_what_has_no_exact_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no exact form"):
        digest(object())
    assert digest(0.0) != digest(-0.0)
    assert sample([1.5]) == [1.5]
    assert sample("x") == []


DIGESTS = st.dictionaries(
    st.sampled_from(["1", "2", "4"]),
    st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=3).map(tuple),
    min_size=1,
)


@given(DIGESTS)
def test_one_of_three_effects(levels: dict[str, tuple[str, ...]]) -> None:
    restless = any(len(set(found)) > 1 for found in levels.values())
    alike = len({one for found in levels.values() for one in found}) == 1
    wanted = "varies" if restless else "same" if alike else "differs"
    assert effect_of(levels) == wanted


PROGRAM = (
    HEAD
    + """VERSIONS = ("1.0",)
@operation("tame", factors=("process", "call", "threads", "hash seed"), data="d")
def tame(): ...
@operation("wild", factors=("process", "call", "threads"), data="d", setting="calm=True")
def wild(setting): ...
@operation("split", factors=("process", "threads"), data="d")
def split(threads): ...
@operation("race", factors=("process", "threads"), data="d", setting="none")
def race(threads, setting): ...
@operation("named", factors=("hash seed",), data="d")
def named(seed): ...
"""
)


@dataclass
class Fake:
    """A library with known faults, in place of an environment."""

    installed: Mapping[str, str] = field(default_factory=lambda: {"lib": "1.0"})
    processes: list[Level] = field(default_factory=list)
    seeds: bool = True

    def run(self, trial: Path, request: Mapping[str, Any], level: Level) -> dict[str, Any]:
        del trial
        self.processes.append(level)
        number = len(self.processes)
        many = level.threads > 1
        results = {
            "tame": ["t"] * 3,
            "wild": ["w"] * 3 if level.setting else [f"{number}{call}" for call in range(3)],
            "split": [f"s{level.threads}"] * 3,
            "race": [f"r{number}{call}" if many else "r" for call in range(3)],
            "named": [f"h{level.hash_seed}"] * 3,
        }
        return {
            "operations": {
                name: {
                    "digests": results[name],
                    "samples": [[1.0, 2.0]] * 3,
                    "other-seed": "o" if self.seeds else results[name][0],
                }
                for name in request["operations"]
            }
        }


def test_a_campaign_finds_each_fault_and_what_stops_it(tmp_path: Path) -> None:
    trial, fake = read_trial(written(tmp_path, PROGRAM)), Fake()
    found = {
        (row.operation.name, row.factor): (row.effect, row.setting)
        for row in measure(trial, fake, lambda _: None)
    }
    assert found == {
        ("tame", "process"): ("same", None),
        ("tame", "call"): ("same", None),
        ("tame", "threads"): ("same", None),
        ("tame", "hash seed"): ("same", None),
        ("wild", "process"): ("varies", "calm=True"),
        ("wild", "call"): ("varies", "calm=True"),
        ("split", "process"): ("same", None),
        ("split", "threads"): ("differs", "the same number of threads"),
        ("race", "process"): ("same", None),
        ("race", "threads"): ("varies", "one thread"),  # its own setting does not stop it
        ("named", "hash seed"): ("differs", "PYTHONHASHSEED=0"),
    }
    plain = [level for level in fake.processes if not level.setting]
    assert plain.count(BASE) == len(LEVELS["process"])
    assert len(plain) == len(set(plain)) + 3  # nothing else is run twice but four threads


def test_a_seed_that_does_nothing_is_no_trial(tmp_path: Path) -> None:
    trial = read_trial(written(tmp_path, PROGRAM))
    with pytest.raises(TrialFailedError, match="another seed gives the same result"):
        measure(trial, Fake(seeds=False), lambda _: None)


def test_what_a_campaign_writes_is_a_sheet(tmp_path: Path) -> None:
    trial = read_trial(written(tmp_path, PROGRAM))
    bits = {"a": "0" * 16, "b": "1" * 16}
    row = Measured(trial.operations[2], "threads", {"1": (bits["a"],), "2": (bits["b"],)}, 1e-16)
    assert "1 thread, 2 threads" in finding(row)
    assert "1e-16" in finding(row)
    by = Streams(found={"1.0": {"tame": bits["a"]}, "1.1": {"tame": bits["b"]}})
    made = document(trial) | rows_of({"1.0": [row]}, {"1.0": {"lib": "1.0"}})
    made |= streams_of(trial, by)
    made = {name: value for name, value in made.items() if value not in ([], {})}
    read = parse_sheet(json.dumps({**made, "seal": seal_of(made)}).encode(), "lib.json")
    assert (read.rows[0].effect, read.rows[0].by) == ("differs", "argument")


@given(
    st.lists(st.integers(0, 30), min_size=2, max_size=30, unique=True).map(sorted),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_bisection_finds_every_change_between_minors_that_differ(
    patches: list[int], changes: list[int]
) -> None:
    """Each change lies between two releases that stand next to each other."""
    known = [f"1.{number // 5}.{number % 5}" for number in patches]
    truth = {
        item: str(sum(number >= c for c in changes))
        for item, number in zip(known, patches, strict=True)
    }
    result = Streams()
    waiting = minors(known)
    while waiting:
        result.found |= {item: {"draw": truth[item]} for item in waiting}
        waiting = between(known, result)
    tried = [item for item in known if item in result.found]
    for one, other in pairwise(tried):
        if truth[one] != truth[other]:
            assert known.index(other) == known.index(one) + 1
    assert {tried[0], tried[-1]} == {known[0], known[-1]}


def test_a_release_that_cannot_be_installed_or_does_not_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        HEAD + 'OLDEST = "1.0"\n@operation("a", factors=("version",), data="d")\ndef one(): ...\n'
    )
    monkeypatch.setattr(streams, "releases", lambda _: ["0.9", "1.0", "1.1", "1.2", "1.3"])
    count = dict.fromkeys(("1.0", "1.2", "1.3"), 0)

    @dataclass
    class Release:
        version: str
        installed: Mapping[str, str] = field(default_factory=dict)

        def run(self, trial: Path, request: Mapping[str, Any], level: Level) -> dict[str, Any]:
            count[self.version] += 1
            restless = str(count[self.version]) if self.version == "1.2" else "x"
            return {"operations": {"one": {"digests": [restless]}}}

    def make(version: str) -> Release:
        if version == "1.1":
            raise RunError("no wheel")
        return Release(version)

    said: list[str] = []
    found = bisect(read_trial(written(tmp_path, text)), make, said.append)
    assert found.left_out == {"1.1": "no wheel"}
    assert found.found == {"1.0": {"one": "x"}, "1.2": {"one": None}, "1.3": {"one": "x"}}
    assert any("does not repeat" in line for line in said)


@pytest.mark.process
def test_rows_of_a_library_that_is_installed_here_agree_when_measured_again() -> None:
    import pyarrow as pa

    [trial] = trials(("pyarrow",))
    recorded = sheet("pyarrow")
    assert recorded is not None
    if pa.__version__ not in trial.versions:
        pytest.skip("another version was measured")

    class Here:
        installed: Mapping[str, str] = {}

        def run(self, trial: Path, request: Mapping[str, Any], level: Level) -> dict[str, Any]:
            return run_with(Path(sys.executable), trial, request, level)

    chosen = [one for one in trial.operations if one.name == "unique"]
    part = Trial(**{**trial.__dict__, "operations": tuple(chosen)})
    rows = {(row.operation, row.factor): row for row in recorded.rows}
    for found in measure(part, Here(), lambda _: None):
        wanted = rows[found.operation.title, found.factor]
        assert found.effect == wanted.effect
        if wanted.effect == "same":
            assert found.digests == wanted.digests[pa.__version__]


LEAVES_A_WORKER = """
import subprocess, sys
OLDEST = "1"
@operation("work", factors=("version",), data="none")
def work():
    code = "import time; time.sleep(600)"
    left = subprocess.Popen([sys.executable, "-c", code])
    with open("PLACE", "w") as stream:
        stream.write(str(left.pid))
"""


@pytest.mark.process
def test_what_a_trial_leaves_behind_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    """Workers of joblib live on for minutes, with the output of their parent open."""
    place = tmp_path / "pid"
    path = written(tmp_path, f"{HEAD}{LEAVES_A_WORKER.replace('PLACE', str(place))}")
    request = {"operations": ["work"], "threads": 1, "calls": 1}
    with ends_soon():
        found = run_with(Path(sys.executable), path, request, Level())["operations"]["work"]
    assert "error" not in found
    wait_until(lambda: not _runs(place.read_text()), "the worker has ended")


def _runs(process: str) -> bool:
    try:
        state = Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@dataclass
class Replayed:
    """An environment in which operations give what a sheet has recorded, or something else."""

    installed: Mapping[str, str]
    other: str | None = None

    def run(self, trial: Path, request: Mapping[str, Any], level: Level) -> dict[str, Any]:
        [name] = request["operations"]
        title = next(one.title for one in read_trial(trial).operations if one.name == name)
        recorded = sheet("numpy")
        assert recorded is not None
        levels = [row.digests["2.4.6"] for row in recorded.rows if row.operation == title]
        bits = levels[0][next(iter(levels[0]))][0]
        if level.blas > 1:
            bits = next(found["2"][0] for found in levels if "2" in found)
        if self.other and level != BASE:
            bits = self.other
        return {"operations": {name: {"digests": [bits] * 3, "samples": [[]] * 3}}}


@pytest.mark.parametrize(("other", "code"), [(None, 0), ("f" * 16, 1)])
def test_rows_that_are_measured_again_agree_or_not(
    other: str | None, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Sequence[str]] = []

    def make(folder: Path, pins: Sequence[str]) -> Replayed:
        del folder
        asked.append(pins)
        return Replayed({}, other)

    assert again(trials(("numpy",)), 8, 3, make) == code
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    assert all("numpy==2.4.6" in pins for pins in asked)
    assert ("8 of 8 rows agree" in lines[-1]) is (code == 0)
