"""The doctor names what is missing, and how to mend it; it never fails itself."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from freezer.cli.session import current
from freezer.cli.setup.doctor import doctor
from freezer.engine.interface import EngineInfo
from freezer.errors import EngineError
from freezer.flows.setup import doctor as flow
from freezer.flows.setup.probes import disk, engine, host, sources
from freezer.flows.setup.probes.finding import Finding, State, missing, ok, warning
from freezer.output.doctor import document, show
from tests.support.waiting import SOON, ends_soon

if TYPE_CHECKING:
    from collections.abc import Callable

GIB = 1 << 30

DOCKER = EngineInfo(
    name="docker",
    version="28.0.1",
    api_version="1.48",
    architecture="x86_64",
    storage_driver="overlay2",
    buildkit=True,
    address="unix:///var/run/docker.sock",
    root="/",
    cpus=8,
    memory=16 * GIB,
)


def test_a_sound_engine() -> None:
    found = engine.engine(DOCKER)
    assert found.state is State.OK
    for part in ("docker 28.0.1", "unix:///var/run/docker.sock", "8 CPUs", "16.0 GiB"):
        assert part in found.found


@pytest.mark.parametrize(
    ("changes", "override", "state", "said"),
    [
        ({}, None, State.OK, "BuildKit"),
        ({}, "classic", State.WARNING, "classic builder, as FREEZER_BUILDER says"),
        ({"buildkit": False}, None, State.WARNING, "classic builder"),
        ({"buildkit": False, "name": "podman"}, None, State.OK, "podman's own"),
        ({"buildkit": False}, "buildkit", State.MISSING, "has no BuildKit"),
        ({}, "kaniko", State.MISSING, "is not a builder"),
    ],
)
def test_builders(changes: dict[str, Any], override: str | None, state: State, said: str) -> None:
    found = engine.builder(replace(DOCKER, **changes), override)
    assert found.state is state
    assert said in found.found
    assert (found.hint is None) == (state is State.OK)


@pytest.mark.parametrize(
    ("driver", "state"),
    [("overlay2", State.OK), ("overlay", State.OK), ("vfs", State.WARNING), ("", State.OK)],
)
def test_storage_drivers(driver: str, state: State) -> None:
    assert engine.storage(replace(DOCKER, storage_driver=driver)).state is state


def test_the_containerd_store_is_named() -> None:
    info = replace(DOCKER, storage_driver="overlayfs", containerd_store=True)
    assert "containerd's store" in engine.storage(info).found


@pytest.mark.parametrize(
    ("free", "state"), [(100 * GIB, State.OK), (5 * GIB, State.WARNING), (1000, State.MISSING)]
)
def test_room(free: int, state: State) -> None:
    found = disk.judge("store", Path("/cache"), free, "clean up")
    assert found.state is state
    assert (found.hint is None) == (state is State.OK)


def test_the_disk_of_a_remote_engine_is_not_this_one_s() -> None:
    assert "not visible" in disk.engine(replace(DOCKER, address="tcp://elsewhere:2375")).found
    assert "not visible" in disk.engine(replace(DOCKER, root="")).found


V2 = {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}
V3 = V2 | {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}
V4 = V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


@pytest.mark.parametrize(
    ("flags", "level"), [(set(), 1), (V2, 2), (V3, 3), (V4, 4), (V4 - {"avx2"}, 2), (V3 - V2, 1)]
)
def test_cpu_levels(flags: set[str], level: int) -> None:
    assert host.x86_level(flags) == level


def test_an_old_cpu_is_a_warning_and_an_arm_one_is_named() -> None:
    old = host.cpu("model name\t: Old\nflags\t\t: fpu sse2\n", "x86_64")
    assert (old.state, old.found) == (State.WARNING, "x86-64-v1 (Old)")
    assert host.cpu("BogoMIPS : 1\n", "aarch64").found == "aarch64"


def test_a_clock_before_the_installation_is_wrong() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert host.clock(now, now - timedelta(days=1)).found == "2026-11-23T12:00:00Z"
    assert host.clock(now, now + timedelta(days=1)).state is State.WARNING


def test_bootstrap_needs_gpgv_and_a_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = tmp_path / "keyring.gpg"
    monkeypatch.setenv("PATH", str(tmp_path))
    found = host.bootstrap(keyring)
    assert found.state is State.WARNING
    assert "gpgv and the archive's keyring" in found.found
    program(tmp_path / "gpgv", "")
    keyring.touch()
    assert host.bootstrap(keyring).state is State.OK


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.process
@pytest.mark.parametrize(
    ("script", "runtimes", "state", "said"),
    [
        ("echo 'NVIDIA H100, 580.65.06'", ("nvidia",), State.OK, "1 x NVIDIA H100, driver 580"),
        (
            "echo 'A, 1'; echo 'A, 1'",
            ("runc",),
            State.WARNING,
            "2 x A, driver 1; the engine has no",
        ),
        ("exit 9", ("nvidia",), State.WARNING, "nvidia-smi fails"),
        ("", ("nvidia",), State.OK, "none"),
    ],
)
def test_gpus(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    runtimes: tuple[str, ...],
    state: State,
    said: str,
) -> None:
    program(tmp_path / "nvidia-smi", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = host.gpu(runtimes)
    assert found.state is state
    assert said in found.found


def test_no_gpu_is_nothing_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert host.gpu(()).state is State.OK
    assert host.git().state is State.WARNING


def test_resolvers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert host.resolver("uv").state is State.OK
    gone = host.importlib.metadata.PackageNotFoundError("x")

    def absent(name: str) -> str:
        raise gone

    monkeypatch.setattr(host.importlib.metadata, "version", absent)
    assert host.resolver("uv").state is State.MISSING
    assert host.resolver("pip-tools").state is State.WARNING
    assert host.conda().state is State.WARNING


def test_conda_is_named_where_it_is_and_needed_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (host.conda().state, "none is needed" in host.conda().found) == (State.OK, True)
    (tmp_path / "micromamba").write_text("#!/bin/sh\n")
    (tmp_path / "micromamba").chmod(0o755)
    assert str(tmp_path / "micromamba") in host.conda().found


def test_an_index_that_answers_and_one_that_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between attempts
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "index.html").touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        dead = f"http://user:secret@127.0.0.1:{server.getsockname()[1]}/simple"
    found = sources.ask_all(sources.python_indexes([f"file://{tmp_path}", dead]))
    assert [item.state for item in found] == [State.OK, State.WARNING]
    assert "secret" not in found[1].found
    assert found[1].hint


def test_archives_by_label(tmp_path: Path) -> None:
    found = sources.ask_all(sources.debian_archives({"debian": [f"file://{tmp_path}"]}))
    assert [(item.topic, item.state) for item in found] == [("debian archive debian", State.OK)]


def test_channels(tmp_path: Path) -> None:
    (tmp_path / "good" / "noarch").mkdir(parents=True)
    (tmp_path / "good" / "noarch" / "repodata.json").write_text("{}")
    channels = {"bare": [f"file://{tmp_path}"], "good": [f"file://{tmp_path}/good"]}
    bare, good = sources.ask_all(sources.conda_channels(channels))
    assert (good.topic, good.state) == ("channel good", State.OK)
    assert (bare.state, "has no index" in bare.found) == (State.WARNING, True)


def test_sources_are_asked_side_by_side_and_given_up_in_time() -> None:
    waiting = threading.Barrier(3, timeout=SOON)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        def meet() -> Finding:
            waiting.wait()  # nobody passes unless all are asked at once
            return ok("x", "y")

        probes = [sources.Probe("x", "y", meet)] * 3
        assert [item.state for item in sources.ask_all(probes)] == [State.OK] * 3
        with ends_soon():
            late, other = sources.ask_all(
                [*sources.python_indexes([url]), sources.Probe("a", "b", lambda: ok("a", "b"))], 0.5
            )
    assert (late.state, late.found) == (State.WARNING, f"{url} has not answered in 0 s")
    assert other.state is State.OK


def test_a_source_that_breaks_the_probe_is_a_finding() -> None:
    def broken() -> Finding:
        raise ValueError("odd")

    (found,) = sources.ask_all([sources.Probe("x", "address", broken)])
    assert (found.state, "odd" in found.found) == (State.WARNING, True)


def test_indexes_and_channels_of_the_project_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = tmp_path / "channel" / "noarch"
    channel.mkdir(parents=True)
    (channel / "repodata.json").write_text("{}")
    (tmp_path / "simple" / "pip").mkdir(parents=True)
    (tmp_path / ".freezer.yaml").write_text(
        f"sources:\n  pypi: {{index_url: 'file://{tmp_path}/simple', find_links: []}}\n"
    )
    (tmp_path / "freeze.yaml").write_text(
        "name: demo\nbase: {bootstrap: bookworm}\npython: '3.11'\n"
        f"conda: {{channels: ['file://{tmp_path}/channel'], dependencies: [python=3.11]}}\n"
    )
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    rows = {item.topic: item for item in flow.examine(tmp_path)}
    assert rows["python index"].found == f"file://{tmp_path}/simple answers"
    assert rows["channel channel"].state is State.OK


def test_registries() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert sources.ask_all(sources.registries([address]))[0].state is State.OK
    assert sources.ask_all(sources.registries([address]))[0].state is State.WARNING
    assert sources.ask_all(sources.registries(["no-port"]))[0].state is State.WARNING


FINDINGS = [ok("a", "fine"), warning("b", "hm", "mend b"), missing("c", "no [c]", "get c")]


def test_only_what_is_missing_makes_it_fail() -> None:
    assert flow.exit_code(FINDINGS[:2]) == 0
    assert flow.exit_code(FINDINGS) == 2


def test_the_table_shows_every_finding_and_how_to_mend_it() -> None:
    console = Console(file=io.StringIO(), width=60)
    show(FINDINGS, console)
    assert [line.rstrip() for line in console.file.getvalue().splitlines()] == [  # type: ignore[attr-defined]
        "ok       a  fine",
        "warning  b  hm",
        "            next: mend b",
        "missing  c  no [c]",
        "            next: get c",
    ]


def test_the_document() -> None:
    read = json.loads(json.dumps(document(FINDINGS)))
    assert read["usable"] is False
    assert read["findings"][2] == {
        "topic": "c",
        "state": "missing",
        "found": "no [c]",
        "next": "get c",
    }


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Run ``freeze doctor`` where no engine is, and where no source is asked."""
    app = typer.Typer()
    app.command()(doctor)
    monkeypatch.setattr(current, "folder", tmp_path)
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr(flow, "_sources", lambda config, project: [])
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_without_an_engine_it_says_so_and_goes_on(command: Callable[..., Any]) -> None:
    result = command("--json")
    assert result.exit_code == 2
    read = json.loads(result.stdout)
    states = {row["topic"]: row["state"] for row in read["findings"]}
    assert states["engine"] == "missing"
    assert states["uv"] == "ok"
    assert "store" in states


def test_a_broken_configuration_is_a_finding(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / ".freezer.yaml").write_text("surces: {}\n")
    read = json.loads(command("--json").stdout)
    row = next(row for row in read["findings"] if row["topic"] == "configuration")
    assert row["state"] == "missing"
    assert "unknown key" in row["found"]


def test_a_store_that_cannot_be_made_is_a_finding(
    command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "file" / "store"))
    result = command()
    assert result.exit_code == 2
    assert "missing" in result.stdout


def test_a_tool_that_hangs_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 20)

    program(tmp_path / "nvidia-smi", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", hang)
    assert host.gpu(()).state is State.WARNING


def test_an_engine_that_is_found_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        info = DOCKER

        def close(self) -> None:
            """Nothing to close."""

    monkeypatch.setattr(flow, "connect", Found)
    monkeypatch.setattr(flow, "_sources", lambda config, project: [])
    topics = [finding.topic for finding in flow.examine()]
    assert topics[:4] == ["engine", "builder", "storage", "engine disk"]


def test_the_reason_why_no_engine_answers_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise EngineError("no container engine answers", details=["a: refused"], hint="start it")

    monkeypatch.setattr(flow, "connect", none)
    monkeypatch.setattr(flow, "_sources", lambda config, project: [])
    first = flow.examine()[0]
    assert (first.found, first.hint) == ("no container engine answers; a: refused", "start it")
