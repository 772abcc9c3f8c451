"""`freeze run` in a real image: recorded without any change to the code, equal when made again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.host.commands import Project, outcome

pytestmark = pytest.mark.engine
TRAIN = """
import os, sys, numpy
from pathlib import Path

rate, seed = float(sys.argv[1]), int(os.environ["FREEZER_SEED"])
random = numpy.random.default_rng(seed)
data = numpy.loadtxt(Path(os.environ["FREEZER_DATA"]) / "points" / "x.csv")
weight = random.normal()
from freezer_inside.record import Recorder
recorder = Recorder("line")
for step in range(5):
    error = ((data - weight) ** 2).mean()
    weight += rate * 2 * (data - weight).mean()
    recorder.loss(step, float(error))
numpy.save(Path(os.environ["FREEZER_OUTPUT"]) / "weight.npy", numpy.array(weight))
print("trained as", os.getuid(), "with", os.environ["OMP_NUM_THREADS"], "threads", flush=True)
for folder in ("/code/new", "/data/points/new"):
    try:
        open(folder, "w")
        print("wrote", folder)
    except OSError:
        pass
recorder.end()
"""


@pytest.fixture(scope="module")
def project(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = built.copy(tmp_path_factory.mktemp("run") / "project")
    (made.folder / "train.py").write_text(TRAIN)
    (made.folder / "points").mkdir()
    (made.folder / "points" / "x.csv").write_text("1\n2\n4\n")
    made.spec(data={"points": "points"}, resources={"cpus": 2, "threads": 2})
    return made


def runs(project: Project, *more: str) -> list[dict]:
    return project.freeze("runs", "list", *more, "--json").good().document["runs"]


def test_the_same_run_twice_is_equal_to_the_bit(project: Project) -> None:
    for _ in range(2):
        done = outcome(
            project.start(
                "run", project.name, "-p", "rate=0.1", "--", "python", "train.py", "{rate}"
            )
        ).good()
        assert f"trained as {os.getuid()} with 2 threads" in done.out
        assert "wrote" not in done.out, "code and data are read-only"
        assert "::freezer::" not in done.out, "what is reported is recorded, not shown"
        assert "finished" in done.err
    first, second = runs(project, "params.rate = 0.1")
    assert first["fields"]["metrics.loss"] == second["fields"]["metrics.loss"]
    assert [one["sha256"] for one in first["outputs"]] == [
        one["sha256"] for one in second["outputs"]
    ]
    fields = first["fields"]
    assert fields["lock"] == {"digest": project.lock_id}
    assert fields["data.points"]["digest"].startswith("sha256:")
    assert fields["settings.OMP_NUM_THREADS"] == "2"
    assert fields["host.class"]
    assert fields["cpu-seconds"] > 0
    assert fields["peak-memory"] > 1 << 20
    assert (
        len(
            project.freeze("runs", "show", "--json")
            .good()
            .document["series"]["metrics.loss"]["values"]
        )
        == 5
    )
    [output] = (project.folder / ".freezer" / "runs" / first["id"] / "output").iterdir()
    assert output.stat().st_uid == os.getuid()


def test_a_sweep_makes_every_run_and_the_summary_their_spread(project: Project) -> None:
    outcome(
        project.start(
            "run",
            "--each",
            "seed=1..3",
            "--each",
            "rate=0.2,0.3",
            "--",
            "python",
            "train.py",
            "{rate}",
        )
    ).good()
    groups = (
        project.freeze("runs", "summary", "params.rate > 0.15", "--json").good().document["groups"]
    )
    assert [(one["what"], one["seeds"]) for one in groups] == [
        ({"params.rate": 0.2}, [1, 2, 3]),
        ({"params.rate": 0.3}, [1, 2, 3]),
    ]
    assert all(one["metrics"]["metrics.loss"]["deviation"] > 0 for one in groups)


def test_two_runs_at_once_share_no_cpu(project: Project) -> None:
    shown = "import os; print(*os.sched_getaffinity(0), flush=True)"
    made = project.copy(project.folder.parent / "jobs")
    made.spec(resources={"cpus": 1})
    several = ("--each", "k=1..4", "--jobs", "2", "--junit", str(made.folder / "j.xml"))
    done = outcome(made.start("run", *several, "--", "python", "-c", shown)).good()
    assert (made.folder / "j.xml").read_text().count("<testsuite ") == 4
    lines = sorted(done.out.splitlines())
    assert [one.rpartition(" ")[0] for one in lines] == [f"[{k}/4 k={k}]" for k in range(1, 5)]
    assert len({one.rpartition(" ")[2] for one in lines}) == 2
    assert {one["state"] for one in runs(made, "params.k >= 1")} == {"finished"}
    made.freeze("run", "--each", "k=1..9", "--jobs", "9000", "--", "true").failed(2, "more CPUs")


def test_a_detached_sweep_goes_on_by_itself(project: Project, tmp_path: Path) -> None:
    made = project.copy(tmp_path / "detached")
    train = ("--", "sh", "-c", "echo got {k}; test {k} != 3")
    done = outcome(made.start("run", "-d", "--json", "--each", "k=1..3", *train)).good()
    sweep = done.document["sweep"]
    log = outcome(made.start("runs", "logs", "-f", sweep)).good().out
    assert [line for line in log.splitlines() if "got" in line] == [
        f"[{k}/3 k={k}] got {k}" for k in (1, 2, 3)
    ]
    found = runs(made, f"links.sweep = '{sweep}'")
    assert [one["state"] for one in found] == ["failed", "finished", "finished"]
    of_one = outcome(made.start("runs", "logs", found[1]["id"])).good().out
    assert of_one.startswith("got 2\n")
    assert made.freeze("runs", "show", sweep, "--json").good().document["state"] == "failed"
    slow = outcome(made.start("run", "-d", "--each", "k=7..9", "--", "sleep", "100")).good()
    ended = made.freeze("runs", "stop", slow.out.strip()).good()
    assert "interrupted, 1 of 3 runs started" in ended.out


@pytest.mark.parametrize(
    ("command", "code"), [(["sh", "-c", "echo why >&2; exit 7"], 7), (["none"], 127)]
)
def test_the_exit_code_is_passed_on(project: Project, command: list[str], code: int) -> None:
    done = outcome(project.start("run", "--", *command))
    assert done.code == code
    last = runs(project, "--limit", "1")[0]
    assert (last["state"], last["exit-code"]) == ("failed", code)
    assert ("why" in last["tail"]) == (code == 7)


def _waiting(project: Project, tmp: Path) -> Iterator[object]:
    process = project.start("run", "-o", str(tmp), "--", "sh", "-c", "echo ready; sleep 100")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process


def test_ctrl_c_ends_the_container_and_is_recorded(project: Project, tmp_path: Path) -> None:
    [process] = _waiting(project, tmp_path / "out")
    limit = time.monotonic() + 30
    while time.monotonic() < limit:  # it is listed while it runs
        live = [one["owner"]["pid"] for one in runs(project) if one["state"] == "running"]
        if live == [process.pid]:
            break
    assert live == [process.pid]
    process.send_signal(signal.SIGINT)
    assert outcome(process).code == 130
    assert runs(project, "--limit", "1")[0]["state"] == "interrupted"


@pytest.mark.parametrize("by", ["runs", "build"])
def test_a_killed_run_is_ended_and_recorded_by_the_next_command(
    project: Project, tmp_path: Path, by: str
) -> None:
    [process] = _waiting(project, tmp_path / "out")
    process.kill()
    process.communicate()
    assert _containers_of(process.pid)
    if by == "build":
        assert "recorded as interrupted" in project.freeze("build").good().err
    listed = project.freeze("runs", "list", "--limit", "1", "--json").good()
    assert ("recorded as interrupted" in listed.err) == (by == "runs")
    [last] = listed.document["runs"]
    assert last["state"] == "interrupted"
    assert last["command"][:2] == ["sh", "-c"]
    assert not _containers_of(process.pid)


def _containers_of(pid: int) -> list[str]:
    """Return the containers that a process started."""
    form = '{{.ID}} {{.Label "freezer.owner"}}'
    listed = subprocess.run(
        ["docker", "ps", "-a", "--filter", "label=freezer.owner", "--format", form],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [line for line in listed.stdout.splitlines() if f":{pid}:" in line]


def test_a_ledger_that_is_gone_loses_nothing(project: Project, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("ledger: postgresql://me:s3cret@127.0.0.1:1/runs\n")
    away = {"FREEZER_CONFIG": str(config)}
    done = outcome(project.start("run", "-p", "k=77", "--", "true", **away)).good()
    assert "not in the ledger yet" in done.err
    assert "s3cret" not in done.err
    [found] = runs(project, "params.k = 77")
    assert found["state"] == "finished"
    assert not list((project.folder / ".freezer" / "journal").glob("*.jsonl"))


def test_what_is_wrong_here_is_said_before_anything_runs(project: Project, tmp_path: Path) -> None:
    before = len(runs(project))
    project.freeze("run", "-o", str(tmp_path), "--", "true").failed(2, "exists already")
    project.freeze("run", "--data", "none", "--", "true").failed(2, "there is no data set 'none'")
    project.freeze("run", "--clean", "--", "true").failed(2, "not in a git repository")
    project.freeze("run").failed(2, "there is no command to run")
    project.freeze("run", "-p", "x", "--", "true").failed(2, "NAME=VALUE")
    assert len(runs(project)) == before
    assert json.dumps(before)


def test_a_run_is_made_again_and_a_changed_one_is_explained(
    project: Project, tmp_path: Path
) -> None:
    made = project.copy(tmp_path / "again")
    git = ["git", "-C", str(made.folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    (made.folder / "train.py").write_text(TRAIN.replace("range(5)", "range(6)"))  # not committed
    train = ("--", "python", "train.py", "{rate}")
    outcome(made.start("run", "-p", "rate=0.1", *train)).good()
    again = outcome(made.start("runs", "reproduce", "latest", "--json")).good().document
    assert again["verdict"] == "identical"
    assert again["results"]["same"] == ["metrics.loss"]
    assert again["results"]["outputs-same"] == ["weight.npy"]
    assert (
        subprocess.run([*git, "worktree", "list"], check=True, capture_output=True).stdout.count(
            b"\n"
        )
        == 1
    )

    def first_cause(*arguments: str) -> str:
        outcome(made.start("run", *arguments, *train)).good()
        found = made.freeze("runs", "diff", again["run"], "latest", "--json").good().document
        assert not found["results"]["identical"]
        return found["causes"][0]["name"]

    assert first_cause("-p", "rate=0.1", "--seed", "7") == "seed"
    assert first_cause("-p", "rate=0.2") == "params.rate"
    (made.folder / "points" / "x.csv").write_text("1\n2\n5\n")
    assert first_cause("-p", "rate=0.1") == "data.points"
    failed = outcome(made.start("runs", "reproduce", again["run"]))
    failed.failed(2, "have changed", "points")


def test_results_that_are_not_as_expected_fail_the_run(project: Project, tmp_path: Path) -> None:
    made = project.copy(tmp_path / "expected")
    made.spec(
        expect={
            "loss": {"finite": True, "monotone": "falling", "ceiling": 100},
            "accuracy": {"floor": 0.9, "in": "run"},
        }
    )
    file = tmp_path / "junit.xml"
    train = ("run", "-p", "rate=0.1", "--junit", str(file), "--", "python", "train.py", "{rate}")
    done = outcome(made.start(*train))
    assert done.code == 1
    assert "failed accuracy: expected at least 0.9, found nothing reported" in done.err
    assert "expectations: 3 passed, 1 failed" in done.err
    [found] = made.freeze(
        "runs", "list", "expect.accuracy.floor = 'failed'", "--json"
    ).good().document["runs"]  # fmt: skip
    assert (found["state"], found["exit-code"]) == ("failed", 0)
    assert file.read_text().count("<failure") == 1
    made.spec(expect={"loss": {"finite": True, "monotone": "falling"}})
    outcome(made.start(*train)).good()
    assert "<failure" not in file.read_text()


def test_a_detached_run_goes_on_is_followed_and_ended(project: Project) -> None:
    code = "import time; print('ready', flush=True); time.sleep({s}); open('/output/x', 'w')"
    started = outcome(project.start("run", "-d", "-p", "s=12", "--", "python", "-c", code)).good()
    run = started.out.strip()
    shown = project.freeze("runs", "show", run, "--json").good().document
    assert (shown["id"], shown["state"]) == (run, "running")
    followed = outcome(project.start("runs", "logs", "-f", run)).good()
    assert followed.out.startswith("ready\n")
    shown = project.freeze("runs", "show", run, "--json").good().document
    assert (shown["state"], [one["path"] for one in shown["outputs"]]) == ("finished", ["x"])

    started = outcome(project.start("run", "-d", "-p", "s=99", "--", "python", "-c", code)).good()
    stopped = project.freeze("runs", "stop", started.out.strip()).good()
    assert stopped.out == f"run {started.out.strip()}: interrupted\n"
    missing = outcome(project.start("run", "-d", "--data", "none", "--", "true"))
    missing.failed(2, "there is no data set 'none'")


def test_a_run_continues_from_what_another_one_left(project: Project) -> None:
    code = (
        "import os, sys; sys.path.insert(0, '/opt/freezer')\n"
        "from freezer_runner import resume_path\n"
        "old = resume_path('count'); print(old, flush=True)\n"
        "count = int(open(old).read()) if old else 0\n"
        "open('/output/count', 'w').write(str(count + 1))\n"
        "if old: open(old, 'a')\n"
    )
    outcome(project.start("run", "-p", "what=resumed", "--", "python", "-c", code)).good()
    [first] = runs(project, "params.what = 'resumed'")
    second = outcome(project.start("run", "--resume", first["id"]))
    assert (second.code, second.out) == (1, "/resume/count\n"), "it is read-only"
    last = runs(project, "--limit", "1")[0]
    assert last["fields"]["resumed-from"] == first["id"]
    output = project.folder / ".freezer" / "runs"
    assert (output / last["id"] / "output" / "count").read_text() == "2"
    (output / first["id"] / "output" / "count").write_text("7")
    project.freeze("run", "--resume", first["id"]).failed(2, "have changed", "count: changed")


def test_of_a_glob_the_container_sees_what_matches_and_nothing_else(
    project: Project, tmp_path: Path
) -> None:
    made = project.copy(tmp_path / "globbed")
    for path in ("set/a/1.csv", "set/a/2.csv", "set/b/3.csv", "set/b/secret.txt", "set/notes.txt"):
        (made.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (made.folder / path).write_text(path)
    made.spec(data={"points": "set/**/*.csv"})
    listing = ("sh", "-c", "cd /data/points; find -L . -type f | sort; cat b/3.csv")
    done = outcome(made.start("run", "--", *listing)).good()
    assert done.out == "./a/1.csv\n./a/2.csv\n./b/3.csv\nset/b/3.csv"
    for number in range(1100):
        (made.folder / f"set/b/{number}.csv").write_text("")
    done = outcome(made.start("run", "--", *listing)).good()
    assert "more than can be mounted one by one" in " ".join(done.err.split())
    assert done.out.count("\n") == 1102
    assert "secret.txt" not in done.out
    for number in range(50, 1100):
        (made.folder / f"set/b/{number}.csv").unlink()
    done = outcome(made.start("run", "--", *listing)).good()
    assert done.out.count("\n") == 52
    assert "secret.txt" not in done.out


def test_one_line_each_is_recorded_without_another_path_or_setting(project: Project) -> None:
    code = (
        "from freezer_runner import record_params, record_tensor, split_keys\n"
        "import numpy\n"
        "record_params(one_line=0.1)\n"
        "record_tensor('w', numpy.array([1.0, numpy.nan, 5.0], dtype='float32'))\n"
        "split_keys([f'img-{n}' for n in range(10)], {'train': 0.8, 'test': 0.2})\n"
    )
    outcome(project.start("run", "--", "python", "-c", code)).good()
    fields = runs(project, "--limit", "1")[0]["fields"]
    assert fields["params.one_line"] == 0.1
    assert (fields["metrics.w.least"], fields["metrics.w.greatest"]) == (1.0, 5.0)
    assert fields["metrics.w.not-finite"] == 1.0
    assert fields["metrics.split.train.size"] == 9.0
