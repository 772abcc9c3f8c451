"""What is recorded of a split or of folds: the policy, the sizes, the classes, the keys."""

from typing import Any, Dict, Mapping, Optional, Sequence

from .keys import Key, digest_of
from .recording import record_params, recorder

MOST_CLASSES = 1000
"""Classes that are counted by name; of more only how many there are."""


def report(
    name: str,
    policy: Mapping[str, Any],
    parts: Mapping[str, Sequence[int]],
    keys: Sequence[Key],
    labels: Optional[Sequence[Key]],
) -> None:
    """Record a policy as parameters, and of each part the size, its classes and its keys' digest.

    ``parts`` are positions in ``keys`` and ``labels``.
    """
    record_params({f"{name}.{key}": value for key, value in policy.items()})
    writer = recorder()
    classes = sorted(set(labels or ()), key=str)
    for part, positions in parts.items():
        place = f"{name}.{part}"
        writer.metric(f"{place}.size", len(positions))
        writer.data(place, digest_of([keys[at] for at in positions]))
        if labels is not None and len(classes) <= MOST_CLASSES:
            counts = _counted(labels, positions)
            for one in classes:
                writer.metric(f"{place}.classes.{one}", counts.get(one, 0))
    if labels is not None:
        record_params({f"{name}.classes": len(classes)})


def _counted(labels: Sequence[Key], positions: Sequence[int]) -> Dict[Key, int]:
    counts: Dict[Key, int] = {}
    for at in positions:
        counts[labels[at]] = counts.get(labels[at], 0) + 1
    return counts
