"""TensorFlow with Keras."""

from __future__ import annotations

from typing import Final

from freezer.frameworks.description import (
    Companion,
    Documented,
    Framework,
    Gpu,
    Influence,
    Switch,
    Tolerance,
)

DESCRIPTION: Final = Framework(
    title="TensorFlow",
    packages=("tensorflow", "tensorflow-cpu"),
    conda={
        "tensorflow-base": "tensorflow",
        "tensorflow-cpu": "tensorflow",
        "tensorflow-gpu": "tensorflow",
    },
    mistaken=("tensorflow-gpu",),
    training="tensorflow",
    tolerance=Tolerance(
        loss=1e-5,
        tensor=1e-4,
        source="that of PyTorch, whose training has the same operations in single precision",
    ),
    seeded=True,
    switches=(Switch("op determinism"), Switch("TF32", gpu=True)),
    loader_workers=True,
    documented=(
        Documented(
            says="operations on GPUs and tf.data with parallel calls are not deterministic by "
            "default",
            mitigation="tf.config.experimental.enable_op_determinism() and "
            "tf.keras.utils.set_random_seed()",
            source="https://www.tensorflow.org/api_docs/python/tf/config/experimental/"
            "enable_op_determinism",
        ),
    ),
    changes=(
        Influence(
            pattern=r"tensorflow.*|keras",
            likelihood="likely",
            why="kernels and defaults come from it",
        ),
    ),
    variables=(
        Influence(
            pattern="TF_NUM_INTRAOP_THREADS",
            likelihood="likely",
            why="sums are split among threads",
        ),
        Influence(
            pattern="TF_NUM_INTEROP_THREADS",
            likelihood="likely",
            why="operations that draw random numbers take turns by it",
        ),
    ),
    gpu=Gpu(
        source="https://www.tensorflow.org/install/pip and the builds of conda-forge",
        cpu_wheels={"tensorflow-cpu": "tensorflow[and-cuda]"},
        companions=(
            Companion(
                package="tensorflow",
                needs=r"nvidia-cudnn(-cu\d+)?|cudnn|libcudnn",
                ask="tensorflow[and-cuda]",
            ),
        ),
        conda=("tensorflow", "tensorflow-base"),
        conda_cpu={"tensorflow-cpu": "tensorflow-gpu"},
        conda_parts={"tensorflow": ("tensorflow-base",)},
    ),
)
