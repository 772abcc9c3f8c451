"""Confinement holds, and a container ends and goes whatever happens."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from freezer.engine.connect.connect import connect
from freezer.engine.interface import LayerFile, RunOptions
from freezer.engine.run.owner import OWNER_LABEL
from freezer.errors import EngineError
from tests.support.waiting import SOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freezer.engine.engine import DockerEngine
    from freezer.engine.interface import ImageInfo

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def _nothing_stays(engine: DockerEngine) -> Iterator[None]:
    """Hold every test to leaving no container of its image behind."""
    yield
    assert leftovers(engine) == []


def leftovers(engine: DockerEngine) -> list[str]:
    """Return the containers of this process's test images: others run their own meanwhile."""
    own = f"test={os.getpid()}"  # a label of the image, which its containers inherit
    listed = engine._link.api.containers(all=True, filters={"label": ["freezer", own]})
    return [item["Id"] for item in listed]


def sh(engine: DockerEngine, image: ImageInfo, script: str, **options: object) -> str:
    result = engine.run(image.tags[0], ["sh", "-c", script], RunOptions(**options))  # type: ignore[arg-type]
    return result.stdout.decode() + result.stderr.decode()


def test_the_defaults_confine(engine: DockerEngine, tiny_image: ImageInfo) -> None:
    script = "cat /proc/net/dev /proc/self/status; touch /x; touch /tmp/y && echo tmp-writable"
    said = sh(engine, tiny_image, script, cpus=1, memory="64m")
    interfaces = [line.split(":")[0].strip() for line in said.splitlines()[2:4]]
    assert interfaces[0] == "lo"
    assert interfaces[1] == "Name"  # no second interface
    status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
    assert [status[key] for key in ("CapPrm", "CapEff", "CapBnd")] == ["0" * 16] * 3
    assert status["NoNewPrivs"] == "1"
    assert "," not in status["Cpus_allowed_list"]
    assert "-" not in status["Cpus_allowed_list"]
    assert "Read-only file system" in said
    assert "tmp-writable" in said


@pytest.fixture(scope="module")
def with_volumes(
    engine: DockerEngine, tiny_layer: LayerFile, image_config: Callable[..., bytes]
) -> Iterator[ImageInfo]:
    """An image that declares volumes: of a folder that it has, of one that it lacks, of /tmp."""
    volumes: dict[str, object] = {"/work": {}, "/data/a b": {}, "/tmp": {}}
    config = image_config([tiny_layer.diff_id], Volumes=volumes)
    made = engine.load(config, [tiny_layer], tags=[f"freezer-test:volumes-{os.getpid()}"])
    yield made
    engine.remove_image(made.id)


def volumes_on_the_host(engine: DockerEngine) -> set[str]:
    return {one["Name"] for one in engine._link.api.volumes()["Volumes"] or []}


def test_a_volume_of_the_image_is_no_way_past_the_read_only_root(
    engine: DockerEngine, with_volumes: ImageInfo
) -> None:
    before = volumes_on_the_host(engine)
    script = "for d in /work '/data/a b' /; do touch \"$d/x\" && echo wrote to $d; done"
    said = sh(engine, with_volumes, script)
    assert "wrote to" not in said
    assert said.count("Read-only file system") == 3
    assert "tmp-writable" in sh(engine, with_volumes, "touch /tmp/y && echo tmp-writable")
    assert "wrote" in sh(engine, with_volumes, "touch '/data/a b/x' && echo wrote", read_only=False)
    assert volumes_on_the_host(engine) == before


def test_memory_is_a_wall(engine: DockerEngine, tiny_image: ImageInfo) -> None:
    result = engine.run(tiny_image.id, ["tail", "/dev/zero"], RunOptions(memory="32m", timeout=60))
    assert result.out_of_memory
    assert result.exit_code == 137
    assert not result.timed_out


def test_time_is_a_wall(engine: DockerEngine, tiny_image: ImageInfo) -> None:
    script = ["sh", "-c", "echo begun; sleep 600"]
    result = engine.run(tiny_image.tags[0], script, RunOptions(timeout=2))
    assert result.timed_out
    assert not result.out_of_memory
    assert result.stdout == b"begun\n"
    assert result.seconds < SOON


def test_more_cpus_than_there_are_is_refused(engine: DockerEngine, tiny_image: ImageInfo) -> None:
    with pytest.raises(EngineError, match="CPUs") as raised:
        engine.run(tiny_image.id, ["id"], RunOptions(cpus=engine.info.cpus + 1))
    assert "smoke.cpus" in str(raised.value.hint)


def test_lines_come_while_it_runs_and_both_streams_are_kept(
    engine: DockerEngine, tiny_image: ImageInfo
) -> None:
    lines: list[bytes] = []
    script = "echo one; echo two >&2; echo; printf end; exit 7"
    result = engine.run(tiny_image.id, ["sh", "-c", script], RunOptions(), on_stdout=lines.append)
    assert lines == [b"one", b"", b"end"]
    assert (result.stdout, result.stderr) == (b"one\n\nend", b"two\n")
    assert result.exit_code == 7


def test_environment_user_and_folder(engine: DockerEngine, tiny_image: ImageInfo) -> None:
    said = sh(
        engine,
        tiny_image,
        "echo $A; id -u; pwd",
        environment={"A": "x y"},
        user="1000:1000",
        working_dir="/work",
    )
    assert said.split("\n")[:3] == ["x y", "1000", "/work"]


def test_files_go_in_before_the_start_and_results_come_out(
    engine: DockerEngine, tiny_image: ImageInfo, tmp_path: Path
) -> None:
    upload = tmp_path / "in.tar"
    upload.write_bytes(tar_of("data/in", b"given"))
    out = tmp_path / "out.tar"
    result = engine.run(
        tiny_image.id,
        ["sh", "-c", "cat /data/in > /data/out"],
        RunOptions(read_only=False),
        files=upload,
        fetch={"/data/out": out},
    )
    assert result.exit_code == 0
    with tarfile.open(out, "r:") as archive:  # plain: engines pack it when they may
        member = archive.extractfile("out")
        assert member is not None
        assert member.read() == b"given"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tar", "out.tar"]


def tar_of(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        header = tarfile.TarInfo(name)
        header.size = len(data)
        archive.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


def test_a_result_that_was_not_made_is_named(
    engine: DockerEngine, tiny_image: ImageInfo, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match="/data/none"):
        engine.run(tiny_image.id, ["id"], RunOptions(), fetch={"/data/none": tmp_path / "out"})
    assert not list(tmp_path.iterdir())


def test_what_is_larger_than_it_may_be_is_not_fetched(
    engine: DockerEngine, tiny_image: ImageInfo, tmp_path: Path
) -> None:
    options = RunOptions(fetch_limit=5000)
    with pytest.raises(EngineError, match="/bin/tail in the image is too large"):
        engine.run(tiny_image.id, ["id"], options, fetch={"/bin/tail": tmp_path / "out"})
    assert not list(tmp_path.iterdir())


def test_a_command_that_is_not_there_is_named(engine: DockerEngine, tiny_image: ImageInfo) -> None:
    with pytest.raises(EngineError, match="starting no-such-command"):
        engine.run(tiny_image.tags[0], ["no-such-command"], RunOptions())


def test_an_image_that_is_not_there_is_named(engine: DockerEngine) -> None:
    with pytest.raises(EngineError, match="freezer-test-never:1"):
        engine.run("freezer-test-never:1", ["id"], RunOptions())


def test_an_interrupt_removes_the_container(engine: DockerEngine, tiny_image: ImageInfo) -> None:
    def interrupt(line: bytes) -> None:
        assert leftovers(engine)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(
            tiny_image.tags[0],
            ["sh", "-c", "echo up; sleep 600"],
            RunOptions(),
            on_stdout=interrupt,
        )


def test_the_image_s_own_entrypoint_runs_only_when_asked(
    engine: DockerEngine, tiny_image: ImageInfo, image_config: Callable[..., bytes]
) -> None:
    config = image_config(tiny_image.diff_ids, Entrypoint=["sh", "-c", "echo mine"], Cmd=["x"])
    own = engine.load(config, [LayerFile(tiny_image.diff_ids[0], None)])
    try:
        assert engine.run(own.id, ["id", "-u"], RunOptions()).stdout == b"0\n"
        assert engine.run(own.id, [], RunOptions(entrypoint=None)).stdout == b"mine\n"
    finally:
        engine.remove_image(own.id)


LEAVES = """
import sys
from freezer.engine.connect.connect import connect
from freezer.engine.interface import RunOptions
say = lambda line: print(line.decode(), flush=True)
connect().run(sys.argv[1], ["sh", "-c", "echo begun; sleep 600"], RunOptions(), on_stdout=say)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else(
    engine: DockerEngine, tiny_image: ImageInfo
) -> None:
    left = []
    for _ in range(2):
        left.append(
            subprocess.Popen(
                [sys.executable, "-c", LEAVES, tiny_image.id], stdout=subprocess.PIPE, text=True
            )
        )
        assert left[-1].stdout is not None
        assert left[-1].stdout.readline() == "begun\n"
    dead, living = left
    dead.kill()
    dead.communicate()
    with contextlib.closing(connect()) as another:
        another.run(tiny_image.id, ["id"], RunOptions())
    listed = engine._link.api.containers(all=True, filters={"label": OWNER_LABEL})
    owners = [item["Labels"][OWNER_LABEL].split(":")[1] for item in listed]
    assert str(dead.pid) not in owners
    assert str(living.pid) in owners
    living.send_signal(signal.SIGINT)  # an interrupted one cleans up after itself
    living.communicate()


def test_gpus_are_given_where_the_engine_can_and_else_it_is_said(
    engine: DockerEngine, tiny_image: ImageInfo
) -> None:
    if "nvidia" in engine.info.runtimes:
        assert (
            engine.run(tiny_image.id, ["ls", "/dev/nvidiactl"], RunOptions(gpus=True)).exit_code
            == 0
        )
        return
    with pytest.raises(EngineError, match="cannot give GPUs") as caught:
        engine.run(tiny_image.id, ["ls"], RunOptions(gpus=True))
    assert "nvidia-ctk" in str(caught.value)
