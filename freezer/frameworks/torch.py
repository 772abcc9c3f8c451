"""PyTorch: its switches, its wheels by CUDA, and what its switches do not reach on a CPU."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Documented,
    Framework,
    Gpu,
    Influence,
    Switch,
    Tolerance,
    WheelSeries,
)
from freezer.frameworks.hosts import ZEN_4_STUDY

_RANDOMNESS: Final = "https://pytorch.org/docs/stable/notes/randomness.html"
_FLAG: Final = "torch.use_deterministic_algorithms(True)"

DESCRIPTION: Final = Framework(
    title="PyTorch",
    packages=("torch",),
    conda={
        "pytorch": "torch",
        "pytorch-cpu": "torch",
        "pytorch-gpu": "torch",
    },
    mistaken=("pytorch",),
    training="torch",
    tolerance=Tolerance(loss=1e-5, tensor=1e-4, source=ZEN_4_STUDY),
    seeded=True,
    switches=(
        Switch("deterministic algorithms"),
        Switch("fill uninitialized memory"),
        Switch("cudnn.deterministic", gpu=True),
        Switch("cudnn.benchmark", gpu=True),
        Switch("float32 precision on CUDA", gpu=True),
    ),
    loader_workers=True,
    # https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/DispatchStub.cpp
    oldest_kernels={"ATEN_CPU_CAPABILITY": "default"},
    documented=(
        Documented(
            says="some operations add in no fixed order (index_add, scatter_add, bincount and "
            "others)",
            mitigation=f"{_FLAG}; it raises where there is no other way",
            source="https://pytorch.org/docs/stable/generated/"
            "torch.use_deterministic_algorithms.html",
        ),
        Documented(
            says="cuDNN tries algorithms and takes the fastest, which may be another one each time",
            mitigation="torch.backends.cudnn.benchmark = False and deterministic = True",
            source=_RANDOMNESS,
            gpu=True,
        ),
        Documented(
            says="data loaders with workers: random transforms draw from a generator of each "
            "worker",
            mitigation="worker_init_fn and generator, as freezer_inside.worker_init does",
            source=f"{_RANDOMNESS}#dataloader",
        ),
    ),
    changes=(
        Influence(
            pattern=r"torch|pytorch(-cpu|-gpu)?|libtorch",
            likelihood="likely",
            why="kernels, defaults and random streams come from it",
        ),
    ),
    variables=(
        Influence(
            pattern="ATEN_CPU_CAPABILITY", likelihood="likely", why="it chooses the CPU kernels"
        ),
    ),
    gpu=Gpu(
        source="the Requires-Dist of the wheels on the public index (x86-64, CPython), release by "
        "release; PyTorch's .github/scripts/generate_binary_build_matrix.py; the builds of "
        "conda-forge",
        wheels=(
            WheelSeries("1.13", "11.7", "8.5.0.96"),
            WheelSeries("2.0", "11.7", "8.5.0.96"),
            WheelSeries("2.1", "12.1", "8.9.2.26"),
            WheelSeries("2.2", "12.1", "8.9.2.26"),
            WheelSeries("2.3", "12.1", "8.9.2.26"),
            WheelSeries("2.4", "12.1", "9.1.0.70"),
            WheelSeries("2.5", "12.4", "9.1.0.70"),
            WheelSeries("2.6", "12.4", "9.1.0.70"),
            WheelSeries("2.7", "12.6", "9.5.1.17"),
            WheelSeries("2.8", "12.8", "9.10.2.21"),
            WheelSeries("2.9", "12.8", "9.10.2.21"),
            WheelSeries("2.10", "12.8", "9.10.2.21"),
            WheelSeries("2.11", "13.0", "9.19.0.56"),
            WheelSeries("2.12", "13.0", "9.20.0.48"),
            WheelSeries("2.13", "13.0", "9.20.0.48"),
            WheelSeries("2.14", "13.0", "9.24.0.43"),
            WheelSeries("2.15", "13.2", "9.26.0.51"),
        ),
        conda=("libtorch", "pytorch"),
        conda_cpu={"pytorch-cpu": "pytorch-gpu"},
        conda_parts={"pytorch": ("libtorch",)},
        conda_retired={
            "cpuonly": "leave it out and name a CPU build: `pytorch=*=cpu*`",
            "pytorch-cuda": "leave it out and say `accelerator: {cuda: ...}` in the spec",
        },
    ),
)
