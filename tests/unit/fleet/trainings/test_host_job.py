"""The job of a training on its host: recorded once, whatever happens, and nothing left running.

The containers are processes of this host: `tests/support/cluster/no_container.py`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from freezer.fleet.program import host_program
from freezer.fleet.trainings.frames import FrameReader
from freezer.fleet.trainings.result import TrainingResult, read_result
from freezer.inside import runner_folder
from freezer.inside.freezer_host.data_state import data_state
from tests.support.cluster.fleets import IMAGE, NONCE, host_line
from tests.support.cluster.no_container import NoContainer
from tests.support.cluster.trainings import RUN, submission
from tests.support.waiting import wait_until

pytestmark = pytest.mark.process


@dataclass
class Job:
    """A task in a folder, and the host that it runs on."""

    folder: Path
    runtime: NoContainer
    task: dict[str, Any]

    def start(self, **variables: str) -> subprocess.Popen[bytes]:
        (self.folder / "task.json").write_text(json.dumps(self.task))
        program = self.folder / "host.pyz"
        program.write_bytes(host_program())
        command = [sys.executable, "-I", str(program), "run", str(self.folder / "task.json")]
        path = f"{self.runtime.folder}:/usr/bin:/bin"
        environment = {"PATH": path, "SLURM_JOB_ID": "7", "SLURMD_NODENAME": "n1", **variables}
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)

    def run(self, **variables: str) -> TrainingResult:
        process = self.start(**variables)
        said = process.communicate()[1].decode()
        assert process.returncode == 0, said
        found = read_result(
            self.folder / "result.json", submission(self.folder, ranks=int(self.task["ranks"]))
        )
        assert isinstance(found, TrainingResult), (found, said)
        return found

    def printed(self, start: int = 0) -> bytes:
        reader = FrameReader(self.folder / "ranks" / f"{start}.0" / "output")
        return b"".join(one.data for one in reader.frames())


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = tmp_path / "spool"
    for one in (folder, tmp_path / "code"):
        one.mkdir()
    mounts = [
        {"source": str(tmp_path / "code"), "target": "/code", "read-only": True},
        {"source": str(folder / "output"), "target": "/output", "read-only": False},
        {"source": str(runner_folder()), "target": "/opt/freezer/freezer_runner",
         "read-only": True},
    ]  # fmt: skip
    task = {
        "schema": "freezer/run-task/1", "run": RUN, "nonce": NONCE, "folder": str(folder),
        "output": str(folder / "output"), "runtimes": ["docker"],
        "image": {"image": IMAGE, "manifest": None, "archive": "/a.tar", "pull": None},
        "runner": ["/opt/env/bin/python", "/opt/freezer/freezer_runner/runner.py", "/freezer"],
        "fingerprint": ["/opt/env/bin/python", "-m", "freezer_inside.fingerprint"],
        "record": "/freezer", "command": ["sh", "-c", "echo hello; echo x >$FREEZER_OUTPUT/a"],
        "secrets": {}, "environment": {"FREEZER_ATTACHED": "1", "FREEZER_FINGERPRINT": "1"},
        "mounts": mounts, "tmpfs": {"/tmp": "rw"}, "working-dir": "/code", "memory": "1g",
        "cpus": 1, "pids": 100, "network": "none", "gpus": False, "data": {}, "ranks": 1,
        "ranks-per-node": 1, "mixed": False,
    }  # fmt: skip
    return Job(folder, NoContainer(tmp_path / "bin", "2" * 64, host_line()), task)


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


def test_what_ran_and_what_it_left_is_in_the_result(job: Job) -> None:
    found = job.run()
    [one] = found.ranks
    assert (found.outcome, one.exit, one.node, one.runtime) == ("ran", 0, "n1", "docker 28.5.2")
    assert [path for path, _, _ in found.outputs] == ["a"]
    assert json.loads(one.usage)["exit"] == 0
    assert '"class"' in one.host
    assert job.printed() == b"hello\n"
    words = next(json.loads(line) for line in job.runtime.calls().splitlines() if '"run"' in line)
    assert words[words.index("--network") + 1] == "none"
    assert words[words.index("--memory") + 1] == "1g"
    assert {"--read-only", "--cap-drop", "--security-opt", "--interactive"} <= set(words)
    assert "type=bind,src=" + str(job.folder.parent / "code") + ",dst=/code,readonly" in words


@pytest.mark.parametrize(
    ("script", "code"), [("exit 3", 3), ("kill -9 $$", 137), ("exit 125", 125)]
)
def test_the_exit_code_of_the_command_is_kept(job: Job, script: str, code: int) -> None:
    job.task["command"] = sh(script)
    found = job.run()
    assert (found.outcome, found.ranks[0].exit) == ("ran", code)


def test_a_command_that_is_not_there_is_no_missing_runtime(job: Job) -> None:
    job.task["command"] = ["no-such-program"]
    found = job.run()
    assert (found.outcome, found.ranks[0].exit) == ("ran", 127)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("OCI runtime create failed", "no-runtime"), ("no space left on device", "no-space")],
)
def test_a_container_that_does_not_start_is_told(job: Job, said: str, outcome: str) -> None:
    job.runtime.refuse(said)
    found = job.run()
    assert (found.outcome, found.ranks[0].exit) == (outcome, None)
    assert said in found.reason


def test_a_job_that_is_started_again_runs_nothing_once_it_is_recorded(job: Job) -> None:
    before = job.run()
    calls = job.runtime.calls()
    assert job.run(SLURM_RESTART_COUNT="1") == before
    assert job.runtime.calls() == calls


def test_a_requeued_job_starts_with_an_empty_output_folder(job: Job) -> None:
    job.task["command"] = sh('test -z "$(ls $FREEZER_OUTPUT)" && echo b >$FREEZER_OUTPUT/b')
    (job.folder / "output").mkdir()
    (job.folder / "output" / "half").write_text("of the first start")
    found = job.run(SLURM_RESTART_COUNT="1")
    assert (found.ranks[0].exit, [one[0] for one in found.outputs]) == (0, ["b"])
    assert found.restarts == 1
    assert (job.folder / "output.start-1" / "half").exists()
    assert job.printed(start=1) == b""


def test_data_that_changed_since_the_submission_are_not_trained_on(job: Job) -> None:
    data = job.folder.parent / "data"
    data.mkdir()
    (data / "x.csv").write_text("1\n")
    job.task["data"] = {"points": {"sources": [str(data)], "state": data_state([str(data)])}}
    (data / "x.csv").write_text("2\n3\n")
    found = job.run()
    assert (found.outcome, found.ranks) == ("data-changed", ())
    assert "points" in found.reason
    assert '"run"' not in job.runtime.calls()


def test_data_that_change_while_it_trains_are_named(job: Job) -> None:
    data = job.folder.parent / "data"
    data.mkdir()
    job.task["data"] = {"points": {"sources": [str(data)], "state": data_state([str(data)])}}
    job.task["command"] = sh(f"echo 1 >{data}/new")
    found = job.run()
    assert (found.outcome, found.changed) == ("ran", ("points",))


def test_a_secret_is_on_no_command_line_and_in_no_output(job: Job) -> None:
    job.task["secrets"] = {"token": "FREEZER_PARAM_TOKEN"}
    job.task["command"] = sh('echo got $FREEZER_PARAM_TOKEN; test "$0" = ok')
    found = job.run(FREEZER_PARAM_TOKEN="planted-9d1c")
    assert found.ranks[0].exit == 1
    assert job.printed() == b"got ***\n"
    assert "planted" not in job.runtime.calls()
    for path in job.folder.rglob("*"):
        assert not path.is_file() or b"planted" not in path.read_bytes(), path
    assert job.run().ranks[0].exit == 1  # recorded already


def test_a_secret_is_not_in_the_reason_of_a_runtime(job: Job) -> None:
    job.task["secrets"] = {"token": "FREEZER_PARAM_TOKEN"}
    job.runtime.refuse("docker: no such flag: planted-77aa")
    found = job.run(FREEZER_PARAM_TOKEN="planted-77aa")
    assert (found.outcome, found.reason) == ("no-runtime", "docker: no such flag: ***")
    assert b"planted-77aa" not in (job.folder / "result.json").read_bytes()


def test_a_job_without_its_secret_runs_nothing(job: Job) -> None:
    job.task["secrets"] = {"token": "FREEZER_PARAM_TOKEN"}
    found = job.run()
    assert found.outcome == "no-secret"
    assert "FREEZER_PARAM_TOKEN" in found.reason


def test_more_cpus_than_the_job_may_use_are_refused(job: Job) -> None:
    job.task["cpus"] = len(os.sched_getaffinity(0)) + 1
    found = job.run()
    assert (found.outcome, found.ranks[0].exit) == ("too-few-cpus", None)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_job_leaves_no_training_behind(job: Job, number: int) -> None:
    pid = job.folder / "output" / "pid"
    job.task["command"] = sh("echo half; echo $$ >$FREEZER_OUTPUT/pid; exec sleep 600")
    process = job.start()
    wait_until(lambda: pid.is_file() and pid.read_text().strip().isdigit(), "the training began")
    process.send_signal(number)
    process.communicate()
    wait_until(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists(), "it is ended")
    assert not (job.folder / "result.json").exists()
    assert job.printed() == b"half\n"


SRUN = """#!/usr/bin/python3
import os, subprocess, sys
options = [one for one in sys.argv[1:] if one.startswith("--")]
with open({log!r}, "a") as log:
    log.write(" ".join(options) + "\\n")
given = dict(one.partition("=")[::2] for one in options)
command = [one for one in sys.argv[1:] if not one.startswith("--")]
count, each = int(given["--ntasks"]), int(given["--ntasks-per-node"])
worst = 0
for rank in range(count):
    place = {{"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank % each),
             "SLURMD_NODENAME": "n%d" % (rank // each + 1), "SLURM_LAUNCH_NODE_IPADDR": "10.0.0.1"}}
    code = subprocess.run(command, env={{**os.environ, **place}}).returncode
    worst = worst or code
    if code and "--kill-on-bad-exit" in given:
        break
sys.exit(worst)
"""


@pytest.fixture
def two(job: Job) -> Job:
    """Return the job with a rank on each of two nodes, and a ``srun`` that starts them in turn."""
    job.task.update({"ranks": 2, "network": "host"})
    del job.task["environment"]["FREEZER_FINGERPRINT"]
    program = job.runtime.folder / "srun"
    program.write_text(SRUN.format(log=str(job.runtime.folder / "steps")))
    program.chmod(0o755)
    job.task["command"] = sh("echo $RANK $LOCAL_RANK $WORLD_SIZE $MASTER_ADDR $MASTER_PORT")
    return job


def test_ranks_get_what_distributed_trainings_read(two: Job) -> None:
    found = two.run()
    assert (found.outcome, [one.exit for one in found.ranks]) == ("ran", [0, 0])
    assert [one.node for one in found.ranks] == ["n1", "n2"]
    assert all('"class"' in one.host for one in found.ranks)
    assert two.printed() == b"0 0 2 10.0.0.1 20007\n"
    steps = (two.runtime.folder / "steps").read_text().splitlines()
    assert len(steps) == 2
    assert all("--cpus-per-task=1" in step for step in steps)


def test_ranks_of_several_classes_train_only_where_that_is_allowed(two: Job) -> None:
    two.runtime.differs("n2", host_line(**{"class": "x86-64-v2"}))
    found = two.run()
    assert found.outcome == "mixed-classes"
    assert "rank 1 on n2: x86-64-v2" in found.reason
    assert [one.exit for one in found.ranks] == [None, None]
    (two.folder / "result.json").unlink()
    two.task["mixed"] = True
    assert two.run().outcome == "ran"


def test_a_host_that_does_not_report_its_class_is_no_host_of_the_same_one(two: Job) -> None:
    two.runtime.differs("n2", "no line of the protocol")
    found = two.run()
    assert found.outcome == "mixed-classes"
    assert "not reported" in found.reason


def test_a_rank_that_fails_ends_the_others(two: Job) -> None:
    two.task["command"] = sh("exit 5")
    found = two.run()
    assert [(one.outcome, one.exit) for one in found.ranks] == [("ran", 5), ("lost", None)]
    assert found.outcome == "ran"


def test_a_rank_without_a_runtime_keeps_all_from_training(two: Job) -> None:
    two.runtime.refuse("no such device")
    found = two.run()
    assert found.outcome == "no-runtime"
    assert "rank 0 on n1" in found.reason


def test_an_output_folder_that_cannot_be_made_is_told(job: Job) -> None:
    job.task["output"] = "/proc/none/output"
    found = job.run()
    assert found.outcome == "no-output"
