"""SentencePiece: text as pieces, and vocabularies learned from text."""

import io
import random
from typing import Any

import sentencepiece

from benchmarks.atlas.inside import operation

PACKAGE = "sentencepiece"
VERSIONS = ("0.2.3",)


def _texts() -> list[str]:
    generator = random.Random(3)
    words = [
        "".join(generator.choice("abcdefghij") for _ in range(generator.randint(2, 8)))
        for _ in range(2000)
    ]
    return [" ".join(generator.choice(words) for _ in range(20)) for _ in range(500)]


def _model(kind: str, threads: int) -> bytes:
    found = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_texts()),
        model_writer=found,
        vocab_size=300,
        model_type=kind,
        num_threads=threads,
        minloglevel=2,
    )
    return found.getvalue()


def _pieces(model: bytes) -> Any:
    found = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [[found.id_to_piece(n), found.get_score(n)] for n in range(found.get_piece_size())]


@operation(
    "SentencePieceTrainer(model_type='unigram', num_threads=...)",
    factors=("process", "call", "threads"),
    data="500 lines of random words, 300 pieces; pieces and scores",
    note="each thread sums the expectations of its share of the lines",
)
def unigram(threads: int) -> Any:
    return _pieces(_model("unigram", threads))


@operation(
    "SentencePieceTrainer(model_type='bpe', num_threads=...)",
    factors=("process", "call", "threads"),
    data="500 lines of random words, 300 pieces; pieces and scores",
)
def bpe(threads: int) -> Any:
    return _pieces(_model("bpe", threads))


@operation(
    "encode(enable_sampling=True)",
    factors=("process", "call"),
    data="20 lines, alpha 0.1",
    setting="sentencepiece.set_random_generator_seed(1)",
)
def sampled(setting: bool) -> Any:
    if setting:
        sentencepiece.set_random_generator_seed(1)
    found = sentencepiece.SentencePieceProcessor(model_proto=_model("unigram", 1))
    return found.encode(_texts()[:20], out_type=int, enable_sampling=True, alpha=0.1, nbest_size=-1)
