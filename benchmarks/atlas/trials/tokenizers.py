"""Hugging Face Tokenizers: text as numbers, and vocabularies learned from text."""

import random
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from benchmarks.atlas.inside import operation

PACKAGE = "tokenizers"
VERSIONS = ("0.23.3",)


def _texts() -> list[str]:
    generator = random.Random(3)
    letters = "abcdefghij"
    words = [
        "".join(generator.choice(letters) for _ in range(generator.randint(2, 8)))
        for _ in range(2000)
    ]
    return [" ".join(generator.choice(words) for _ in range(20)) for _ in range(500)]


def _trained(model: Any, trainer: Any) -> Any:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(_texts(), trainer)
    return sorted(tokenizer.get_vocab().items())


@operation(
    "BpeTrainer",
    factors=("process", "call", "threads"),
    data="500 lines of random words, 600 entries; the vocabulary",
)
def bpe() -> Any:
    return _trained(
        models.BPE(unk_token="[UNK]"), trainers.BpeTrainer(vocab_size=600, show_progress=False)
    )


@operation(
    "WordPieceTrainer",
    factors=("process", "call", "threads"),
    data="500 lines of random words, 600 entries; the vocabulary",
    note="entries of equal counts are numbered by a hash table that is seeded by chance",
)
def word_piece() -> Any:
    return _trained(
        models.WordPiece(unk_token="[UNK]"),
        trainers.WordPieceTrainer(vocab_size=600, show_progress=False),
    )


@operation(
    "UnigramTrainer",
    factors=("process", "call", "threads"),
    data="500 lines of random words, 400 entries; the vocabulary",
    note="there is no seed and no switch",
)
def unigram() -> Any:
    return _trained(models.Unigram(), trainers.UnigramTrainer(vocab_size=400, show_progress=False))


@operation(
    "WordLevelTrainer",
    factors=("process", "call", "threads"),
    data="500 lines of random words, 600 entries; the vocabulary",
)
def word_level() -> Any:
    return _trained(
        models.WordLevel(unk_token="[UNK]"),
        trainers.WordLevelTrainer(vocab_size=600, show_progress=False),
    )


@operation(
    "BPE(dropout=0.1).encode",
    factors=("process", "call"),
    data="one line of 20 words",
    note="there is no seed: encode in a fixed order without dropout, or store the tokens",
)
def dropout() -> Any:
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(
        _texts(), trainers.BpeTrainer(vocab_size=600, show_progress=False)
    )
    tokenizer.model.dropout = 0.1
    return [tokenizer.encode(text).tokens for text in _texts()[:20]]
