"""Output of ``freeze check IMAGE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.model.canonical import plain
from freezer.model.lockfile import short_id
from freezer.output.check.check import show_trainings, show_word

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.check.check_image import ImageCheck


def show(result: ImageCheck, console: Console) -> None:
    """Print each training, then the verdict and what it was compared with."""
    show_trainings(result.verdict, console)
    against = f"against {result.reference}" if result.reference else "nothing was recorded"
    compared = f"image {result.image[7:19]} of lock {short_id(result.lock_id)}, {against}"
    show_word(result.lock.name, result.verdict, compared, console)


def document(result: ImageCheck) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": result.lock.name,
        "lock-id": result.lock_id,
        "name": result.name,
        "image": result.image,
        "verdict": result.verdict.word.value,
        "good": result.verdict.good,
        "recorded": False,
        "reference": result.reference,
        "class": result.record.host.class_,
        "date": result.date,
        "host": plain(result.record.host),
        "trainings": [plain(one) for one in result.verdict.trainings],
        "causes": list(result.verdict.causes),
    }
