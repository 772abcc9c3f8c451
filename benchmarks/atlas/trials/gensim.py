"""gensim: topic models and word vectors."""

from typing import Any

import numpy as np
from gensim import corpora, models

from benchmarks.atlas.inside import operation

PACKAGE = "gensim"
VERSIONS = ("4.4.0",)
WITH = ("numpy==2.4.6", "scipy==1.17.1")


def _sentences() -> list[list[str]]:
    generator = np.random.default_rng(3)
    return [[f"w{n}" for n in generator.zipf(1.5, 20) % 500] for _ in range(3000)]


@operation(
    "Word2Vec(workers=...)",
    factors=("process", "call", "threads", "hash seed"),
    data="3000 sentences of 20 words, seed 1, 2 epochs; vectors",
    setting="workers=1",
    note="workers update one table of weights without locks",
)
def word2vec(seed: int, threads: int, setting: bool) -> Any:
    model = models.Word2Vec(
        _sentences(), vector_size=32, workers=1 if setting else threads, seed=seed, epochs=2
    )
    return model.wv.vectors


@operation(
    "Doc2Vec(workers=...)",
    factors=("process", "threads", "hash seed"),
    data="600 documents of 20 words, 2 epochs; vectors",
    setting="workers=1",
)
def doc2vec(seed: int, threads: int, setting: bool) -> Any:
    documents = [
        models.doc2vec.TaggedDocument(words, [n]) for n, words in enumerate(_sentences()[:600])
    ]
    return models.Doc2Vec(
        documents, vector_size=16, workers=1 if setting else threads, seed=seed, epochs=2
    ).dv.vectors


@operation(
    "FastText(workers=...)",
    factors=("process", "threads"),
    data="600 sentences of 20 words, 2 epochs; vectors",
    setting="workers=1",
)
def fasttext(seed: int, threads: int, setting: bool) -> Any:
    return models.FastText(
        _sentences()[:600],
        vector_size=16,
        workers=1 if setting else threads,
        seed=seed,
        epochs=2,
        bucket=1000,
    ).wv.vectors


@operation(
    "LdaModel(random_state=...)",
    factors=("process", "call", "hash seed"),
    data="600 documents, 5 topics; topics",
)
def lda(seed: int) -> Any:
    words = _sentences()[:600]
    dictionary = corpora.Dictionary(words)
    bags = [dictionary.doc2bow(item) for item in words]
    return models.LdaModel(bags, 5, dictionary, random_state=seed).get_topics()


@operation(
    "LsiModel(random_seed=1)",
    factors=("process", "call", "blas threads"),
    data="600 documents, 5 topics; singular values",
)
def lsi() -> Any:
    words = _sentences()[:600]
    dictionary = corpora.Dictionary(words)
    return models.LsiModel(
        [dictionary.doc2bow(item) for item in words], 5, random_seed=1
    ).projection.s
