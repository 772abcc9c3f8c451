"""What an inventory says of the numbers, and of the lock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from freezer.check.inventory import take as module
from freezer.check.inventory.numerics import compare_inventories, differences_of_notes, doubles
from freezer.check.inventory.take import parse_inventory, require_inventory, take_inventory
from freezer.engine.interface import RunResult
from freezer.errors import CheckError, VerificationError
from freezer.model.lock import Accelerator
from freezer.model.record.inventory import Inventory, inventory_digest, note_of
from tests.support.project.locks import make_lock, sha

IMAGE = f"sha256:{sha('a')}"


def library(name: str, role: str, owner: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "roles": [role],
        "version": "1.0",
        "file": f"/opt/env/{owner}/{name}.so",
        "sha256": sha("1"),
        "owner": owner,
        "owner_version": "1.0",
        "loaded_by": [owner],
        **more,
    }


def taken(*libraries: dict[str, Any], image: str = IMAGE, **more: Any) -> Inventory:
    document = {"files": len(libraries), "libraries": libraries, **more}
    return parse_inventory(json.dumps(document).encode(), image)


OPENBLAS = library("OpenBLAS", "blas", "conda:libopenblas", loaded_by=["conda:numpy"])
MKL = library("MKL", "blas", "conda:mkl", loaded_by=["conda:numpy", "conda:scipy"])


def test_one_blas_in_many_files_is_one() -> None:
    parts = [
        library("MKL", "blas", "conda:mkl", file=f"/opt/env/lib/libmkl_{n}.so") for n in range(4)
    ]
    assert doubles(taken(*parts)) == ()


def test_two_blas_that_are_loaded_are_named_with_what_they_can_do() -> None:
    (said,) = doubles(taken(OPENBLAS, library("OpenBLAS", "blas", "pip:scipy", version="2.0")))
    assert said.startswith("2 BLAS: OpenBLAS 1.0 (conda:libopenblas), loaded by conda:numpy; ")
    assert "OpenBLAS 2.0, loaded by pip:scipy" in said
    assert "rounds differently" in said


def test_wheels_that_bring_the_same_version_round_alike() -> None:
    pair = [library("OpenBLAS", "blas", owner) for owner in ("pip:numpy", "pip:scipy")]
    assert doubles(taken(*pair)) == ()


def test_a_blas_that_nothing_loads_is_said_in_other_words() -> None:
    idle = library("OpenBLAS", "blas", "debian:libopenblas0-pthread", loaded_by=[])
    (said,) = doubles(taken(idle, library("OpenBLAS", "blas", "pip:numpy", version="0.3.31")))
    assert said.startswith(
        "OpenBLAS 1.0 (debian:libopenblas0-pthread) is installed next to OpenBLAS 0.3.31"
    )


def test_two_openmp_runtimes_are_named_with_what_they_can_do() -> None:
    (said,) = doubles(
        taken(library("libgomp", "openmp", "pip:scikit-learn"), library("libiomp5", "openmp", "x"))
    )
    assert said.startswith("2 OpenMP runtimes: libgomp 1.0, loaded by pip:scikit-learn; libiomp5")
    assert "a crash or a hang" in said


def test_what_a_framework_has_linked_in_counts() -> None:
    held = {"name": "MKL", "roles": ["blas", "lapack"], "file": "/t.so", "owner": "pip:torch"}
    (said,) = doubles(taken(OPENBLAS, linked_in=[held]))
    assert "MKL within pip:torch, loaded by pip:torch" in said


def test_cublas_is_no_second_blas() -> None:
    assert doubles(taken(OPENBLAS, library("cuBLAS", "cuda", "pip:nvidia-cublas-cu12"))) == ()


def test_changes_name_what_became_what() -> None:
    assert compare_inventories(taken(OPENBLAS), taken(MKL)) == (
        "BLAS OpenBLAS 1.0 (conda:libopenblas) became MKL 1.0 (conda:mkl)",
    )
    assert compare_inventories(taken(), taken(MKL)) == ("BLAS MKL 1.0 (conda:mkl) is new",)
    assert compare_inventories(taken(MKL), taken()) == ("BLAS MKL 1.0 (conda:mkl) is removed",)
    assert compare_inventories(taken(MKL), taken({**MKL, "sha256": sha("2")})) == (
        "BLAS MKL 1.0 (conda:mkl) has other bytes under the same version",
    )


def test_the_image_itself_is_no_difference_and_records_without_a_note_have_none() -> None:
    other = taken(MKL, image=f"sha256:{sha('b')}")
    assert inventory_digest(other) == inventory_digest(taken(MKL))
    assert compare_inventories(taken(MKL), other) == ()
    assert differences_of_notes(None, note_of(other)) == ()
    assert differences_of_notes(note_of(other), None) == ()


def test_a_note_leaves_out_what_no_module_loads() -> None:
    idle = library("libquadmath", "libm", "debian:libquadmath0", loaded_by=[])
    assert [item.name for item in note_of(taken(MKL, idle)).numerics] == ["MKL"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b'{"files": -1}',
        b'{"files": 1, "surprise": 2}',
        b"[" * 100_000,
        json.dumps({"files": 1, "libraries": [{**MKL, "name": "a\nb"}]}).encode(),
        json.dumps({"files": 1, "libraries": [{**MKL, "file": "\x1b[31m"}]}).encode(),
        json.dumps({"files": 1, "libraries": [{**MKL, "sha256": "x"}]}).encode(),
        json.dumps({"files": 1, "libraries": [{**MKL, "roles": ["magic"]}]}).encode(),
    ],
    ids=lambda data: str(len(data)),
)
def test_what_is_no_inventory_is_refused(data: bytes) -> None:
    with pytest.raises(CheckError, match="inventory is unreadable"):
        parse_inventory(data, IMAGE)


def test_another_blas_than_the_locks_is_a_broken_promise() -> None:
    require_inventory(make_lock(blas="mkl"), taken(MKL))
    require_inventory(make_lock(), taken(OPENBLAS))
    with pytest.raises(VerificationError) as caught:
        require_inventory(make_lock(blas="mkl"), taken(OPENBLAS))
    assert caught.value.details == (
        "conda:numpy loads OpenBLAS (/opt/env/conda:libopenblas/OpenBLAS.so), locked: mkl",
    )


def test_a_wheels_own_blas_is_no_broken_promise() -> None:
    bundled = library("OpenBLAS", "blas", "pip:opencv-python")
    require_inventory(make_lock(blas="mkl"), taken(MKL, bundled))


@pytest.mark.parametrize(
    ("name", "role", "version", "good"),
    [
        ("CUDA runtime", "cuda", "12.8.90", True),
        ("CUDA runtime", "cuda", "13.0.96", False),
        ("CUDA runtime", "cuda", "", True),
        ("cuDNN", "cudnn", "9.10.2", True),
        ("cuDNN", "cudnn", "9.10.2.21", True),
        ("cuDNN", "cudnn", "9.1.0.70", False),
    ],
)
def test_cuda_and_cudnn_are_those_of_the_lock(
    name: str, role: str, version: str, good: bool
) -> None:
    lock = make_lock(accelerator=Accelerator(cuda="12.8", cudnn="9.10.2.21"))
    found = taken(library(name, role, "pip:nvidia", version=version))
    if good:
        require_inventory(lock, found)
    else:
        with pytest.raises(VerificationError, match="numeric libraries are not those of the lock"):
            require_inventory(lock, found)


class Answering:
    """An engine whose containers print what they are told to."""

    def __init__(self, stdout: bytes, exit_code: int = 0) -> None:
        self.answer = RunResult(exit_code, stdout, b"Traceback\nboom", False, False, 0.1)
        self.seen: dict[str, Any] = {}

    def run(self, image: str, command: list[str], options: Any, **more: Any) -> RunResult:
        self.seen = {"image": image, "command": command, "options": options, **more}
        return self.answer


def test_the_code_that_looks_is_brought_along_and_has_no_network() -> None:
    engine = Answering(json.dumps({"files": 1, "libraries": [MKL]}).encode())
    found = take_inventory(engine, IMAGE)  # type: ignore[arg-type]
    assert found == taken(MKL)
    options, command = engine.seen["options"], engine.seen["command"]
    assert (options.network, options.read_only, set(engine.seen)) == (
        "none", True, {"image", "command", "options"},
    )  # fmt: skip
    assert max(map(len, command)) < 100_000


@pytest.mark.process
def test_the_program_that_is_sent_runs_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ARCHIVE", str(tmp_path / "code.zip"))
    engine = Answering(b'{"files": 0}')
    take_inventory(engine, IMAGE)  # type: ignore[arg-type]
    command = [sys.executable, *engine.seen["command"][1:-1], str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert parse_inventory(done.stdout, IMAGE).files > 0


def test_an_image_that_cannot_say_is_an_error_with_its_last_words() -> None:
    with pytest.raises(CheckError) as caught:
        take_inventory(Answering(b"", 1), IMAGE)  # type: ignore[arg-type]
    assert caught.value.details == ("Traceback", "boom")
