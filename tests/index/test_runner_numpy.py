"""`freezer_runner` with real NumPy: the same bits in an old version and a new one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.python.find_links import local_torch

pytestmark = pytest.mark.index
INSIDE = Path(__file__).parents[2] / "freezer" / "inside"
CODE = """
import io, json, sys
import numpy
from freezer_runner import Augmentation, digest_samples, fold_keys, record_tensor, split_keys
out, sys.stdout = sys.stdout, io.StringIO()
augment = Augmentation("noise", seed=1234)
keys = numpy.array([f"img-{n}" for n in range(10)])
found = {
    "bits": augment.numpy(3, "img-1").bit_generator.random_raw(4).tolist(),
    "folds": fold_keys(keys, 3) == fold_keys(keys.tolist(), 3),
    "numbers": fold_keys(numpy.arange(9), 3) == fold_keys([*range(9)], 3),
    "labels": split_keys(keys, {"a": 0.5, "b": 0.5}, labels=numpy.arange(10) % 2),
    "digest": digest_samples("x", [("a", numpy.arange(3.0)), ("b", numpy.eye(2, dtype="f4"))]),
    "swapped": digest_samples("x", [("b", numpy.eye(2, dtype=">f4")), ("a", numpy.arange(3.0))]),
}
for values in (numpy.array([1.0, numpy.nan, -5.0], "f4"), numpy.arange(6, dtype="i8").reshape(2, 3),
               numpy.array([True, False]), numpy.zeros((0, 3)), numpy.array([numpy.inf], "f2")):
    record_tensor("w", values)
text, sys.stdout = sys.stdout.getvalue(), out
lines = [json.loads(one.split(" ", 1)[1]) for one in text.splitlines() if one.startswith("::freezer:: ")]
found["tensors"] = [(one["name"], one.get("value", one.get("shape"))) for one in lines if one["name"].split(".")[0] == "w"]
print(json.dumps(found))
"""
NAN = "nan"


def run(folder: Path, version: str) -> dict:
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", str(python), f"numpy=={version}"]
    subprocess.run(install, check=True)
    done = subprocess.run(
        [str(python), "-c", CODE], env={"PYTHONPATH": str(INSIDE)}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_two_versions_of_numpy_give_the_same(tmp_path: Path) -> None:
    old, new = (run(tmp_path / version, version) for version in ("1.24.4", "2.4.6"))
    assert old == new
    assert new["folds"] is new["numbers"] is True
    assert new["digest"] == new["swapped"], "byte order and order are no matter"
    assert new["bits"] == [
        16236635064104108182,
        11984007504534884372,
        15541633066445213883,
        1108516927954877265,
    ]
    assert new["tensors"] == [
        ["w", [3]], ["w.not-finite", "0x1.0000000000000p+0"], ["w.least", "-0x1.4000000000000p+2"],
        ["w.greatest", "0x1.0000000000000p+0"],
        ["w", [2, 3]], ["w.not-finite", "0x0.0p+0"], ["w.least", "0x0.0p+0"],
        ["w.greatest", "0x1.4000000000000p+2"],
        ["w", [2]], ["w.not-finite", "0x0.0p+0"], ["w.least", "0x0.0p+0"],
        ["w.greatest", "0x1.0000000000000p+0"],
        ["w", [0, 3]], ["w.not-finite", "0x0.0p+0"], ["w.least", NAN], ["w.greatest", NAN],
        ["w", [1]], ["w.not-finite", "0x1.0000000000000p+0"], ["w.least", NAN], ["w.greatest", NAN],
    ]  # fmt: skip


TORCH = """
import json, sys, io
import torch
from freezer_runner import digest_samples, record_optimizer, record_schedule, record_tensor
out, sys.stdout = sys.stdout, io.StringIO()
for values in (torch.tensor([1.0, float("nan"), -5.0]), torch.arange(6), torch.zeros(0),
               torch.nn.Parameter(torch.tensor([[2.0, float("inf")]]))):
    record_tensor("w", values)
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.5, momentum=0.25)
record_optimizer(optimizer)
record_schedule(torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.125))
digest_samples("x", [("a", torch.arange(3.0))])
text, sys.stdout = sys.stdout.getvalue(), out
lines = [json.loads(one.split(" ", 1)[1]) for one in text.splitlines() if one.startswith("::freezer:: ")]
print(json.dumps([(one["name"], one.get("value", one.get("shape"))) for one in lines]))
"""


def test_tensors_optimisers_and_schedules_of_pytorch(tmp_path: Path) -> None:
    wheel = local_torch()
    if wheel is None:
        pytest.skip("no CPU build of PyTorch in pip's find-links")
    uv = str(Path(sys.executable).with_name("uv"))
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run(
        [uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "env"], check=True
    )
    install = [uv, "pip", "install", "--quiet", "--python", str(python), "numpy==2.4.6", str(wheel)]
    subprocess.run(install, check=True)
    done = subprocess.run(
        [str(python), "-c", TORCH],
        env={"PYTHONPATH": str(INSIDE)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    tensors = [value for name, value in found if name.startswith("w")]
    assert tensors == [
        [3], "0x1.0000000000000p+0", "-0x1.4000000000000p+2", "0x1.0000000000000p+0",
        [6], "0x0.0p+0", "0x0.0p+0", "0x1.4000000000000p+2",
        [0], "0x0.0p+0", NAN, NAN,
        [1, 2], "0x1.0000000000000p+0", "0x1.0000000000000p+1", "0x1.0000000000000p+1",
    ]  # fmt: skip
    named = dict(found)
    assert named["optimizer: momentum"].startswith("0x1.0000000000000p-2")
    assert named["optimizer: nesterov"] == "False"
    assert named["schedule.gamma"] == "0x1.0000000000000p-3"
    assert named["schedule.step_size"] == "30"
    assert named["schedule.class"] == "torch.optim.lr_scheduler.StepLR"
    assert not [name for name in named if "last" in name or "step_count" in name]
