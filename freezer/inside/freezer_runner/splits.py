"""Splits by key: a sample's part follows from its key, the shares and the salt alone."""

from bisect import bisect_right
from fractions import Fraction
from typing import Any, Dict, List, Mapping, Tuple, Union

from .keys import BITS, distinct, key_number, plain, same_length
from .reports import report

ALGORITHM = "freezer-split/1"
_FINEST = 10**6


def split_keys(
    keys: Any,
    shares: Mapping[str, Union[float, Fraction]],
    *,
    salt: Union[str, int] = 0,
    groups: Any = None,
    labels: Any = None,
    name: str = "split",
) -> Dict[str, List[int]]:
    """Return the positions of the samples in each part, and record the split.

    ``split_keys(files, {"train": 0.8, "test": 0.2})``. A sample keeps its part whatever samples are
    added or removed; parts have their shares in expectation, not exactly. With ``groups``, one for
    each key, a group is never divided. ``labels`` are counted by part and decide nothing. Raises
    ``ValueError`` for shares that are negative or do not add up to one, and for a key that occurs
    twice.
    """
    ends, names = _ends(shares)
    listed = distinct(keys)
    deciding = listed if groups is None else plain(groups, "group")
    same_length(listed, deciding, "groups")
    counted = None if labels is None else plain(labels, "label")
    same_length(listed, counted if counted is not None else listed, "labels")
    parts: Dict[str, List[int]] = {part: [] for part in shares}
    for at, one in enumerate(deciding):
        parts[names[bisect_right(ends, key_number("split", salt, one))]].append(at)
    policy = {
        "algorithm": ALGORITHM,
        "salt": salt,
        "grouped": groups is not None,
        "shares": {part: str(_share(share)) for part, share in shares.items()},
    }
    report(name, policy, parts, listed, counted)
    return parts


def _share(share: Union[float, Fraction]) -> Fraction:
    return Fraction(share).limit_denominator(_FINEST)


def _ends(shares: Mapping[str, Union[float, Fraction]]) -> Tuple[List[int], List[str]]:
    """Return where each part ends among the numbers of keys, and the parts' names.

    A part holds the numbers below its end; one with the share 0 holds none.
    """
    exact = {part: _share(share) for part, share in shares.items()}
    if sum(exact.values()) != 1 or min(exact.values()) < 0:
        raise ValueError(f"the shares of a split must add up to one: {dict(shares)}")
    ends, names, reached = [], [], Fraction(0)
    for part, share in exact.items():
        if share:
            reached += share
            ends.append(-((-reached.numerator << BITS) // reached.denominator))  # rounded up
            names.append(part)
    return ends, names
