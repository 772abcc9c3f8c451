"""The smoke trainings of a lock as model cards, with the references of their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.governance.sbom.model import Part
from freezer.model.record.record import Number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.lock import Lock
    from freezer.model.record.record import Record, Training


def training_parts(
    lock: Lock, lock_id: str, references: Sequence[Record], needs: Sequence[str]
) -> Iterator[Part]:
    """Yield each training that ``freeze check`` runs, with what it came to on each class of hosts.

    A reference of another lock says nothing of this one, and is left out.
    """
    names = [*lock.smoke.trainings, *(["own"] if lock.smoke.command else [])]
    own = [record for record in references if record.lock_id == lock_id]
    for name in names:
        facts = {
            "freezer:seed": str(lock.smoke.seed),
            "freezer:cpus": str(lock.smoke.cpus),
            "freezer:memory": lock.smoke.memory,
        }
        yield Part(
            ref=f"training:{name}",
            kind="machine-learning-model",
            name=f"smoke training: {name}",
            version=lock_id[:12],
            needs=tuple(sorted(ref for ref in needs if ref.startswith("numerics:"))),
            properties=tuple(sorted(facts.items())),
            model_card=_card(_records(name, lock.smoke.trainings, own)),
        )


def _records(
    name: str, built_in: Sequence[str], references: Sequence[Record]
) -> list[tuple[str, Training]]:
    """Return what one training came to, by class of hosts; the user's own has any other name."""
    return [
        (record.host.class_, training)
        for record in sorted(references, key=lambda one: one.host.class_)
        for training in record.trainings
        if training.name == name or (name == "own" and training.name not in built_in)
    ]


def _card(trainings: Sequence[tuple[str, Training]]) -> dict[str, object]:
    metrics = [item for class_, training in trainings for item in _metrics(training, class_)]
    card: dict[str, object] = {
        "considerations": {
            "useCases": ["proves that the environment still trains to the same numbers"],
            "technicalLimitations": [
                "results are promised within a class of hosts; the data are few and made by rule"
            ],
        }
    }
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    return card


def _metrics(training: Training, numerics_class: str) -> Iterator[dict[str, object]]:
    """Yield the last value of each loss and metric, in decimal: the shortest that is the double."""
    last = {item.name: item.value for item in training.observations if isinstance(item, Number)}
    for name, value in sorted(last.items()):
        yield {
            "type": f"{training.name}: {name}",
            "value": repr(float.fromhex(value)),
            "slice": numerics_class,
        }
