"""`freeze run` with trainings that forge, flood and hide, kills, and secrets on its command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.host.commands import Project, outcome

pytestmark = pytest.mark.engine
HOSTILE = """
import json, os, socket, sys, time
def say(**line):
    print("::freezer:: " + json.dumps({"training": "t", **line}))
say(kind="metric", name="m", step=10 ** 30, value=1)
say(kind="metric", name="m", step=1, value="0x1p99999")
say(kind="metric", name="\\ud800", step=1, value=1)
say(kind="setting", name="\\x1b[31mred", value="x")
say(kind="setting", name="x" * 5000, value="x")
say(kind="setting", name="api_key", value=sys.argv[2])
say(kind="metric", name="good", step=1, value=(0.5).hex())
print("::freezer:: " + "x" * (3 << 20))
print(sys.argv[1:])
sys.stdout.flush()
os.write(1, bytes(range(256)) * 300)
out = os.environ["FREEZER_OUTPUT"]
os.symlink("/etc/passwd", out + "/link")
os.mkfifo(out + "/pipe")
socket.socket(socket.AF_UNIX).bind(out + "/socket")
open(os.fsencode(out) + b"/\\xff", "w").write("x")
open(out + "/good", "w").write("good")
for name in ("host", "usage.json"):
    if os.path.exists("/freezer/" + name):
        os.unlink("/freezer/" + name)
os.mkfifo("/freezer/host")
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
"""
SLOW = """
import json, time
for step in range(600):
    line = {"training": "t", "kind": "metric", "name": "m", "step": step, "value": step}
    print("::freezer:: " + json.dumps(line))
    print("step", step, flush=True)
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def project(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = built.copy(tmp_path_factory.mktemp("hostile") / "project")
    (made.folder / "hostile.py").write_text(HOSTILE)
    (made.folder / "slow.py").write_text(SLOW)
    return made


def command(project: Project, *words: str) -> list[str]:
    return [sys.executable, "-m", "freezer", "-C", str(project.folder), "run", *words]


def environment(project: Project) -> dict[str, str]:
    return {**os.environ, "FREEZER_STORE": str(project.store)}


def latest(project: Project) -> dict:
    return project.freeze("runs", "show", "--json").good().document


def test_whatever_a_training_does_its_run_is_recorded_without_secrets(project: Project) -> None:
    words = ("--password", "hunter2hunter2", "{token}", "https://me:s3cr3t@example.org/x")
    process = subprocess.run(
        command(project, "-p", "token=sesame42", "--", "python", "hostile.py", *words),
        env=environment(project),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 0, process.stderr.decode()
    assert b"hunter2hunter2" in process.stdout, "the command itself gets its secrets"
    assert b"sesame42" in process.stdout
    assert bytes(range(256)) * 300 in process.stdout
    run = latest(project)
    assert run["fields"]["metrics.good"] == 0.5
    assert run["fields"]["params.api_key"] == "***"
    assert [one["path"] for one in run["outputs"]] == ["good"]
    assert "link (a link)" in run["fields"]["outputs.left-out"]
    assert not [name for name in run["fields"] if not name.isprintable() or len(name) > 300]
    assert run["command"][2:] == ["--password", "***", "{token}", "https://***@example.org/x"]
    records = project.folder / ".freezer"
    everything = b"".join(one.read_bytes() for one in records.rglob("*") if one.is_file())
    for secret in (b"hunter2hunter2", b"sesame42", b"s3cr3t"):
        assert secret not in everything
    project.freeze("runs", "reproduce", "latest").failed(2, "contained a secret")


def test_a_killed_run_keeps_the_metrics_that_it_reported(project: Project) -> None:
    process = project.start("run", "--", "python", "slow.py")
    assert process.stdout is not None
    while process.stdout.readline() != "step 20\n":
        pass
    time.sleep(2.5)
    process.kill()
    process.communicate()
    run = latest(project)
    assert run["state"] == "interrupted"
    steps = run["series"]["metrics.m"]["steps"]
    assert steps == list(range(len(steps)))
    assert len(steps) >= 20


def test_two_runs_at_once_do_not_touch_each_other(project: Project) -> None:
    before = project.freeze("runs", "list", "--json").good().document["total"]
    running = [project.start("run", "-p", f"k={k}", "--", "echo", "{k}") for k in ("007", "1e3")]
    assert sorted(outcome(one).good().out for one in running) == ["007\n", "1e3\n"]
    assert project.freeze("runs", "list", "--json").good().document["total"] == before + 2


def test_a_reader_that_leaves_does_not_end_the_training(project: Project, tmp_path: Path) -> None:
    words = command(project, "--", "python", "-c", "for i in range(99999): print(i)")
    with (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            words, env=environment(project), stdout=subprocess.PIPE, stderr=err
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.wait(timeout=300) == 0
    assert "the run goes on and is recorded" in (tmp_path / "err").read_text()
    run = latest(project)
    assert run["state"] == "finished"
    assert run["tail"].endswith("99998")


def test_memory_that_is_full_is_named(project: Project) -> None:
    project.spec(resources={"memory": "64m"})
    done = outcome(project.start("run", "--", "python", "-c", "len(bytearray(500 << 20))"))
    project.spec(resources={})
    assert done.code == 137
    assert "out of memory" in done.err


def test_a_run_in_a_subfolder_with_a_submodule_is_made_again(
    built: Project, tmp_path: Path
) -> None:
    who = (
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "protocol.file.allow=always",
    )

    def git(folder: Path, *words: str) -> None:
        subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)

    library, top = tmp_path / "library", tmp_path / "top"
    library.mkdir()
    (library / "lib.py").write_text("X = 41\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "library"]):
        git(library, *words)
    made = built.copy(top / "sub")
    (made.folder / "t.py").write_text(
        "import os, sys\nsys.path.insert(0, 'lib')\nfrom lib import X\n"
        "open(os.environ['FREEZER_OUTPUT'] + '/x', 'w').write(str(X) + sys.argv[1])\n"
    )
    git(top, "init", "-q")
    git(top, "submodule", "add", "-q", str(library), "sub/lib")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    hook = top / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (made.folder / "note.txt").write_text("not committed\n")
    outcome(made.start("run", "-p", "n=0.10", "--", "python", "t.py", "{n}")).good()
    found = outcome(made.start("runs", "reproduce", "latest", "--json")).good().document
    assert found["verdict"] == "identical"
    again = latest(made)
    assert again["fields"]["template"] == "python t.py {n}"
    assert (made.folder / ".freezer/runs" / again["id"] / "output/x").read_text() == "410.10"
    assert not (made.folder / ".freezer/runs" / again["id"] / "code").exists()
    assert os.getuid() == (made.folder / ".freezer/runs" / again["id"] / "output/x").stat().st_uid
