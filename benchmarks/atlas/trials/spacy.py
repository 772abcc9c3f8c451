"""spaCy: pipelines for text."""

import random
from typing import Any

import spacy
from spacy.training import Example

from benchmarks.atlas.inside import operation

PACKAGE = "spacy"
VERSIONS = ("3.8.18",)
WITH = ("numpy==2.4.6",)


def _trained(seed: int, pipe: str) -> Any:
    spacy.util.fix_random_seed(seed)
    generator = random.Random(3)
    nlp = spacy.blank("en")
    added = nlp.add_pipe(pipe)
    texts = [" ".join(f"word{generator.randint(0, 40)}" for _ in range(10)) for _ in range(40)]
    if pipe == "textcat":
        examples = [
            Example.from_dict(nlp.make_doc(text), {"cats": {"A": float(n % 2), "B": 1.0 - n % 2}})
            for n, text in enumerate(texts)
        ]
    else:
        examples = [
            Example.from_dict(nlp.make_doc(text), {"entities": [(0, len(text.split()[0]), "X")]})
            for text in texts
        ]
        added.add_label("X")
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(2):
        nlp.update(examples, sgd=optimizer)
    return nlp, texts


@operation(
    "training a textcat after fix_random_seed",
    factors=("process", "call", "hash seed", "blas threads"),
    data="40 texts, 2 updates; scores",
)
def classifier(seed: int) -> Any:
    nlp, texts = _trained(seed, "textcat")
    return [float(nlp(text).cats["A"]) for text in texts]


@operation(
    "Language.to_bytes of a trained textcat",
    factors=("process", "call", "hash seed"),
    data="40 texts, 2 updates",
)
def saved(seed: int) -> Any:
    return _trained(seed, "textcat")[0].to_bytes()


@operation(
    "training a ner after fix_random_seed",
    factors=("process", "hash seed"),
    data="40 texts, 2 updates; the bytes of the component",
)
def entities(seed: int) -> Any:
    return _trained(seed, "ner")[0].get_pipe("ner").model.to_bytes()
