"""`accelerator:` compared with the Python index itself: what torch and NVIDIA really publish."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from freezer.errors import ResolveError
from freezer.fetch.config import load_config
from freezer.fetch.http.client import NotFoundError, get_bytes
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import indexes
from freezer.fetch.store.store import Store
from freezer.flows.lock.lock import lock
from freezer.flows.project.environment import load_environment
from freezer.flows.project.project import Project
from freezer.model.cuda import toolkit_of
from freezer.model.lock import Lock
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from freezer.resolve.accelerator.nvidia_wheels import NUMBERED_AS_CUDA
from freezer.resolve.accelerator.torch_wheels import torch_wheels
from tests.support.host.hosts import Ear
from tests.support.project.locks import make_lock
from tests.support.project.questions import settled_questions

pytestmark = pytest.mark.index
AS_OF = "2026-11-20T00:00:00Z"


def locked(root: Path, *requirements: str, **accelerator: Any) -> Lock:
    """Lock Python packages for a GPU on a base that is settled; no engine is asked."""
    spec = {
        "name": "demo",
        "base": "debian:bookworm-slim",
        "python": "3.11",
        "as-of": AS_OF,
        "pip": list(requirements),
        "accelerator": accelerator,
    }
    (root / "freeze.yaml").write_text(yaml.safe_dump(spec))
    environment = load_environment(root, None)
    made = make_lock(debian=(), pip=(), as_of=AS_OF)
    answers = settled_questions(environment, made)
    file = root / "lockfiles" / "demo" / LOCK_FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(lock_bytes(made.model_copy(update={"answers": answers})))
    store = Store.open(root / "store")
    project = Project(root, load_config(), store, lambda: None, Ear())  # type: ignore[arg-type, return-value]
    return lock(project, None).locked.lock


def test_torch_brings_the_cuda_that_is_asked_for_and_its_cudnn(tmp_path: Path) -> None:
    """Pinning torch alone would let nvJitLink float; a CPU build on a page of links is no answer."""
    found = locked(tmp_path, "torch==2.13.*", cuda="13.0", driver=">=580.65.06")
    versions = {item.name: item.version for item in found.pip}
    assert versions["torch"] == "2.13.0"
    assert toolkit_of(versions["cuda-toolkit"]) == "13.0"
    numbered = {name: versions[name] for name in NUMBERED_AS_CUDA if name in versions}
    assert {"nvidia-cuda-runtime", "nvidia-nvjitlink"} <= numbered.keys()
    assert {toolkit_of(version) for version in numbered.values()} == {"13.0"}
    assert found.accelerator is not None
    assert found.accelerator.cudnn == versions["nvidia-cudnn-cu13"] == "9.20.0.48"


def test_an_older_cuda_chooses_the_torch_that_carries_it(tmp_path: Path) -> None:
    found = locked(tmp_path, "torch", cuda="12.8", cudnn="9.10")
    versions = {item.name: item.version for item in found.pip}
    assert versions["torch"].startswith("2.10.")
    assert versions["nvidia-cuda-runtime-cu12"].startswith("12.8.")
    assert versions["nvidia-cudnn-cu12"].startswith("9.10.")


def test_a_torch_of_another_cuda_is_refused_with_those_that_carry_it(tmp_path: Path) -> None:
    with pytest.raises(ResolveError, match=r"no requested version of torch has CUDA 12\.8") as no:
        locked(tmp_path, "torch==2.13.*", cuda="12.8")
    assert no.value.found == "torch 2.13.0: CUDA 13.0 and cuDNN 9.20.0.48"
    assert no.value.expected == "torch 2.8 to 2.10, whose wheels are built for CUDA 12.8"
    assert "set accelerator.cuda to 13.0" in str(no.value.hint)


def test_jax_is_held_to_the_wheels_of_one_toolkit(tmp_path: Path) -> None:
    found = locked(tmp_path, "jax[cuda12]", cuda="12.9")
    parts = [item for item in found.pip if item.name.removesuffix("-cu12") in NUMBERED_AS_CUDA]
    assert len(parts) >= 4
    assert {toolkit_of(item.version) for item in parts} == {"12.9"}


def test_a_jax_without_cuda_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResolveError, match="compute on the CPU") as caught:
        locked(tmp_path, "jax", cuda="12.9")
    assert caught.value.hint == "request jax[cuda12]"


def test_the_table_of_torch_is_what_its_wheels_say() -> None:
    """Read from the metadata beside the wheels, where the index has it."""
    index = PythonIndex(indexes(load_config()))
    files = [file for file in index.files("torch") if file.name.endswith("x86_64.whl")]
    read = 0
    for release in torch_wheels():
        start = f"torch-{release.series}."
        mine = [file for file in files if file.name.startswith(start) and "-cp311-m" in file.name]
        needs = metadata(mine[-1].url) if mine else ""
        if not needs:
            continue
        read += 1
        (cudnn,) = re.findall(r"nvidia-cudnn-cu\d+ ?\(?==([0-9.]+)", needs)
        (cuda,) = re.findall(
            r"(?:cuda-toolkit\[.*\]|nvidia-cuda-runtime-cu\d+) ?\(?==([0-9.]+)", needs
        )
        assert (release.series, toolkit_of(cuda), cudnn) == (
            release.series,
            release.cuda,
            release.cudnn,
        )
    assert read >= 10


def metadata(url: str) -> str:
    try:
        return get_bytes(f"{url}.metadata", limit=1 << 20).decode()
    except NotFoundError:
        return ""
