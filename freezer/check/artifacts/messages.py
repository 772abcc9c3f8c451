"""Models written as Protocol Buffers: ONNX and SentencePiece."""

from __future__ import annotations

from typing import BinaryIO, Final

from freezer.check.artifacts.description import Format, NotThisFormatError, Parts, whole
from freezer.check.artifacts.protobuf import LENGTH, VARINT, fields

_IR_VERSION, _GRAPH, _METADATA = 1, 7, 14
"""Fields of ONNX's ModelProto."""
_RANDOM: Final = (b"model_guid", b"train_finish_time")
"""Keys of ONNX's metadata whose values from CatBoost differ each time."""
_PIECE, _TRAINER = 1, 2
"""Fields of SentencePiece's ModelProto."""
_WHERE: Final = (1, 2, 16)
"""Fields of its trainer_spec: ``input``, ``model_prefix``, ``num_threads``."""


def _onnx(stream: BinaryIO) -> Parts:
    """Yield the model's fields but for the metadata that differ between equal models."""
    found = list(fields(whole(stream)))
    kinds = {(one.number, one.wire) for one in found}
    if not {(_IR_VERSION, VARINT), (_GRAPH, LENGTH)} <= kinds:
        message = "no model of ONNX"
        raise NotThisFormatError(message)
    for one in found:
        if one.number != _METADATA or _key(one.value) not in _RANDOM:
            yield str(one.number), one.whole


def _key(entry: bytes) -> bytes | None:
    return next((one.value for one in fields(entry) if one.number == 1), None)


def _sentencepiece(stream: BinaryIO) -> Parts:
    """Yield pieces, scores and specs without paths and the number of threads."""
    found = list(fields(whole(stream)))
    numbers = {one.number for one in found if one.wire == LENGTH}
    if not {_PIECE, _TRAINER} <= numbers:
        message = "no model of SentencePiece"
        raise NotThisFormatError(message)
    for one in found:
        if one.number == _TRAINER:
            kept = [inner.whole for inner in fields(one.value) if inner.number not in _WHERE]
            yield "trainer", b"".join(kept)
        else:
            yield str(one.number), one.whole


FORMATS: Final = (
    Format(
        "onnx",
        lambda name, _head: name.endswith(".onnx"),
        _onnx,
        "`model_guid` and `train_finish_time` among the metadata, which CatBoost writes",
        "catboost 1.2.10: `save_model(format='onnx')`",
    ),
    Format(
        "sentencepiece",
        lambda name, head: name.endswith(".model") and head[:1] == b"\x0a" and b"<unk>" in head,
        _sentencepiece,
        "the paths of corpus and model and `num_threads` among the trainer's parameters",
        "sentencepiece 0.2.3: `SentencePieceTrainer.train`",
    ),
)
