"""fastText: word vectors and text classification."""

from typing import Any

import fasttext
import numpy as np

from benchmarks.atlas.inside import operation

PACKAGE = "fasttext-wheel"
VERSIONS = ("0.9.2",)
WITH = ("numpy==1.26.4",)


def _file() -> str:
    from pathlib import Path

    generator = np.random.default_rng(3)
    lines = [
        "__label__" + str(n % 3) + " " + " ".join(f"w{w}" for w in generator.zipf(1.5, 20) % 500)
        for n in range(2000)
    ]
    Path("text.txt").write_text("\n".join(lines) + "\n")
    return "text.txt"


@operation(
    "train_unsupervised(thread=...)",
    factors=("process", "call", "threads"),
    data="2000 lines of 20 words, 2 epochs; input matrix",
    setting="thread=1",
    note="threads update one table of weights without locks; there is no seed",
)
def unsupervised(threads: int, setting: bool) -> Any:
    return fasttext.train_unsupervised(
        _file(), dim=16, epoch=2, bucket=1000, thread=1 if setting else threads, verbose=0
    ).get_input_matrix()


@operation(
    "train_supervised(thread=...)",
    factors=("process", "call", "threads"),
    data="2000 lines of 20 words, 2 epochs; input matrix",
    setting="thread=1",
)
def supervised(threads: int, setting: bool) -> Any:
    return fasttext.train_supervised(
        _file(), dim=16, epoch=2, bucket=1000, thread=1 if setting else threads, verbose=0
    ).get_input_matrix()
