"""The order of samples in an epoch: by a hash of seed, epoch and key.

Workers, resumed trainings and other frameworks get the same order; samples that are added or
removed leave the order of the others as it is.
"""

from typing import Any, List, Set, Tuple

from .keys import digest_of, distinct, key_bytes, key_number
from .recording import record_params, recorder

ALGORITHM = "freezer-order/1"
_recorded: Set[Tuple[str, int]] = set()


def order_keys(keys: Any, epoch: int, *, seed: int, name: str = "order") -> List[int]:
    """Return the positions of the samples in the order of an epoch, and record the policy once.

    Raises ``ValueError`` for a key that occurs twice.
    """
    listed = distinct(keys)
    if (name, seed) not in _recorded:
        _recorded.add((name, seed))
        record_params({f"{name}.algorithm": ALGORITHM, f"{name}.seed": seed})
        recorder().data(name, digest_of(listed))
    numbers = [key_number("order", seed, epoch, one) for one in listed]
    return sorted(range(len(listed)), key=lambda at: (numbers[at], key_bytes(listed[at])))
