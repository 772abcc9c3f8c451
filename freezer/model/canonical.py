"""The one way to write a document down, so that equal values are equal bytes.

The YAML emitter is Freezer's own: a lock ID is a hash of these bytes, and the layout that a YAML
library chooses is a detail which it may change in any release.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freezer.model.base import Model

_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9_./+@~-]*(:[A-Za-z0-9_./+@~-]+)*\Z")
_WORDS = frozenset(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"}
)
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def json_bytes(document: Any) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def plain(model: Model) -> dict[str, Any]:
    """Return a model as plain values under their on-disk names, empty and false ones left out."""
    document: dict[str, Any] = _prune(model.model_dump(mode="json", by_alias=True))
    return document


def _prune(value: Any) -> Any:
    """Return a value as pydantic dumps it, without what is empty or false in any mapping of it."""
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                if pruned := _prune(item):
                    kept[key] = pruned
            elif item is not None and item is not False:
                kept[key] = item
        return kept
    if isinstance(value, list):
        return [_prune(item) if isinstance(item, (dict, list)) else item for item in value]
    return value


def yaml_text(document: dict[str, Any]) -> str:
    """Return canonical YAML: block style, sorted keys, strings quoted unless clearly plain.

    Takes what JSON takes, less floats (which have no business in a lock).
    """
    lines: list[str] = []
    _block(document, "", "", lines)
    return "".join(f"{line}\n" for line in lines)


def _block(value: dict[str, Any] | list[Any], first: str, pad: str, lines: list[str]) -> None:
    """Append a value's lines: ``first`` stands before the first of them, ``pad`` before others."""
    deeper = f"{pad}  "
    if isinstance(value, dict):
        for key in sorted(value):
            item = value[key]
            if isinstance(item, str):  # nearly all are
                lines.append(f"{first}{_text(key)}: {_text(item)}")
            elif item and isinstance(item, (dict, list)):
                lines.append(f"{first}{_text(key)}:")
                _block(item, deeper, deeper, lines)
            else:
                lines.append(f"{first}{_text(key)}: {_scalar(item)}")
            first = pad
        return
    for item in value:
        if item and isinstance(item, (dict, list)):
            _block(item, f"{first}- ", deeper, lines)
        else:
            lines.append(f"{first}- {_scalar(item)}")
        first = pad


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value in ([], {}):
        return "[]" if value == [] else "{}"
    msg = f"{type(value).__name__} has no canonical form"
    raise TypeError(msg)


@lru_cache(maxsize=1 << 15)  # a lock is written down several times in a command
def _text(value: str) -> str:
    if _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
