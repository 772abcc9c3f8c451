#!/usr/bin/env bash
# Tokenizers: training a WordPiece vocabulary twice on the same text gives two vocabularies.
#
# Versions:   tokenizers 0.23.3; CPython 3.11, Linux x86-64
# Documented: nothing; training has no seed and no switch
#             https://huggingface.co/docs/tokenizers/api/trainers
# Behaviour:  pieces that continue a word (`##e`) get their numbers in the order of a hash table that is
#             seeded by chance. Ties between equally frequent pairs go by these numbers, so sometimes the
#             entries are other ones as well. It differs from call to call in one process, with one
#             thread. BpeTrainer, UnigramTrainer and WordLevelTrainer repeat themselves on the same text.
# Output:     BpeTrainer: 5 trainings, 1 vocabulary
#             WordPieceTrainer: 5 trainings, 5 vocabularies
# Where met:  https://github.com/huggingface/tokenizers/issues/1794
#             ("WordPieceTrainer.train_from_iterator is not deterministic"): models that are trained again
#             from the text on meet other token numbers
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
cd "$work"
RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false venv/bin/python - <<'PROGRAM'
import random
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

generator = random.Random(3)
words = ["".join(generator.choices("abcdefghij", k=generator.randint(2, 8))) for _ in range(2000)]
lines = [" ".join(generator.choices(words, k=20)) for _ in range(500)]


def vocabulary(model, trainer):
    """Return the entries that one training finds, with their numbers."""
    tokenizer = Tokenizer(model(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(lines, trainer(vocab_size=600, show_progress=False))
    return frozenset(tokenizer.get_vocab().items())


found = {}
for model, trainer in (
    (models.BPE, trainers.BpeTrainer), (models.WordPiece, trainers.WordPieceTrainer)
):
    found[trainer] = len({vocabulary(model, trainer) for _ in range(5)})
    noun = "vocabulary" if found[trainer] == 1 else "vocabularies"
    print(f"{trainer.__name__}: 5 trainings, {found[trainer]} {noun}")
sys.exit(0 if found[trainers.BpeTrainer] == 1 < found[trainers.WordPieceTrainer] else 1)
PROGRAM
