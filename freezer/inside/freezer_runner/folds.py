"""Folds for cross-validation, by key.

`fold_keys` looks at one key (or group) at a time: adding samples moves no other, and sizes are
equal in expectation. `stratify_keys` makes the folds of each class equal up to one sample; no rule
that looks at one key at a time can do that. So it either moves at most one sample less than there
are folds for each one added, or, given the folds of before, none.
"""

from typing import Any, Dict, List, Mapping, Optional, Union

from .keys import BITS, Key, distinct, key_bytes, key_number, plain, same_length
from .reports import report

ALGORITHM = "freezer-fold/1"
STRATIFIED = "freezer-stratified-fold/1"


def fold_keys(
    keys: Any,
    count: int,
    *,
    salt: Union[str, int] = 0,
    groups: Any = None,
    labels: Any = None,
    name: str = "folds",
) -> List[int]:
    """Return each sample's fold, from 0 to ``count - 1``, and record the folds.

    A sample keeps its fold whatever samples are added or removed. With ``groups``, one for each
    key, a group is never divided. ``labels`` are counted by fold and decide nothing. Raises
    ``ValueError`` for fewer than two folds, and for a key that occurs twice.
    """
    _require_folds(count)
    listed = distinct(keys)
    deciding = listed if groups is None else plain(groups, "group")
    same_length(listed, deciding, "groups")
    counted = None if labels is None else plain(labels, "label")
    same_length(listed, counted if counted is not None else listed, "labels")
    found = [key_number("fold", salt, one) * count >> BITS for one in deciding]
    policy = {"algorithm": ALGORITHM, "salt": salt, "grouped": groups is not None, "count": count}
    _report(name, policy, found, count, listed, counted)
    return found


def stratify_keys(
    keys: Any,
    labels: Any,
    count: int,
    *,
    salt: Union[str, int] = 0,
    kept: Optional[Mapping[Key, int]] = None,
    name: str = "folds",
) -> List[int]:
    """Return folds in which each class is spread evenly, and record them.

    Of each class, two folds differ by at most one sample. A sample that is added, or removed, moves
    at most ``count - 1`` others, of its own class; where that has ``count`` samples or more, each
    moves to a neighbouring fold (the last is next to the first).

    ``kept`` are the folds of an earlier call by key: those samples stay where they were, and each
    new one joins the fold that has the fewest of its class. So adding samples moves no other, and
    folds that were even stay so; after samples were removed they are as even as that allows. Raises
    ``ValueError`` for fewer than two folds, a key that occurs twice, and a fold of ``kept`` that
    there is not.
    """
    _require_folds(count)
    listed, classes = distinct(keys), plain(labels, "label")
    same_length(listed, classes, "labels")
    members: Dict[Key, List[int]] = {}
    for at, one in enumerate(classes):
        members.setdefault(one, []).append(at)
    found = [0] * len(listed)
    for label, positions in members.items():
        ordered = sorted(positions, key=lambda at: _rank(salt, listed[at]))
        start = key_number("class", salt, label) * count >> BITS
        if kept is None:
            for rank, at in enumerate(ordered):
                found[at] = (_block(rank, len(ordered), count) + start) % count
        else:
            _join(ordered, listed, kept, found, count, start)
    policy = {
        "algorithm": STRATIFIED, "salt": salt, "count": count, "kept": kept is not None
    }  # fmt: skip
    _report(name, policy, found, count, listed, classes)
    return found


def _rank(salt: Union[str, int], key: Key) -> Any:
    return key_number("rank", salt, key), key_bytes(key)


def _block(rank: int, size: int, count: int) -> int:
    """Return the fold f with ``f * size // count <= rank < (f + 1) * size // count``."""
    return ((rank + 1) * count - 1) // size


def _join(
    ordered: List[int],
    keys: List[Key],
    kept: Mapping[Key, int],
    found: List[int],
    count: int,
    start: int,
) -> None:
    """Keep the folds of old samples, and let each new one join the smallest fold of its class."""
    sizes = [0] * count
    for at in ordered:
        if keys[at] in kept:
            found[at] = _fold(kept[keys[at]], count, keys[at])
            sizes[found[at]] += 1
    for at in ordered:
        if keys[at] not in kept:
            found[at] = min(range(count), key=lambda fold: (sizes[fold], (fold - start) % count))
            sizes[found[at]] += 1


def _fold(fold: Any, count: int, key: Key) -> int:
    if type(fold) is not int or not 0 <= fold < count:
        raise ValueError(f"the kept fold of {key!r} is {fold!r}, not one from 0 to {count - 1}")
    return fold


def _require_folds(count: Any) -> None:
    if type(count) is not int or count < 2:
        raise ValueError(f"there are at least two folds, not {count!r}")


def _report(
    name: str,
    policy: Mapping[str, Any],
    found: List[int],
    count: int,
    keys: List[Key],
    labels: Optional[List[Key]],
) -> None:
    parts: Dict[str, List[int]] = {str(fold): [] for fold in range(count)}
    for at, fold in enumerate(found):
        parts[str(fold)].append(at)
    report(name, policy, parts, keys, labels)
