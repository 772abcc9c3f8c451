"""What is made of a run of the trainings, by an engine that says what a test has it say."""

import json
import time

import pytest

from freezer.check import smoke as module
from freezer.check.compare.compare import compare
from freezer.check.smoke import Varied, run_smoke
from freezer.engine.interface import RunResult
from freezer.errors import CheckError, LockError
from freezer.model.events import SilentReporter
from freezer.model.lock import ImageRuntime, SmokePlan
from freezer.model.record.protocol import PREFIX, parse_lines
from freezer.model.record.verdict import Word
from tests.support.project.locks import make_lock
from tests.support.project.records import HOST, lines, record

HOST_LINE = PREFIX + json.dumps({"kind": "host", "host": HOST}).encode()


class Says:
    """As much of an engine as a smoke run asks for."""

    def __init__(self, told, **result):
        self.told = told
        self.result = {"exit_code": 0, "timed_out": False, "out_of_memory": False, **result}

    def run(self, image, command, options, *, on_stdout):
        self.command, self.options = command, options
        for line in self.told:
            on_stdout(line)
        return RunResult(stdout=b"", stderr=b"the end of it\n", seconds=1, **self.result)


class Hears(SilentReporter):
    def __init__(self):
        self.said = []

    def debug(self, text):
        self.said.append(text)


def smoke(told, *, trainings=("numpy",), command=(), report=None, how=None, **result):
    plan = SmokePlan(trainings=trainings, command=command, seed=1, cpus=2, memory="1g", timeout=100)
    lock = make_lock().model_copy(update={"smoke": plan})
    engine = Says(told, **result)
    made = run_smoke(
        lock, "1" * 64, f"sha256:{'2' * 64}",
        engine=engine, report=report or SilentReporter(), title="Training", **(how or {}),
    )  # fmt: skip
    return made, engine


def failures(made):
    return {training.name: training.failure for training in made.trainings}


def test_what_was_told_is_the_record():
    made, _ = smoke([HOST_LINE, *lines()])
    assert failures(made) == {"numpy": None}
    assert compare(record(), made.model_copy(update={"inside": record().inside})).good


def test_it_is_confined_as_the_spec_says():
    _, engine = smoke([HOST_LINE, *lines(), *lines("own")], command=("python", "t.py"))
    options = engine.options
    assert (options.network, options.read_only, options.drop_capabilities) == ("none", True, True)
    assert (options.cpus, options.memory) == (2, "1g")
    assert 200 < options.timeout < 300
    assert json.loads(engine.command[-1])["command"] == ["python", "t.py"]


def test_an_experiment_sets_and_takes_away_variables_and_runs_what_it_is_about():
    varied = Varied({"OMP_NUM_THREADS": "1", "MKL_CBWR": ""}, only=("torch",))
    trainings = ("numpy", "torch")
    made, engine = smoke(
        [HOST_LINE, *lines("torch")], trainings=trainings, command=("true",), how={"varied": varied}
    )
    plan = json.loads(engine.command[-1])
    assert (plan["trainings"], plan["command"], plan["unset"]) == (["torch"], [], ["MKL_CBWR"])
    assert engine.options.environment == {"OMP_NUM_THREADS": "1"}
    assert failures(made) == {"torch": None}
    assert engine.options.gpus is False


def test_gpus_are_asked_for_where_the_host_has_any():
    _, engine = smoke([HOST_LINE, *lines()], how={"gpus": True})
    assert engine.options.gpus is True


def test_a_training_that_told_nothing_has_failed_however_it_ended():
    made, _ = smoke([HOST_LINE, *lines()], command=("true",))
    assert "it reported nothing" in failures(made)["own"]
    assert compare(made, made).word is Word.FAILED


def test_all_trainings_silent_is_failed_too():
    made, _ = smoke([HOST_LINE], trainings=("numpy", "sklearn"))
    assert list(failures(made)) == ["numpy", "sklearn"]
    assert compare(made, made).word is Word.FAILED


def test_another_name_is_no_substitute_for_its_own():
    made, _ = smoke([HOST_LINE, *lines("resnet")], trainings=(), command=("t",))
    assert "'resnet' did" in failures(made)["own"]
    assert failures(made)["resnet"] is None


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"timed_out": True, "exit_code": 137}, "the time for all trainings was over"),
        ({"out_of_memory": True, "exit_code": 137}, "ran out of memory"),
    ],
)
def test_one_that_never_ran_says_why(result, words):
    made, _ = smoke([HOST_LINE, *lines()], trainings=("numpy", "sklearn"), **result)
    assert words in failures(made)["sklearn"]


def test_the_order_is_that_of_the_plan():
    made, _ = smoke([HOST_LINE, *lines("sklearn"), *lines()], trainings=("numpy", "sklearn"))
    assert list(failures(made)) == ["numpy", "sklearn"]


def test_what_a_training_prints_for_itself_is_no_observation():
    talk = [
        b"epoch 1",
        b" ::freezer:: {}",
        b"loss ::freezer:: {",
        b"\xff\xfe",
        b"",
        b"x" * 10_000_000,
    ]
    report = Hears()
    told = [HOST_LINE, *talk, *lines()]
    made, _ = smoke(told, report=report)
    assert made.trainings == smoke([HOST_LINE, *lines()])[0].trainings
    assert max(map(len, report.said)) <= 500


@pytest.mark.parametrize(
    ("result", "hint"),
    [
        ({"exit_code": 1}, "freeze build --force"),
        ({"exit_code": 137, "out_of_memory": True}, "smoke.memory"),
        ({"exit_code": 137, "timed_out": True}, "smoke.timeout"),
    ],
)
def test_one_that_could_not_start_shows_the_end_of_what_it_said(result, hint):
    with pytest.raises(CheckError, match="could not be started") as raised:
        smoke([], **result)
    assert hint in raised.value.hint
    assert raised.value.details == ("the end of it",)


def test_nothing_to_run_is_no_pass():
    with pytest.raises(CheckError, match="has nothing to check"):
        smoke([HOST_LINE], trainings=())


def test_a_record_of_another_freezers_part_that_cannot_be_read_says_whose_it_is():
    with pytest.raises(CheckError, match="not of the record protocol") as raised:
        smoke([HOST_LINE, PREFIX + b'{"kind": "spectrum", "training": "numpy"}'])
    assert "the kind 'spectrum'" in str(raised.value)
    assert raised.value.details == (
        "the image holds freezer_inside 1 (888888888888), of another Freezer than this one",
    )


def test_a_part_of_another_interface_is_refused_before_anything_runs():
    plan = SmokePlan(trainings=("numpy",), seed=1, cpus=2, memory="1g", timeout=100)
    newer = make_lock(smoke=plan, inside=ImageRuntime(version="9", sha256="9" * 64, interface=9))
    engine = Says([HOST_LINE, *lines()])
    with pytest.raises(LockError, match="has an interface"):
        run_smoke(
            newer, "1" * 64, f"sha256:{'2' * 64}",
            engine=engine, report=SilentReporter(), title="Training",
        )  # fmt: skip
    assert not hasattr(engine, "command")


@pytest.mark.parametrize(("limit", "each"), [(None, 100), (7.5, 7.5), (1000.0, 100)])
def test_an_experiment_may_have_less_time_than_a_check_and_never_more(limit, each):
    _, engine = smoke([HOST_LINE, *lines()], how={"varied": Varied(limit=limit)})
    assert json.loads(engine.command[-1])["timeout"] == each
    assert each < engine.options.timeout < each + 100


def test_lines_beyond_what_can_be_kept_are_no_pass(monkeypatch):
    monkeypatch.setattr(module, "_MOST_LINES", 4)
    with pytest.raises(CheckError, match="record is too large") as raised:
        smoke([HOST_LINE, *lines()])
    assert "and 4 lines" in raised.value.expected


def test_nor_are_bytes(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_RECORD", 500)
    with pytest.raises(CheckError, match="record is too large"):
        smoke([HOST_LINE, *lines()])


def test_the_time_limit_covers_reading_the_record(monkeypatch):
    """The run of 100 seconds and 60 of grace is over in no time; reading may take what is left."""
    seen = []
    monkeypatch.setattr(
        module,
        "parse_lines",
        lambda told, deadline: seen.append(deadline) or parse_lines(told),
    )
    before = time.monotonic()
    smoke([HOST_LINE, *lines()])
    assert before + 160 <= seen[0] <= time.monotonic() + 160
    monkeypatch.setattr(module, "_READING", 1000.0)
    smoke([HOST_LINE, *lines()])
    assert seen[1] > time.monotonic() + 900
