"""Each format of output files with the real library: other bytes, the same content; and not more."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.check.artifacts.content import FORMATS, content_digest
from tests.support.python.find_links import local_torch

pytestmark = pytest.mark.index
PACKAGES = ["numpy==2.4.6", "pandas==3.1.1", "safetensors==0.8.0", "lightgbm==4.7.0", "catboost==1.2.10",
            "tensorboardX==2.6.5"]  # fmt: skip
MAKE = {
    "safetensors": """
from safetensors.numpy import save_file
save_file({"a": numpy.arange(4.0) + changed, "b": numpy.ones(3)}, out + "x.safetensors",
    metadata={str(k): "v" for k in range(9)})
""",
    "lightgbm-text": """
import lightgbm
data = lightgbm.Dataset(X, y)
params = {"verbose": -1, "num_threads": 1 + run, "deterministic": True, "learning_rate": 0.1 + changed / 10}
lightgbm.train(params, data, 3).save_model(out + "x.txt")
""",
    "catboost-cbm": """
import catboost
model = catboost.CatBoostRegressor(iterations=3, verbose=0, allow_writing_files=False, learning_rate=0.1 + changed / 10)
model.fit(X, y).save_model(out + "x.cbm")
""",
    "catboost-json": """
import catboost
model = catboost.CatBoostRegressor(iterations=3, verbose=0, allow_writing_files=False, learning_rate=0.1 + changed / 10)
model.fit(X, y).save_model(out + "x.json", format="json")
""",
    "tensorboard": """
from tensorboardX import SummaryWriter
with SummaryWriter(out) as writer:
    for step in range(5):
        writer.add_scalar("loss", step / 3 + changed, step)
""",
    "gzip": """
import pandas
pandas.DataFrame({"a": [1, 2, 3 + changed]}).to_csv(out + "x.csv.gz", compression="gzip")
""",
    "tar": """
import io, tarfile
with tarfile.open(out + "x.tar.gz", "w:gz") as archive:
    for name in ("a", "b"):
        info = tarfile.TarInfo(name); info.size = 1; info.mtime = time.time()
        archive.addfile(info, io.BytesIO(b"y" if changed else b"x"))
""",
    "zip": """
import zipfile
path = pathlib.Path(out) / "member"; path.write_bytes(b"y" if changed else b"x")
with zipfile.ZipFile(out + "x.zip", "w") as archive:
    archive.write(path, "member")
path.unlink()
""",
}
HEAD = """
import os, pathlib, sys, time, numpy
run, changed, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] + "/"
X = numpy.random.default_rng(0).normal(size=(200, 3)); y = X[:, 0] * 2
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts") / "env"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    subprocess.run([*install, *PACKAGES], check=True)
    return folder / "bin" / "python"


def made(python: Path, script: str, folder: Path, run: int, *, changed: bool = False) -> Path:
    out = folder / f"{run}{int(changed)}"
    out.mkdir()
    subprocess.run(
        [str(python), "-c", HEAD + script, str(run), str(int(changed)), str(out)],
        check=True,
        env={"TZ": f"Etc/GMT+{run}", "PATH": "/usr/bin:/bin"},
    )
    [path] = out.iterdir()
    return path


@pytest.mark.parametrize("name", MAKE)
def test_equal_content_has_one_digest_and_other_content_another(
    python: Path, tmp_path: Path, name: str
) -> None:
    first = made(python, MAKE[name], tmp_path, 0)
    time.sleep(1.1)  # clocks of whole seconds
    second = made(python, MAKE[name], tmp_path, 1)
    other = made(python, MAKE[name], tmp_path, 2, changed=True)
    assert first.read_bytes() != second.read_bytes(), "the library writes equal bytes by now"
    digests = [content_digest(path) for path in (first, second, other)]
    assert digests[0] is not None
    assert digests[0][0] == name
    assert digests[0] == digests[1]
    assert digests[2] is not None
    assert digests[2][1] != digests[0][1]


@pytest.fixture(scope="module")
def torch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a Python with PyTorch's CPU build, where a folder of wheels on this host has it."""
    wheel = local_torch()
    if wheel is None:
        pytest.skip("no CPU build of PyTorch in pip's find-links")
    folder = tmp_path_factory.mktemp("torch") / "env"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", str(python), "numpy==2.4.6", str(wheel)],
        check=True,
    )
    return python


def test_a_file_of_pytorch_does_not_depend_on_its_name(torch: Path, tmp_path: Path) -> None:
    script = "import torch; torch.save({'w': torch.arange(4.0) + changed}, out + f'model{run}.pt')"
    first, second = (made(torch, script, tmp_path, run) for run in (0, 1))
    other = made(torch, script, tmp_path, 2, changed=True)
    assert first.read_bytes() != second.read_bytes()
    assert content_digest(first) == content_digest(second)
    assert content_digest(first)[0] == "pytorch-zip"  # type: ignore[index]
    assert content_digest(other)[1] != content_digest(first)[1]  # type: ignore[index]


def test_every_format_is_tried_here_or_by_a_file_of_its_form() -> None:
    assert {one.name for one in FORMATS} == {*MAKE, "pytorch-zip", "keras"}
