"""How Slurm's programs are called, by programs of the same names that say what they got."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from freezer.errors import FleetError
from freezer.fleet import slurm
from freezer.fleet.jobs import Job
from freezer.fleet.slurm import JobRequest, Slurm, require_slurm

pytestmark = pytest.mark.process


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is first on PATH, with waiting that takes no time."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(slurm, "_PAUSES", (0.0, 0.0))
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def job(**changes: object) -> JobRequest:
    values = {
        "name": "freezer-x-1-n1", "node": "n1", "script": "#!/bin/sh\nexit 0\n",
        "log": Path("/logs/50%/n1.log"), "cpus": 2, "memory": "2g", "gpus": 0, "seconds": 7200,
        "deadline": 3600, **changes,
    }  # fmt: skip
    return JobRequest(**values)  # type: ignore[arg-type]


def test_a_job_is_for_one_node_with_what_the_spec_says(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm/slurm.conf")
    monkeypatch.setenv("SBATCH_ARRAY_INX", "0-3")
    monkeypatch.setenv("SBATCH_ACCOUNT", "ml")
    program(
        programs, "sbatch",
        f'printf "%s\\n" "$@" > {programs}/words; env > {programs}/env; cat > {programs}/script\n'
        "echo '17;cluster'",
    )  # fmt: skip
    assert Slurm(("--account=ml",)).submit("gpu", job(gpus=1)) == "17"
    words = (programs / "words").read_text().splitlines()
    assert set(words) == {
        "--parsable", "--no-requeue", "--job-name=freezer-x-1-n1", "--partition=gpu", "--nodelist=n1",
        "--nodes=1", "--ntasks=1", "--cpus-per-task=2", "--mem=2G", "--time=0:30:00",
        "--deadline=now+3600seconds", "--output=/logs/50%%/n1.log", "--gres=gpu:1", "--account=ml",
    }  # fmt: skip
    assert (programs / "script").read_text() == "#!/bin/sh\nexit 0\n"
    names = {line.partition("=")[0] for line in (programs / "env").read_text().splitlines()}
    assert names - {"PWD", "_", "SHLVL"} <= {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SLURM_CONF",
        "SBATCH_ACCOUNT",
        "LANG",
    }


def test_a_refusal_says_why_and_is_not_tried_again(programs: Path) -> None:
    program(
        programs, "sbatch",
        f"echo x >> {programs}/count\necho 'sbatch: error: Invalid account' >&2; exit 1",
    )  # fmt: skip
    with pytest.raises(FleetError) as caught:
        Slurm().submit("gpu", job())
    assert caught.value.found == "Invalid account"
    assert (programs / "count").read_text() == "x\n"


def test_a_controller_that_is_being_restarted_is_asked_again(programs: Path) -> None:
    gone = "slurm_load_partitions: Unable to contact slurm controller (connect failure)"
    program(
        programs, "sinfo",
        f"[ -f {programs}/second ] && {{ echo 'n1|idle|a|(null)|none'; exit 0; }}\n"
        f"touch {programs}/second; echo '{gone}' >&2; exit 1",
    )  # fmt: skip
    assert list(Slurm().nodes("gpu")) == ["n1"]
    program(programs, "sinfo", f"echo '{gone}' >&2; exit 1")
    with pytest.raises(FleetError, match="sinfo failed"):
        Slurm().nodes("gpu")
    program(programs, "sinfo", "exit 0")
    with pytest.raises(FleetError, match="no partition 'gpu' with nodes"):
        Slurm().nodes("gpu")


def test_accounting_is_asked_only_about_jobs_that_the_controller_forgot(programs: Path) -> None:
    program(programs, "squeue", "echo '1|a|RUNNING|n1|None'; echo '9|other|FAILED|n9|x'")
    program(programs, "sacct", f"touch {programs}/asked; echo '2|b|NODE_FAIL|n2|0:0'")
    since = int(time.time())
    assert set(Slurm().jobs({"a"}, since, {})) == {"a"}
    known = {"b": Job("2", "b", "COMPLETED", "n2")}
    assert Slurm().jobs({"a", "b"}, since, known)["b"].state == "COMPLETED"
    assert not (programs / "asked").exists()
    found = Slurm().jobs({"a", "b", "c"}, since, {})
    assert {name: one.state for name, one in found.items()} == {"a": "RUNNING", "b": "NODE_FAIL"}
    program(programs, "sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert set(Slurm().jobs({"a", "b"}, since, {})) == {"a"}


def test_a_host_without_slurm_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FleetError, match="Slurm's programs are not here: sinfo, sbatch, squeue"):
        require_slurm()
    with pytest.raises(FleetError, match="sinfo cannot be started"):
        Slurm().nodes("gpu")


def test_accounting_that_does_not_answer_is_not_taken_for_an_empty_list(programs: Path) -> None:
    program(programs, "squeue", "exit 0")
    program(programs, "sacct", "echo 'sacct: error: Connection refused' >&2; exit 1")
    known = {"b": Job("2", "b", "COMPLETED", "n2")}
    found = Slurm().jobs({"a", "b"}, int(time.time()), known)
    assert found["b"].state == "COMPLETED"
    assert (found["a"].active, found["a"].number) == (True, "")
    assert found["a"].title == "accounting does not answer: sacct: error: Connection refused"


def test_accounting_is_asked_about_the_users_own_jobs_since_a_number_of_seconds(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A point in time would be read in another zone; other users may have jobs of the same name."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    program(programs, "squeue", "exit 0")
    program(programs, "sacct", f'printf "%s\\n" "$@" > {programs}/words')
    Slurm().jobs({"a"}, int(time.time()) - 5000, {})
    words = (programs / "words").read_text().splitlines()
    assert f"--user={os.getuid()}" in words
    [begin] = [one for one in words if one.startswith("now-")]
    assert 5600 <= int(begin.removeprefix("now-").removesuffix("seconds")) < 5660


@pytest.mark.parametrize(
    "script", ["echo 'sbatch: error: Socket timed out on send/recv' >&2; exit 1", "kill -9 $$"]
)
def test_a_job_that_may_have_been_taken_is_not_called_refused(programs: Path, script: str) -> None:
    program(programs, "sbatch", script)
    assert Slurm().submit("gpu", job()) is None


@pytest.mark.parametrize("option", ["account=ml", "", "--", "script.sh"])
def test_an_option_that_sbatch_would_run_is_refused(option: str) -> None:
    with pytest.raises(FleetError, match="--sbatch does not take"):
        Slurm((option,))
