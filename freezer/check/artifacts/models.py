"""Models of single libraries: safetensors, LightGBM, CatBoost."""

from __future__ import annotations

import hashlib
import json
import re
from typing import BinaryIO, Final

from freezer.check.artifacts.description import Format, NotThisFormatError, Parts, whole

_HEADER: Final = 100 << 20
"""Maximum bytes of a safetensors header: the library's own limit."""
_BLOCK: Final = 1 << 20
_GUID: Final = re.compile(
    rb"[\x20-\x23]\0\0\0[0-9a-f]{1,8}(-[0-9a-f]{1,8}){3}\0{1,4}(?=\x0a\0\0\0model_guid\0)"
)
"""Four hexadecimal 32-bit numbers without leading zeros, prefixed by their varying length."""
_CLOCK: Final = re.compile(
    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?=\0{1,4}\x11\0\0\0train_finish_time\0)"
)
"""In a flat buffer values precede their keys, each with the length of its text."""


def _safetensors(stream: BinaryIO) -> Parts:
    """Yield the header as a mapping, then the tensors' bytes."""
    size = int.from_bytes(stream.read(8), "little")
    if not 2 <= size <= _HEADER:
        message = "no safetensors header"
        raise NotThisFormatError(message)
    data = stream.read(size)
    if len(data) != size:
        message = "the header is cut short"
        raise NotThisFormatError(message)
    yield "header", json.dumps(json.loads(data), sort_keys=True).encode()
    hasher = hashlib.sha256()
    while block := stream.read(_BLOCK):
        hasher.update(block)
    yield "tensors", hasher.digest()


def _lightgbm(stream: BinaryIO) -> Parts:
    """Yield all lines except for the number of threads among the parameters."""
    lines = whole(stream).split(b"\n")
    yield "model", b"\n".join(one for one in lines if not one.startswith(b"[num_threads:"))


def _catboost(stream: BinaryIO) -> Parts:
    """Yield the model with its identifier and its clock cleared."""
    data = whole(stream)
    if b"model_guid" not in data:
        message = "not a CatBoost model"
        raise NotThisFormatError(message)
    for pattern in (_GUID, _CLOCK):
        data = pattern.sub(b"", data)
    yield "model", data


def _catboost_json(stream: BinaryIO) -> Parts:
    document = json.loads(whole(stream))
    if not isinstance(document, dict) or "model_info" not in document:
        message = "not a CatBoost model"
        raise NotThisFormatError(message)
    info = document.get("model_info")
    if isinstance(info, dict):
        for key in ("model_guid", "train_finish_time"):
            info.pop(key, None)
    yield "model", json.dumps(document, sort_keys=True).encode()


FORMATS: Final = (
    Format(
        "safetensors",
        lambda name, head: name.endswith(".safetensors") and head[8:9] == b"{",
        _safetensors,
        "the order of the header's keys, random where it has two metadata keys or more",
        "safetensors 0.8.0: `save_file` with metadata",
    ),
    Format(
        "lightgbm-text",
        lambda _name, head: head.startswith(b"tree\nversion="),
        _lightgbm,
        "`num_threads` among the parameters",
        "lightgbm 4.7.0: `Booster.save_model`",
    ),
    Format(
        "catboost-cbm",
        lambda _name, head: head.startswith(b"CBM1"),
        _catboost,
        "`model_guid`, which is random, and `train_finish_time`",
        "catboost 1.2.10: `save_model`",
    ),
    Format(
        "catboost-json",
        lambda name, head: name.endswith(".json") and b'"features_info"' in head[:32],
        _catboost_json,
        "`model_guid`, which is random, and `train_finish_time`",
        "catboost 1.2.10: `save_model(format='json')`",
    ),
)  # fmt: skip
