"""Keys of samples, and the numbers that a hash makes of them: the same on every machine.

SHA-256 over the parts of a key, each with its type and its length; no ``hash()``, no generator, no
float. `key_number` is ``freezer_inside.key_seed``, so both give a sample the same part of a split.
"""

import hashlib
from typing import Any, List, Sequence, Union

Key = Union[str, int]
BITS = 63


def key_number(*key: Key) -> int:
    """Return the 63-bit number of a key.

    ``("a", "bc")`` is another key than ``("ab", "c")``, and ``1`` another than ``"1"``. Raises
    ``TypeError`` for a part that is neither text nor a whole number.
    """
    hasher = hashlib.sha256()
    for part in key:
        raw = key_bytes(part)
        hasher.update(len(raw).to_bytes(8, "little") + raw)
    return int.from_bytes(hasher.digest()[:8], "little") >> 1


def key_bytes(part: Key) -> bytes:
    """Return one part of a key as bytes: its type, then its text. Raises ``TypeError``."""
    if type(part) not in (str, int):
        raise TypeError(f"a key is text or a whole number, not {type(part).__name__}")
    mark = "s" if isinstance(part, str) else "i"
    return f"{mark}{part}".encode("utf-8", "surrogatepass")


def plain(values: Any, what: str) -> List[Key]:
    """Return keys or labels as Python's own text and whole numbers, NumPy's converted.

    Raises ``TypeError`` for anything else: floats and objects are written differently elsewhere.
    """
    found = values.tolist() if hasattr(values, "tolist") else list(values)
    for at, one in enumerate(found):
        if type(one) is bool or isinstance(one, (float, bytes)):
            raise TypeError(f"{what} {at} is {type(one).__name__}: give text or whole numbers")
        if type(one) not in (str, int):
            found[at] = _plain(one, what, at)
    return found


def _plain(one: Any, what: str, at: int) -> Key:
    converted = one.item() if hasattr(one, "item") else one
    if isinstance(converted, str):
        return str(converted)
    if isinstance(converted, int) and not isinstance(converted, bool):
        return int(converted)
    raise TypeError(f"{what} {at} is {type(one).__name__}: give text or whole numbers")


def distinct(keys: Any) -> List[Key]:
    """Return keys as `plain` does. Raises ``ValueError`` for one that occurs twice."""
    found = plain(keys, "key")
    seen = set()
    for one in found:
        if one in seen:
            raise ValueError(f"the key {one!r} occurs twice: a key names one sample")
        seen.add(one)
    return found


def same_length(keys: Sequence[Key], others: Sequence[Key], what: str) -> None:
    """Raise ``ValueError`` unless there is one label, or group, for each key."""
    if len(keys) != len(others):
        raise ValueError(f"{len(keys)} keys and {len(others)} {what}: give one for each key")


def digest_of(keys: Sequence[Key]) -> str:
    """Return the SHA-256 of a set of keys, in whatever order they come."""
    hasher = hashlib.sha256()
    for raw in sorted(map(key_bytes, keys)):
        hasher.update(len(raw).to_bytes(8, "little") + raw)
    return hasher.hexdigest()
