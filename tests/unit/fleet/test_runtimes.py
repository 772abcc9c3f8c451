"""Command lines of container runtimes: what they confine, and what they cannot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from freezer.inside.freezer_host import runtimes
from freezer.inside.freezer_host.process import Done
from freezer.inside.freezer_host.runtimes import Apptainer, Docker, Enroot, ImageError, Podman

DIGEST = f"sha256:{'2' * 64}"
CPUS = str(min(os.sched_getaffinity(0)))


def environment(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "image": DIGEST, "command": ["python", "-m", "x"], "memory": "2g", "cpus": 1,
        "archive": str(folder / "2.tar"), "images": str(folder), "gpus": False, **changes,
    }  # fmt: skip


def options(command: list[str]) -> str:
    return " ".join(command)


@pytest.mark.parametrize(
    ("answer", "title", "lacks"),
    [
        ("4.3.1 false [cpuset cpu memory pids]", "podman 4.3.1", ()),
        ("4.3.1 false []", "podman 4.3.1", ()),
        ("5.2.1 true [memory pids]", "podman 5.2.1 (rootless, no limit of cpuset)", ("cpuset",)),
        ("5.2.1 true [cpuset cpu io memory pids]", "podman 5.2.1 (rootless)", ()),
        (
            "4.3.1 true []",
            "podman 4.3.1 (rootless, no limit of pids and memory and cpuset)",
            ("pids", "memory", "cpuset"),
        ),
        ("", "podman", ()),
    ],
)
def test_podman_without_root_limits_what_it_may(
    tmp_path: Path, answer: str, title: str, lacks: tuple[str, ...]
) -> None:
    podman = Podman(answer)
    assert (podman.title, podman.lacks) == (title, lacks)
    made = options(podman.command(DIGEST, environment(tmp_path), "name"))
    assert ("--cpuset-cpus" in made) is ("cpuset" not in lacks)
    assert ("--memory 2g --memory-swap 2g" in made) is ("memory" not in lacks)
    assert "--network none --read-only" in made
    assert podman.pins is ("cpuset" not in lacks)


def test_a_runtime_that_pins_nothing_inherits_the_cpus(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    for runtime in (Podman("4.3.1 true []"), Enroot("3.5.0")):
        with runtime.pinned(environment(tmp_path)):
            assert len(os.sched_getaffinity(0)) == 1
        assert os.sched_getaffinity(0) == before
    with Docker("28").pinned(environment(tmp_path)):
        assert os.sched_getaffinity(0) == before


def test_gpus_are_those_that_slurm_gave_to_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = environment(tmp_path, gpus=True)
    monkeypatch.setenv("SLURM_JOB_GPUS", "1,3")
    assert '--gpus "device=1,3"' in options(Docker("").command(DIGEST, asked, "name"))
    made = options(Podman("").command(DIGEST, asked, "name"))
    assert "--device nvidia.com/gpu=1 --device nvidia.com/gpu=3" in made
    assert " --nv " in options(Apptainer("").command("x.sif", asked, "name"))
    monkeypatch.delenv("SLURM_JOB_GPUS")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert '--gpus "device=0"' in options(Docker("").command(DIGEST, asked, "name"))


def test_untested_runtimes_say_so() -> None:
    assert Apptainer("apptainer version 1.4.5").title == "apptainer 1.4.5 (not in the tests)"
    assert Enroot("3.5.0").title == "enroot 3.5.0 (untested, not confined)"


def test_enroot_gets_a_digest_in_the_place_of_a_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []

    def call(command: list[str], timeout: float) -> Done:
        called.append(command)
        Path(command[-2]).write_bytes(b"squashfs")
        return Done(0, b"", "")

    monkeypatch.setattr(runtimes, "call", call)
    asked = environment(tmp_path, pull=f"registry.example:5000/team/env@{DIGEST}")
    found = Enroot("3.5.0").ensure_image(asked)
    assert called[0][:3] == ["enroot", "import", "--output"]
    assert called[0][-1] == f"docker://registry.example:5000#team/env:{DIGEST}"
    assert Enroot("3.5.0").ensure_image(asked) == found
    assert len(called) == 1  # it is there
    with pytest.raises(ImageError, match="from a registry only"):
        Enroot("3.5.0").ensure_image(environment(tmp_path))


def test_an_image_of_another_user_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "2.tar.sif").touch()
    monkeypatch.setattr(runtimes, "call", lambda *_: Done(0, b"", ""))
    assert Apptainer("").ensure_image(environment(tmp_path)).endswith("2.tar.sif")
    if os.getuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(tmp_path / "2.tar.sif", 12345, 12345)
    with pytest.raises(ImageError, match="another user's"):
        Apptainer("").ensure_image(environment(tmp_path))


def test_apptainer_without_cgroups_limits_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "2.tar.sif").touch()
    said = "FATAL:   container creation failed: while applying cgroups config: no systemd\n"
    monkeypatch.setattr(runtimes, "call", lambda *_: Done(255, b"", said))
    limited, free = Apptainer("1.4.5"), Apptainer("1.4.5")
    assert "--memory 2g" in options(limited.command("x.sif", environment(tmp_path), "name"))
    assert limited.pins
    image = free.ensure_image(environment(tmp_path))
    made = options(free.command(image, environment(tmp_path), "name"))
    assert not any(word in made for word in ("--memory", "--pids-limit", "--cpuset-cpus"))
    assert "--net --network none" in made
    assert not free.pins
    assert free.title.endswith("no limit of pids and memory and cpuset)")


def test_a_conversion_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(command: list[str], timeout: float) -> Done:
        Path(command[2]).write_bytes(b"half")
        return Done(255, b"", "FATAL: no space left on device\n")

    monkeypatch.setattr(runtimes, "call", call)
    with pytest.raises(ImageError, match="no space left"):
        Apptainer("").ensure_image(environment(tmp_path))
    assert list(tmp_path.iterdir()) == []
