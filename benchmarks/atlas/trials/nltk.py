"""NLTK: text processing."""

import random
from typing import Any

import nltk

from benchmarks.atlas.inside import operation

PACKAGE = "nltk"
VERSIONS = ("3.10.4",)
WITH = ("numpy==2.4.6",)


def _samples() -> list[tuple[dict[str, Any], str]]:
    generator = random.Random(3)
    return [
        ({f"f{k}": generator.random() < 0.5 for k in range(5)}, f"c{n % 2}") for n in range(200)
    ]


@operation(
    "NaiveBayesClassifier.train",
    factors=("process", "call", "hash seed"),
    data="200 samples of 5 features; probabilities",
)
def bayes() -> Any:
    model = nltk.NaiveBayesClassifier.train(_samples())
    return [float(model.prob_classify(item).prob("c0")) for item, _ in _samples()]


@operation(
    "MaxentClassifier.train",
    factors=("process", "call", "hash seed"),
    data="200 samples of 5 features, 5 iterations; probabilities",
)
def maxent() -> Any:
    model = nltk.MaxentClassifier.train(_samples(), trace=0, max_iter=5)
    return [float(model.prob_classify(item).prob("c0")) for item, _ in _samples()]


@operation(
    "FreqDist.most_common: order of ties",
    factors=("process", "hash seed"),
    data="200 words, each twice",
)
def ties() -> Any:
    return [word for word, _ in nltk.FreqDist([f"w{n % 200}" for n in range(400)]).most_common(50)]
