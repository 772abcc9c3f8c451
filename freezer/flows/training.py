"""One run of a lock's smoke trainings in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.check.smoke import run_smoke

if TYPE_CHECKING:
    from freezer.flows.sources import Workshop
    from freezer.model.lock import Lock
    from freezer.model.record import Record, Training

_KILLED = ("exit status -9", "exit status 137")
"""What is told of a training that was ended by SIGKILL, itself or below a shell."""


def train(workshop: Workshop, lock: Lock, lock_id: str, image: str, title: str) -> Record:
    """Return the record of one run. Raises ``CheckError`` when nothing can be run."""
    record = run_smoke(
        lock, lock_id, image, engine=workshop.engine(), report=workshop.report, title=title
    )
    trainings = tuple(_in_plain_words(one, lock) for one in record.trainings)
    return record.model_copy(update={"trainings": trainings})


def _in_plain_words(training: Training, lock: Lock) -> Training:
    """Say what a kill most likely means: nothing else in there would end a training so."""
    first, *rest = (training.failure or "").splitlines() or [""]
    if first not in _KILLED:
        return training
    said = f"it was killed, most likely out of memory; raise smoke.memory, now {lock.smoke.memory}"
    return training.model_copy(update={"failure": "\n".join([said, *rest])})
